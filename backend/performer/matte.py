# SPDX-License-Identifier: GPL-3.0-or-later
"""The performer's matte: from the tracker's coarse coverage to soft, steady edges, corrected by the artist's own.

For each frame: keep what hangs together with the performer, take the median over neighbours brought along the motion,
add hands and limbs, settle doubtful pixels by the colours near them and by what other frames show there, lay the edge
along the picture's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

import cv2
import numpy as np
from numpy.typing import NDArray

from ..contract.errors import UnderstudyError
from ..contract.job import Combine
from ..contract.watch import Watch
from ..media.images import Pixels
from ..media.sequence import Sequence
from .behind import Behind
from .edge import Elsewhen, lay_edge
from .limbs import draw_hands, draw_limbs
from .part import part_round
from .steady import REACH, Glance, SteadyWindow
from .tracks import Presence, Tracks

Bytes = NDArray[np.uint8]

_NETWORK_SIDE_PX = 256
"""Side of the picture that the segmentation networks see; they are shown the performer's box with a margin."""
_NETWORK_MARGIN = 1.25
_SCALE_FRAMES = 4
"""Neighbours before and after that settle the scale of a frame's performer, so that radii don't flicker."""
_STEP_CELLS = 0.6
"""Grid of the maps that are followed from frame to frame: the networks see nothing finer than a cell."""
_CERTAIN, _FAINT = 96, 16
"""Of 255: coverage that makes a component, and coverage worth looking at."""
_BRIM_CELLS = 3
"""What is fainter than a component but this near to it belongs to it."""


_ROOM_CELLS = 8
"""Room round what may be the performer's, for the filters."""


@dataclass(frozen=True, slots=True)
class OwnMatte:
    """A matte sequence of the artist's, and what it does to the computed one."""

    pictures: Sequence
    combine: Combine


class SizeMismatchError(UnderstudyError):
    """A matte that the artist gave has not the shot's size."""

    hint = "Render the matte at the shot's size."

    def __init__(self, what: str, index: int, given: tuple[int, ...], wanted: tuple[int, ...]) -> None:
        super().__init__(
            f"Picture {index + 1} of the {what} is {given[1]} x {given[0]} pixels, the shot {wanted[1]} x {wanted[0]}."
        )
        self.what, self.index, self.given, self.wanted = what, index, given, wanted


class CountMismatchError(UnderstudyError):
    """A matte sequence that the artist gave has not as many pictures as the shot."""

    hint = "Render the matte over the shot's whole range."

    def __init__(self, what: str, given: int, wanted: int) -> None:
        super().__init__(f"The {what} has {given} pictures; the shot has {wanted} frames.")
        self.what, self.given, self.wanted = what, given, wanted


def refine_matte(
    frames: Sequence,
    coverage: Sequence,
    tracks: Tracks,
    own: OwnMatte | None,
    garbage: Sequence | None,
    watch: Watch,
) -> Iterator[Bytes]:
    """Yield the performer's matte of each frame in order: `h w` uint8 coverage, linear; 0 where nobody is present.

    coverage: the tracker's coarse maps of this performer, grey of the frames' size. own: the artist's own matte.
    garbage: the artist's garbage matte, which holds out where it is black; it is multiplied onto whatever comes of the
    two. Raises SizeMismatchError and CountMismatchError where the artist's don't fit the shot.
    """
    for what, given in (("matte", own.pictures if own else None), ("garbage matte", garbage)):
        if given is not None and len(given) != len(frames):
            raise CountMismatchError(what, len(given), len(frames))
    shape = frames[0].shape[:2]
    mattes = _own(own, frames, coverage, tracks) if own else _computed(frames, coverage, tracks)
    holding = iter(()) if garbage is None else _given("garbage matte", garbage, shape)
    for index, matte in enumerate(mattes):
        yield matte if garbage is None else held_out(matte, next(holding))
        watch.frames_done(index + 1, len(frames))


def combined(computed: Bytes, own: Bytes, combine: Combine) -> Bytes:
    """Lay the artist's matte on the computed one, `h w` uint8 coverage each.

    The greater of both adds without fattening an edge that both have; what is taken out is multiplied by what the
    artist's leaves uncovered, as a hold-out does.
    """
    match combine:
        case Combine.REPLACE:
            return own
        case Combine.ADD:
            return np.maximum(computed, own)
        case Combine.SUBTRACT:
            return np.asarray(cv2.multiply(computed, 255 - own, scale=1 / 255), np.uint8)
        case _:
            assert_never(combine)


def held_out(matte: Bytes, garbage: Bytes) -> Bytes:
    """Keep of a matte what the artist's garbage matte lets through, `h w` uint8 coverage each."""
    return np.asarray(cv2.multiply(matte, garbage, scale=1 / 255), np.uint8)


def matte_frame(frame: Pixels, coverage: Bytes, tracks: Tracks) -> Bytes:
    """Matte of a single frame, `h w`, without its neighbours: quick, for a preview. tracks: of this one frame."""
    if tracks.presence[0] == Presence.ABSENT:
        return np.zeros(coverage.shape, np.uint8)
    cell_px = float(cell_sizes(tracks)[0])
    kept = keep_performer(coverage, draw_limbs(tracks, 0, coverage.shape), cell_px)
    return _edged(_as_bytes(frame), kept, tracks, 0, cell_px)


def cell_sizes(tracks: Tracks) -> NDArray[np.float64]:
    """Pixels of each frame that one pixel of the segmentation networks spans: the unit of all lengths here."""
    box = tracks.box.astype(np.float64)
    sides = np.maximum(box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]) * (_NETWORK_MARGIN / _NETWORK_SIDE_PX)
    present = np.flatnonzero(tracks.presence != Presence.ABSENT)
    sizes = np.ones(len(tracks))
    for index in present:
        near = present[np.abs(present - index) <= _SCALE_FRAMES]
        sizes[index] = max(1.0, float(np.median(sides[near])))
    return sizes


def keep_performer(coverage: Bytes, limbs: Bytes, cell_px: float) -> Bytes:
    """Drop what does not hang together with the drawn limbs, or with the largest component where none is drawn."""
    part = part_round(coverage, 0)
    count, labels = cv2.connectedComponents((coverage[part] > _CERTAIN).astype(np.uint8))
    if count == 1:
        return coverage
    kept = np.bincount(labels[limbs[part] > 0], minlength=count) > 0
    kept[0] = False
    if not kept.any():
        kept[1 + np.argmax(np.bincount(labels.ravel())[1:])] = True
    brim = np.ones((2 * round(_BRIM_CELLS * cell_px) + 1,) * 2, np.uint8)
    whole = np.zeros_like(coverage)
    whole[part] = coverage[part] * np.asarray(cv2.dilate(kept[labels].astype(np.uint8), brim), np.uint8)
    return whole


def _computed(frames: Sequence, coverage: Sequence, tracks: Tracks) -> Iterator[Bytes]:
    """Mattes of all frames; frames and maps are read once, a window of them is held."""
    cells, is_present = cell_sizes(tracks), tracks.presence != Presence.ABSENT
    usual_px = float(np.median(cells[is_present])) if is_present.any() else 1.0
    step = max(1, round(_STEP_CELLS * usual_px))
    window, held = SteadyWindow(), dict[int, Bytes]()
    behind = Behind(frames, coverage, tracks, usual_px)
    incoming = enumerate(zip(frames.stream(), coverage.stream(), strict=True))
    for index in range(len(frames)):
        for ahead, (picture, coarse) in incoming:
            held[ahead] = _as_bytes(picture)
            limbs = draw_limbs(tracks, ahead, held[ahead].shape[:2])
            kept = keep_performer(_as_bytes(coarse), limbs, float(cells[ahead]))
            window.add(ahead, _glance(held[ahead], kept, step, bool(is_present[ahead])))
            if ahead == index + REACH:
                break
        frame = held.pop(index)
        if is_present[index]:
            yield _edged(frame, window.coverage(index), tracks, index, float(cells[index]), behind)
        else:
            yield np.zeros(frame.shape[:2], np.uint8)


def _glance(frame: Bytes, coverage: Bytes, step: int, is_present: bool) -> Glance:
    """Reduce a frame and its map by a whole number."""
    size = -(-frame.shape[1] // step), -(-frame.shape[0] // step)
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    reduced = cv2.resize(coverage, size, interpolation=cv2.INTER_AREA)
    return Glance(
        np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8), np.asarray(reduced, np.uint8), is_present
    )


def _edged(
    frame: Bytes, coverage: Bytes, tracks: Tracks, index: int, cell_px: float, behind: Behind | None = None
) -> Bytes:
    """Lay the edge of one frame, in the part of it where the performer may be."""
    shape = frame.shape[:2]
    coverage = np.asarray(cv2.resize(coverage, shape[::-1], interpolation=cv2.INTER_CUBIC), np.uint8)
    limbs, hands = draw_limbs(tracks, index, shape), draw_hands(tracks, index, shape)
    if behind is None:
        part = part_round(np.maximum(coverage, limbs) > _FAINT, round(_ROOM_CELLS * cell_px))
        elsewhen = Elsewhen.unknown(coverage[part].shape)
    else:
        part, elsewhen = behind.tell(index, frame, np.maximum(coverage, limbs))
    matte = np.zeros(shape, np.uint8)
    matte[part] = lay_edge(frame[part], coverage[part], limbs[part], hands[part], cell_px, elsewhen)
    return matte


def _own(own: OwnMatte, frames: Sequence, coverage: Sequence, tracks: Tracks) -> Iterator[Bytes]:
    """Yield the artist's mattes, laid on the computed ones where these are wanted at all."""
    given = _given("matte", own.pictures, frames[0].shape[:2])
    if own.combine is Combine.REPLACE:
        return given
    computed = _computed(frames, coverage, tracks)
    return (combined(*each, own.combine) for each in zip(computed, given, strict=True))


def _given(what: str, pictures: Sequence, shape: tuple[int, ...]) -> Iterator[Bytes]:
    """Yield an artist's sequence as mattes of the shot's size."""
    return (given_matte(what, index, picture, shape) for index, picture in enumerate(pictures.stream()))


def given_matte(what: str, index: int, picture: Pixels, shape: tuple[int, ...]) -> Bytes:
    """Read a picture of an artist's sequence, the `what` of an error's words, as a matte. Raises SizeMismatchError."""
    if picture.shape[:2] != shape:
        raise SizeMismatchError(what, index, picture.shape[:2], shape)
    return matte_of_picture(picture)


def matte_of_picture(picture: Pixels) -> Bytes:
    """Read a picture as a matte: the alpha of RGBA that is not all opaque, else the mean of RGB, else the grey."""
    picture = _as_bytes(picture)
    if picture.ndim == 2:
        return picture
    if picture.shape[2] == 4 and picture[..., 3].min() < 255:
        return picture[..., 3].copy()
    return np.asarray(np.round(picture[..., :3].mean(-1)), np.uint8)


def _as_bytes(picture: Pixels) -> Bytes:
    """8 bits of a picture of either depth."""
    return np.asarray(picture if picture.dtype == np.uint8 else np.round(picture / 257), np.uint8)
