# SPDX-License-Identifier: GPL-3.0-or-later
"""The plate stage: holes, camera, set, then frame by frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.job import Shadow
from ..contract.watch import PassingOn, Unwatched, Watch
from ..media.images import write_picture
from ..media.sequence import Sequence, SequenceWriter, frame_name
from ..performer.tracks import Tracks
from .camera import Camera, CameraKind, follow_camera
from .ground import Ground, complete, lay_ground, place_ground
from .hole import hole_of
from .parallax import Parallax
from .report import PlateReport
from .restore import Restored, restore
from .samples import View, Witnesses
from .shadow import LitSet, enlarged, shadow_of

MUCH_INVENTED_PERCENT = 25.0

_GROUND_PIXELS, _QUICK_GROUND_PIXELS = 600_000, 120_000
_QUICK_FRAMES = 9
_NO_SHADOW = (
    "No cast shadow was told apart from the set: it never leaves its place, or there is none. Paint it into the "
    "performer matte if it must go."
)


def build_plate(
    frames: Sequence,
    mattes: tuple[Sequence, ...],
    tracks: tuple[Tracks, ...],
    shadow: Shadow,
    into: Path,
    watch: Watch,
) -> PlateReport:
    """Write the folders `hole` (0 or 255), `plate` (like the frames) and `plate_confidence` (8 bit) and `plate.json`.

    mattes, tracks: one per performer, as long as the shot. Confidence is 255 outside the hole, where the plate is the
    source's own bits, and at most 50 where nothing was seen.
    """
    holes = _write_holes(mattes, tracks, into / "hole", _Part(watch, 0.0, 0.05))
    camera = follow_camera(frames, holes, _Part(watch, 0.05, 0.3))
    known = _Known(_GROUND_PIXELS)
    witnesses = Witnesses(frames, holes, camera)
    if shadow is Shadow.REMOVE:
        doubtful = _add_shadows(frames, holes, witnesses, known, _Part(watch, 0.3, 0.4))
        witnesses = Witnesses(frames, _Unasked(holes, doubtful), camera)
    report = _write_plates(frames, holes, witnesses, known, into, _Part(watch, 0.4, 1.0))
    report.save(into / "plate.json")
    if report.overall_invented_percent > MUCH_INVENTED_PERCENT:
        watch.notice("plate_invented", _much_invented(report))
    return report


def plate_frame(
    frames: Sequence, index: int, matte_of: Callable[[int], NDArray[np.uint8]], performer_height_px: float
) -> Restored:
    """Restore one frame quickly, from at most eight others. matte_of: a rough matte of any frame, boxes will do."""
    picks = _spread_round(index, len(frames))
    pictures = [frames[pick] for pick in picks]
    holes = [hole_of([matte_of(pick)], performer_height_px) for pick in picks]
    camera = follow_camera(pictures, holes, Unwatched())
    witnesses = Witnesses(pictures, holes, camera)
    here = picks.index(index)
    view = witnesses.view(here)
    ground = _Known(_QUICK_GROUND_PIXELS).paint(witnesses, view)
    return restore(witnesses, ground, view, pictures[here], holes[here])


def _spread_round(index: int, count: int) -> list[int]:
    """Choose frames over the whole shot, the one asked for among them."""
    picks = {int(pick) for pick in np.rint(np.linspace(0, count - 1, min(count, _QUICK_FRAMES - 1)))}
    return sorted(picks | {index})


def _write_holes(mattes: tuple[Sequence, ...], tracks: tuple[Tracks, ...], folder: Path, watch: Watch) -> Sequence:
    """Write each frame's hole: every performer's matte, dilated by that performer's own height."""
    count = len(mattes[0])
    with SequenceWriter(folder) as writer:
        for index, pictures in enumerate(zip(*(matte.stream() for matte in mattes), strict=True)):
            hole = np.zeros(pictures[0].shape, bool)
            for matte, track in zip(pictures, tracks, strict=True):
                hole |= hole_of([matte], _height_px(track, index))
            writer.write(index, np.where(hole, 255, 0).astype(np.uint8))
            watch.frames_done(index + 1, count)
    return Sequence(folder, count)


def _add_shadows(
    frames: Sequence, holes: Sequence, witnesses: Witnesses, known: _Known, watch: Watch
) -> list[NDArray[np.bool_]]:
    """Rewrite the holes with the performers' cast shadows in them. Gives what of each frame is no witness, small."""
    lit: LitSet | None = None
    lit_segment, added = -1, 0
    doubtful: list[NDArray[np.bool_]] = []
    for index, frame in enumerate(frames.stream()):
        hole, view = holes[index] > 0, witnesses.view(index)
        if lit is None or view.segment != lit_segment:
            lit, lit_segment = LitSet(witnesses, known.enter(witnesses, view)), view.segment
        shadow = shadow_of(frame, hole, lit, index)
        doubtful.append(shadow & (not hole.any()))
        if shadow.any() and hole.any():
            added += 1
            hole |= enlarged(shadow, hole)
            write_picture(holes.folder / frame_name(index), np.where(hole, 255, 0).astype(np.uint8))
        watch.frames_done(index + 1, len(frames))
    if lit is not None and not added:
        watch.notice("shadow_not_found", _NO_SHADOW)
    return doubtful


@dataclass(frozen=True, slots=True)
class _Unasked:
    """Holes, and the shadows in frames without one, which are no witness of the set."""

    holes: Sequence
    doubtful: list[NDArray[np.bool_]]

    def __len__(self) -> int:
        return len(self.holes)

    def __getitem__(self, index: int, /) -> NDArray[np.uint8]:
        hole = np.asarray(self.holes[index], np.uint8)
        return np.where(enlarged(self.doubtful[index], hole), np.uint8(255), hole)


def _height_px(track: Tracks, index: int) -> float:
    _, top, _, bottom = track.box[index]
    return float(bottom - top)


def _write_plates(
    frames: Sequence, holes: Sequence, witnesses: Witnesses, known: _Known, into: Path, watch: Watch
) -> PlateReport:
    invented: list[float] = []
    areas: list[int] = []
    ground: Ground | None = None
    with SequenceWriter(into / "plate") as plates, SequenceWriter(into / "plate_confidence") as confidences:
        for index, (frame, mask) in enumerate(zip(frames.stream(), holes.stream(), strict=True)):
            view, hole = witnesses.view(index), mask > 0
            if hole.any() and (ground is None or ground.view.segment != view.segment):
                ground = known.paint(witnesses, view)
            restored = _restored(witnesses, ground, index, frame, hole)
            plates.write(index, restored.plate)
            confidences.write(index, restored.confidence)
            invented.append(restored.invented_percent)
            areas.append(int(np.count_nonzero(hole)))
            watch.frames_done(index + 1, len(frames))
    return _report(witnesses.camera, invented, areas)


class _Known:
    """What is known of the segments of a shot: where their pictures are, and how their sets stand out."""

    def __init__(self, most_pixels: int) -> None:
        self._most_pixels = most_pixels
        self._places: dict[int, View] = {}
        self._reliefs: dict[int, Parallax] = {}

    def enter(self, witnesses: Witnesses, view: View) -> View:
        """Let witnesses tell what a segment's set shows, by its relief; give the place of its picture."""
        segment = view.segment
        witnesses.plane, witnesses.shift = np.eye(3), None
        if segment not in self._places:
            self._places[segment] = place_ground(witnesses.camera, segment, view.size, self._most_pixels)
        place = self._places[segment]
        if witnesses.camera.kind is CameraKind.MOVING:
            witnesses.plane = np.linalg.inv(place.to_ground)
            if segment not in self._reliefs:
                self._reliefs[segment] = Parallax(witnesses, place)
            witnesses.shift = self._reliefs[segment]
        return place

    def paint(self, witnesses: Witnesses, view: View) -> Ground:
        """Paint a segment's set, once its relief is bettered by flow, and invent what is never seen."""
        place = self.enter(witnesses, view)
        if view.segment in self._reliefs:
            self._reliefs[view.segment].refine(witnesses, lay_ground(witnesses, place, view.size))
        return complete(lay_ground(witnesses, place, view.size), witnesses.white)


def _restored(
    witnesses: Witnesses, ground: Ground | None, index: int, frame: NDArray[Any], hole: NDArray[np.bool_]
) -> Restored:
    if ground is None:
        return Restored(frame, np.full(hole.shape, 255, np.uint8), 0.0)
    return restore(witnesses, ground, witnesses.view(index), frame, hole)


def _report(camera: Camera, invented: list[float], areas: list[int]) -> PlateReport:
    total = sum(areas)
    overall = sum(percent * area for percent, area in zip(invented, areas, strict=True)) / total if total else 0.0
    return PlateReport(
        camera=camera.kind,
        segments=int(camera.segment.max()) + 1,
        invented_percent=tuple(round(percent, 2) for percent in invented),
        overall_invented_percent=round(overall, 2),
    )


def _much_invented(report: PlateReport) -> str:
    return (
        f"{report.overall_invented_percent:.0f} % of the plate behind the performer is never seen in this shot and was "
        "invented. Look at it, or use a clean plate of your own; the comp hides it where the character covers it."
    )


class _Part(PassingOn):
    """A share of a longer work, told in frames of the whole."""

    def __init__(self, inner: Watch, start: float, end: float) -> None:
        super().__init__(inner)
        self._start, self._end = start, end

    def frames_done(self, done_frames: int, total_frames: int) -> None:
        share = self._start + (self._end - self._start) * done_frames / max(1, total_frames)
        self.inner.frames_done(int(share * total_frames), total_frames)
