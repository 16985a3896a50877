# SPDX-License-Identifier: GPL-3.0-or-later
"""One frame of a replace job in seconds: tracked by itself, quick matte, a plate from a few other frames.

Nothing of it goes into a delivery, and the picture says what it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..contract.events import Event
from ..contract.job import Casting, Job, Mode
from ..contract.watch import Watch
from ..engines.base import Engine, Inputs
from ..media.clipinfo import Clip, check_range
from ..media.comp import comp_over, merge_layers
from ..media.disk import disk_errors
from ..media.images import Pixels, write_picture
from ..media.sequence import Sequence, SequenceWriter
from ..performer.choose import choose
from ..performer.find import find_people
from ..performer.matte import matte_frame
from ..performer.people import People, Person
from ..performer.track import track_single
from ..performer.tracks import Tracks
from ..plate.build import plate_frame
from .preflight import clear
from .run import Run

_REACH_FRAMES = 60
"""How far to either side other frames are looked at for what the performer hides."""
_OTHER_FRAMES = 7
_BOX_MARGIN = 0.15
"""Round a box that stands for a matte, in its heights: a hat or a wide sleeve is often outside what was found."""
_LABEL = "PREVIEW, frame {}: quick matte and plate"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Glance:
    """A few frames of a clip. numbers: of each within the clip; here: the place of the one that is previewed."""

    frames: Sequence
    numbers: tuple[int, ...]
    here: int

    def nearest(self, number: int) -> int:
        """Find the place of the frame that is nearest to one of the clip."""
        return min(range(len(self.numbers)), key=lambda place: abs(self.numbers[place] - number))


def make_preview(folder: Path, job: Job, frame: int, tell: Callable[[Event], None]) -> Path:
    """Draw one frame of the clip replaced, into the job's folder. Returns the picture. Raises UnderstudyError."""
    run = Run(folder, job, tell, should_stop=lambda: False)
    with disk_errors(folder):
        cleared = clear(job, folder)
        check_range(cleared.clip.info, frame, frame)
        watch = run.begin("preview")
        glance = _glance(cleared.clip, frame, job.delivery.depth_bits, folder / "frames")
        comp = _comp(glance, job, cleared.engine, folder, watch)
        path = folder / f"{job.delivery.name}_preview.{frame}.png"
        write_picture(path, _labelled(comp, _LABEL.format(frame)))
    return path


def _glance(clip: Clip, frame: int, depth_bits: int, into: Path) -> _Glance:
    """Read the frame and some others round it, in one pass over the file."""
    first, last = max(0, frame - _REACH_FRAMES), min(clip.info.frame_count - 1, frame + _REACH_FRAMES)
    numbers = tuple(sorted({frame, *np.linspace(first, last, _OTHER_FRAMES).astype(int).tolist()}))
    with SequenceWriter(into) as writer:
        for number, image in enumerate(clip.frames(first, last, depth_bits), start=first):
            if number in numbers:
                writer.write(numbers.index(number), image)
    return _Glance(frames=Sequence(into, len(numbers)), numbers=numbers, here=numbers.index(frame))


def _comp(glance: _Glance, job: Job, engine: Engine, folder: Path, watch: Watch) -> Pixels:
    people = find_people(glance.frames, watch)
    persons = [_chosen(people, casting, glance) for casting in job.cast]
    seen = [_seen(glance, person) for person in persons]
    height_px = max(float(np.ptp(tracks.box[0, 1::2])) for tracks, _ in seen)

    def matte_of(place: int) -> NDArray[np.uint8]:
        shape = glance.frames[place].shape[:2]
        return _union([matte for _, matte in seen] if place == glance.here else _boxes(persons, place, shape))

    plate = plate_frame(glance.frames, glance.here, matte_of, height_px).plate
    drawn = [
        _drawn(glance, plate, each, casting, job, engine, folder / f"character_{place}", watch)
        for place, (each, casting) in enumerate(zip(seen, job.cast, strict=True))
    ]
    return comp_over(plate, merge_layers(drawn))


def _chosen(people: People, casting: Casting, glance: _Glance) -> Person:
    """Choose among the frames at hand: a box or point of another frame is looked up in the nearest of them."""
    choice = casting.performer
    first = choice.frame - glance.nearest(choice.frame)
    return choose(people, choice, first, glance.frames)


def _seen(glance: _Glance, person: Person) -> tuple[Tracks, NDArray[np.uint8]]:
    tracks, coverage = track_single(glance.frames, glance.here, person)
    return tracks, matte_frame(glance.frames[glance.here], coverage, tracks)


def _drawn(
    glance: _Glance,
    plate: Pixels,
    seen: tuple[Tracks, NDArray[np.uint8]],
    casting: Casting,
    job: Job,
    engine: Engine,
    folder: Path,
    watch: Watch,
) -> Pixels:
    """Let the engine draw a shot of one frame."""
    tracks, matte = seen
    pictures = {"frames": glance.frames[glance.here], "plate": plate, "matte": matte}
    for name, picture in pictures.items():
        with SequenceWriter(folder / name) as writer:
            writer.write(0, picture)
    (folder / "prepared").mkdir()
    engine.prepare(folder / ".." / casting.character, casting.fit.mirror, folder / "prepared", watch)
    inputs = Inputs(
        mode=Mode.REPLACE,
        frames=Sequence(folder / "frames", 1),
        plate=Sequence(folder / "plate", 1),
        performer_matte=Sequence(folder / "matte", 1),
        tracks=tracks,
        character=folder / "prepared",
        fit=casting.fit,
        seed=job.seed,
    )
    engine.generate(inputs, 0, 0, folder / "drawn", watch)
    return Sequence(folder / "drawn", 1)[0]


def _boxes(persons: list[Person], place: int, shape: tuple[int, ...]) -> list[NDArray[np.uint8]]:
    """Take whole boxes for mattes: rough, and nothing of the performers stays outside."""
    mattes = []
    for person in persons:
        box = person.box_at(place)
        margin = _BOX_MARGIN * (box[3] - box[1])
        x0, y0, x1, y1 = np.clip(box + margin * np.array([-1, -1, 1, 1]), 0, None).astype(int)
        matte = np.zeros(shape, np.uint8)
        matte[y0 : y1 + 1, x0 : x1 + 1] = 255
        mattes.append(matte)
    return mattes


def _union(mattes: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    return np.asarray(np.maximum.reduce(mattes), np.uint8)


def _labelled(picture: Pixels, text: str) -> Pixels:
    top, height = int(np.iinfo(picture.dtype).max), picture.shape[0]
    scale, labelled = height / 1100, picture.copy()
    corner = (round(height / 40), round(height * 39 / 40))
    for colour, thickness in (((0, 0, 0), 4), ((top, top, top), 1)):
        cv2.putText(labelled, text, corner, cv2.FONT_HERSHEY_DUPLEX, scale, colour, thickness, cv2.LINE_AA)
    return labelled
