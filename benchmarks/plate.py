# SPDX-License-Identifier: GPL-3.0-or-later
"""How true the plate is: against the rendered room, and on footage against what a pretended performer hides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.contract.job import Shadow
from backend.contract.watch import Unwatched
from backend.media.images import Pixels, rgb_of
from backend.media.sequence import Sequence, SequenceWriter
from backend.performer.tracks import Tracks
from backend.plate.build import build_plate
from backend.plate.report import PlateReport
from demo.truth import Truth

from .bench import Bench, FootageMissingError
from .pictures import Flags, psnr_db, rank_correlation
from .table import Row
from .tracking import CLIPS
from .worker import Worked

_GOAL_DB, _GOAL_GAIN_DB = 26.0, 4.0
_SEEN = 0.8
_MOST_FRAMES = 20
"""cv2.inpaint takes seconds a frame: of the frames that count so many are measured, evenly spread."""

_RANKED_PIXELS = 2000
"""Of each frame, for the rank correlation."""

_INPAINT_RADIUS_PX = 3.0
_SEEN_CONFIDENCE = 50
"""The plate's confidence is at most this where no other frame shows anything."""

_CROSSING = (0.12, 0.88)
"""Where in the picture's width the pretended performer begins and ends: what one hides now is seen at another time."""


@dataclass(frozen=True, slots=True)
class Restored:
    """One frame: true pixels, the plate's, its confidence, the whole hole, and the part of it where truth is known."""

    true: Pixels
    plate: Pixels
    confidence: Pixels
    hole: Flags
    known: Flags

    @property
    def seen(self) -> float:
        """What share of the known part another frame shows."""
        return float((self.confidence[self.known] > _SEEN_CONFIDENCE).mean()) if self.known.any() else 0.0


@dataclass(frozen=True, slots=True)
class Shadowing:
    """One performer who is in the shot, and one only pretended, who walks across."""

    mattes: tuple[Sequence, Sequence]
    tracks: tuple[Tracks, Tracks]


def truth(bench: Bench) -> Iterator[Row]:
    """Yield a row for each seed: the plate of the whole job, shadow removed, against the room rendered empty."""
    for seed in bench.seeds:
        shot = bench.shot("solo", seed)
        done = bench.replaced_shot(shot)
        report = PlateReport.load(done.plate.folder.parent / "plate.json")
        seen = [
            index
            for index, percent in enumerate(report.invented_percent)
            if percent <= 100 * (1 - _SEEN) and done.hole[index].any()
        ]
        frames = (_of_shot(done, shot, index) for index in _spread(seen))
        yield _row(bench, "plate against the empty room", bench.on(shot, seed), frames, len(seen))


def held_out(bench: Bench) -> Iterator[Row]:
    """Yield a row for each clip of footage: a second performer is pretended where the set is seen in truth."""
    for name in CLIPS:
        what = "plate against footage behind a pretended performer"
        try:
            done = bench.replaced(bench.clip(name))
        except FootageMissingError as missing:
            yield Row(what, name, str(missing), "", None)
            continue
        frames, into = done.frames, bench.folder("held_out")
        both = pretended(done.matte, done.tracks, frames[0].shape[1], into / "pretended")
        bench.say(f"plate of {name} with a pretended performer")
        build_plate(frames, both.mattes, both.tracks, Shadow.KEEP, into, Unwatched())
        looks = [_held_out(done.hole, frames, into, index) for index in _spread(list(range(len(frames))))]
        seen = [look for look in looks if look.known.any() and look.seen >= _SEEN]
        yield _row(bench, what, f"{name}, {len(frames)} frames", iter(seen), len(seen))


def pretended(matte: Sequence, tracks: Tracks, width: int, into: Path) -> Shadowing:
    """Write a performer's mattes once more, moved so that they cross the picture from left to right."""
    centre = (tracks.box[:, 0] + tracks.box[:, 2]) / 2
    aside = np.round(np.linspace(*_CROSSING, len(tracks)) * width - centre).astype(np.float32)
    with SequenceWriter(into) as writer:
        for index, picture in enumerate(matte.stream()):
            move = np.array([[1, 0, aside[index]], [0, 1, 0]], np.float32)
            moved = cv2.warpAffine(picture, move, (picture.shape[1], picture.shape[0]), flags=cv2.INTER_NEAREST)
            writer.write(index, np.asarray(moved, np.uint8))
    body, box = tracks.body.copy(), tracks.box.copy()
    body[..., 0] += aside[:, None]
    box[:, [0, 2]] += aside[:, None]
    return Shadowing((matte, Sequence(into, len(matte))), (tracks, replace(tracks, body=body, box=box)))


def _of_shot(done: Worked, shot: Truth, index: int) -> Restored:
    """Read a frame of a rendered shot's plate; the truth is known in the whole hole."""
    hole = done.hole[index] > 0
    true = rgb_of(Sequence(shot.plate, len(shot))[index])
    return Restored(true, done.plate[index], done.confidence[index], hole, hole)


def _held_out(own_hole: Sequence, frames: Sequence, into: Path, index: int) -> Restored:
    """Read a frame of a plate made for two; the truth is known where only the pretended one stands."""
    count = len(frames)
    hole = Sequence(into / "hole", count)[index] > 0
    plate, confidence = Sequence(into / "plate", count)[index], Sequence(into / "plate_confidence", count)[index]
    return Restored(frames[index], plate, confidence, hole, hole & (own_hole[index] == 0))


def _row(bench: Bench, what: str, on: str, frames: Iterator[Restored], counted: int) -> Row:
    ours: list[float] = []
    telea: list[float] = []
    stokes: list[float] = []
    confidence: list[NDArray[np.integer]] = []
    error: list[NDArray[np.floating]] = []
    for frame in frames:
        bench.say(f"{what}: cv2.inpaint, frame {len(ours) + 1}")
        ours.append(psnr_db(frame.plate, frame.true, frame.known))
        for results, method in ((telea, cv2.INPAINT_TELEA), (stokes, cv2.INPAINT_NS)):
            results.append(psnr_db(_inpainted(frame, method), frame.true, frame.known))
        confident, off = _ranked(frame)
        confidence.append(confident)
        error.append(off)
    if not ours:
        return Row(what, on, f"no frame's hole was seen to {100 * _SEEN:.0f} %", "", None)
    mean, best = float(np.mean(ours)), max(float(np.mean(telea)), float(np.mean(stokes)))
    ranks = rank_correlation(np.concatenate(confidence), np.concatenate(error))
    return Row(
        what,
        on,
        f"{mean:.1f} dB ({min(ours):.1f} to {max(ours):.1f}); "
        f"inpaint Telea {np.mean(telea):.1f}, NS {np.mean(stokes):.1f}; "
        f"gain {mean - best:+.1f}; confidence against error {ranks:+.2f}; {len(ours)} of {counted} frames seen to 80 %",
        f"{_GOAL_DB:g} dB, {_GOAL_GAIN_DB:+g} dB over inpaint",
        mean >= _GOAL_DB and mean - best >= _GOAL_GAIN_DB,
    )


def _inpainted(frame: Restored, method: int) -> Pixels:
    """Fill the whole hole from its rim; the source's own pixels round it are the true ones."""
    mask = np.where(frame.hole, 255, 0).astype(np.uint8)
    return np.asarray(cv2.inpaint(frame.true, mask, _INPAINT_RADIUS_PX, method), np.uint8)


def _ranked(frame: Restored) -> tuple[NDArray[np.integer], NDArray[np.floating]]:
    """Take confidence and error of some of the known pixels, evenly spread."""
    rows, columns = np.nonzero(frame.known)
    some = np.linspace(0, len(rows) - 1, min(len(rows), _RANKED_PIXELS)).astype(int)
    at = rows[some], columns[some]
    off = np.abs(frame.plate[at].astype(np.float64) - frame.true[at]).mean(axis=-1)
    return frame.confidence[at], off


def _spread(indices: list[int]) -> list[int]:
    places = np.unique(np.linspace(0, len(indices) - 1, min(len(indices), _MOST_FRAMES)).astype(int))
    return [indices[place] for place in places] if indices else []
