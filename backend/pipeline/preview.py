# SPDX-License-Identifier: GPL-3.0-or-later
"""One frame of a replace job in seconds: quick matte, a plate from a few other frames, the artist's corrections.

Nothing of it goes into a delivery, and the picture says what it is.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..contract.disk import disk_errors
from ..contract.events import Event
from ..contract.job import Casting, Job, Mode
from ..contract.watch import Watch
from ..engines.base import Engine, Inputs
from ..media.comp import comp_over, merge_layers
from ..media.images import Pixels, write_picture
from ..media.sequence import Sequence, SequenceWriter
from ..performer.window import Box
from ..plate.build import plate_frame
from .glance import Glance, Performer, check_frame, glance_at, look_at_performers
from .preflight import clear
from .replace import read_characters
from .run import Run

_BOX_MARGIN = 0.15
"""Round a box that stands for a matte, in its heights: a hat or a wide sleeve is often outside what was found."""
_LABEL = "PREVIEW, frame {}: quick matte and plate"


def make_preview(
    folder: Path, job: Job, frame: int, tell: Callable[[Event], None], should_stop: Callable[[], bool]
) -> Path:
    """Draw one frame of the clip replaced, corrected as the job is, into its folder. Returns the picture.

    Raises UnderstudyError. The draft engine draws it, whichever the job's is: no other has an answer within seconds.
    The character's own stage is kept for the job that follows, and is computed beside the rest.
    """
    job = replace(job, engine="draft", settings=())
    run = Run(folder, job, tell, should_stop)
    with disk_errors(folder), ThreadPoolExecutor(1) as beside:
        cleared = clear(job, folder)
        check_frame(run, cleared, frame)
        watch = run.begin("preview")
        characters = beside.submit(lambda: [character.folder for character in read_characters(run)])
        glance = glance_at(run, cleared, frame, watch)
        performers = look_at_performers(run, cleared, glance, watch)
        plate = _plate(glance, performers)
        drawn = [
            _drawn(cleared.engine, _inputs(glance, plate, *each, job, folder / f"part_{place}"), folder, watch)
            for place, each in enumerate(zip(performers, job.cast, characters.result(), strict=True))
        ]
        number = cleared.clip.info.numbers[frame] if cleared.clip.info.numbers else frame
        path = folder / f"{job.delivery.name}_preview.{frame}.png"
        write_picture(path, _labelled(comp_over(plate, merge_layers(drawn)), _LABEL.format(number)))
    return path


def _plate(glance: Glance, performers: list[Performer]) -> Pixels:
    height_px = max(float(np.ptp(performer.tracks.box[0, 1::2])) for performer in performers)

    def matte_of(place: int) -> NDArray[np.uint8]:
        if place == glance.here:
            return _union([performer.matte for performer in performers])
        return _boxes([performer.boxes[place] for performer in performers], glance.frames[place].shape[:2])

    plate: Pixels = plate_frame(glance.frames, glance.here, matte_of, height_px).plate
    return plate


def _inputs(
    glance: Glance, plate: Pixels, performer: Performer, casting: Casting, character: Path, job: Job, folder: Path
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
