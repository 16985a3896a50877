# SPDX-License-Identifier: GPL-3.0-or-later
"""One frame of a replace job in seconds: tracked by itself, quick matte, a plate from a few other frames.

Nothing of it goes into a delivery, and the picture says what it is.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..contract.disk import disk_errors
from ..contract.events import Event
from ..contract.job import Casting, Job, Mode
from ..contract.watch import Watch
from ..engines.base import Engine, Inputs
from ..media.clipinfo import Clip, check_range
from ..media.comp import comp_over, merge_layers
from ..media.images import Pixels, write_picture
from ..media.sequence import Sequence, SequenceWriter, frame_name
from ..performer.choose import choose
from ..performer.find import find_people
from ..performer.matte import matte_frame
from ..performer.people import People, Person, Seen
from ..performer.track import track_single
from ..performer.tracks import Tracks
from ..performer.window import Box
from ..plate.build import plate_frame
from .preflight import Cleared, clear
from .replace import frames_stage, read_characters
from .run import Run
from .sequences import Files
from .stages import PEOPLE, Find, frames_of

_REACH_FRAMES = 36
"""How far to either side other frames are looked at for what the performer hides."""
_OTHER_FRAMES = 5
_BOX_MARGIN = 0.15
"""Round a box that stands for a matte, in its heights: a hat or a wide sleeve is often outside what was found."""
_LABEL = "PREVIEW, frame {}: quick matte and plate"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Glance:
    """A few frames of a clip. numbers: of each within the clip; here: the place of the one that is previewed."""

    frames: Sequence
    numbers: tuple[int, ...]
    here: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Performer:
    """Who is replaced. boxes: one for each frame at hand; tracks, matte: of the frame that is previewed."""

    boxes: tuple[Box, ...]
    tracks: Tracks
    matte: NDArray[np.uint8]


def make_preview(
    folder: Path, job: Job, frame: int, tell: Callable[[Event], None], should_stop: Callable[[], bool]
) -> Path:
    """Draw one frame of the clip replaced, into the job's folder. Returns the picture. Raises UnderstudyError.

    The draft engine draws it, whichever the job's is: no other has an answer within seconds. The character's own stage
    is kept for the job that follows, and is computed beside the rest.
    """
    job = replace(job, engine="draft", settings=())
    run = Run(folder, job, tell, should_stop)
    with disk_errors(folder), ThreadPoolExecutor(1) as beside:
        cleared = clear(job, folder)
        check_range(cleared.clip.info, frame, frame)
        watch = run.begin("preview")
        characters = beside.submit(lambda: [character.folder for character in read_characters(run)])
        glance = _glance(cleared.clip, frame, job.delivery.depth_bits, folder / "frames")
        performers = _performers(run, cleared, glance, watch)
        plate = _plate(glance, performers)
        drawn = [
            _drawn(cleared.engine, _inputs(glance, plate, *each, job, folder / f"part_{place}"), folder, watch)
            for place, each in enumerate(zip(performers, job.cast, characters.result(), strict=True))
        ]
        path = folder / f"{job.delivery.name}_preview.{frame}.png"
        write_picture(path, _labelled(comp_over(plate, merge_layers(drawn)), _LABEL.format(frame)))
    return path


def _glance(clip: Clip, frame: int, depth_bits: int, into: Path) -> _Glance:
    """Read the frame and some others round it, in one pass over the file."""
    first, last = max(0, frame - _REACH_FRAMES), min(clip.info.frame_count - 1, frame + _REACH_FRAMES)
    numbers = tuple(sorted({frame, *np.linspace(first, last, _OTHER_FRAMES).astype(int).tolist()}))
    with SequenceWriter(into) as writer:
        for place, image in enumerate(clip.picked(numbers, depth_bits)):
            writer.write(place, image)
    return _Glance(frames=Sequence(into, len(numbers)), numbers=numbers, here=numbers.index(frame))


def _performers(run: Run, cleared: Cleared, glance: _Glance, watch: Watch) -> list[_Performer]:
    """Choose as the job would, from what `find` left for this clip; else by a look at three of the frames at hand."""
    known = _people_in_place_or_none(run, cleared)
    if known:
        people, frames, numbers = known
    else:
        places = sorted({0, glance.here, len(glance.numbers) - 1})
        frames = Files(glance.frames.folder, len(places), tuple(glance.frames.folder / frame_name(p) for p in places))
        people, numbers = find_people(frames, watch, hastily=True), tuple(glance.numbers[place] for place in places)
    return [_performer(people, frames, numbers, casting, glance) for casting in run.job.cast]


def _people_in_place_or_none(run: Run, cleared: Cleared) -> tuple[People, Sequence, tuple[int, ...]] | None:
    shot = run.job.shot
    frames = run.result_or_none(frames_stage(run, cleared))
    found = run.result_or_none(Find(frames)) if frames else None
    if not frames or not found:
        return None
    return People.load(found.folder / PEOPLE), frames_of(frames), tuple(range(shot.first, cleared.last + 1))


def _performer(
    people: People, frames: Sequence, numbers: tuple[int, ...], casting: Casting, glance: _Glance
) -> _Performer:
    """Choose one. people were found in `frames`, which have these numbers within the clip."""
    choice = casting.performer
    nearest = min(range(len(numbers)), key=lambda place: abs(numbers[place] - choice.frame))
    person = choose(people, choice, choice.frame - nearest, frames)
    at = [float(np.interp(number, numbers, range(len(numbers)))) for number in glance.numbers]
    boxes = tuple(person.box_at(round(place)) for place in at)
    tracks, coverage = track_single(glance.frames, glance.here, _standing(person, glance.here, boxes[glance.here]))
    matte = matte_frame(glance.frames[glance.here], coverage, tracks)
    return _Performer(boxes=boxes, tracks=tracks, matte=matte)


def _standing(person: Person, frame: int, box: Box) -> Person:
    """Say of a person that was seen in other frames where it stands in this one."""
    return replace(person, seen=(Seen(frame, box, 1.0),))


def _plate(glance: _Glance, performers: list[_Performer]) -> Pixels:
    height_px = max(float(np.ptp(performer.tracks.box[0, 1::2])) for performer in performers)

    def matte_of(place: int) -> NDArray[np.uint8]:
        if place == glance.here:
            return _union([performer.matte for performer in performers])
        return _boxes([performer.boxes[place] for performer in performers], glance.frames[place].shape[:2])

    plate: Pixels = plate_frame(glance.frames, glance.here, matte_of, height_px).plate
    return plate


def _inputs(
    glance: _Glance, plate: Pixels, performer: _Performer, casting: Casting, character: Path, job: Job, folder: Path
) -> Inputs:
    """Lay a shot of one frame out on disk, as an engine takes it."""
    pictures = {"frames": glance.frames[glance.here], "plate": plate, "matte": performer.matte}
    for name, picture in pictures.items():
        with SequenceWriter(folder / name) as writer:
            writer.write(0, picture)
    return Inputs(
        mode=Mode.REPLACE,
        frames=Sequence(folder / "frames", 1),
        plate=Sequence(folder / "plate", 1),
        performer_matte=Sequence(folder / "matte", 1),
        tracks=performer.tracks,
        character=character,
        fit=casting.fit,
        seed=job.seed,
    )


def _drawn(engine: Engine, inputs: Inputs, folder: Path, watch: Watch) -> Pixels:
    into = folder / f"drawn_{inputs.character.name}"
    engine.generate(inputs, 0, 0, into, watch)
    return Sequence(into, 1)[0]


def _boxes(boxes: list[Box], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Take whole boxes for a matte: rough, and nothing of the performers stays outside."""
    matte = np.zeros(shape, np.uint8)
    for box in boxes:
        margin = _BOX_MARGIN * (box[3] - box[1])
        x0, y0, x1, y1 = np.clip(box + margin * np.array([-1, -1, 1, 1]), 0, None).astype(int)
        matte[y0 : y1 + 1, x0 : x1 + 1] = 255
    return matte


def _union(mattes: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    return np.asarray(np.maximum.reduce(mattes), np.uint8)


def _labelled(picture: Pixels, text: str) -> Pixels:
    top, height = int(np.iinfo(picture.dtype).max), picture.shape[0]
    scale, labelled = height / 1100, picture.copy()
    corner = (round(height / 40), round(height * 39 / 40))
    for colour, thickness in (((0, 0, 0), 4), ((top, top, top), 1)):
        cv2.putText(labelled, text, corner, cv2.FONT_HERSHEY_DUPLEX, scale, colour, thickness, cv2.LINE_AA)
    return labelled
