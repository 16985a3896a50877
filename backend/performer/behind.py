# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies behind the performer, from frames near in time that show it: whatever looks otherwise is the performer."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from ..media.sequence import Sequence
from .bridge import left_after
from .coverage import moved, near_body
from .edge import Elsewhen
from .flow import estimated, grid_of
from .guided import WindowMean
from .part import Part, part_round
from .prepare import as_rgb8
from .set_motion import Homography, SetMotion
from .tracks import Presence, Tracks

Bytes = NDArray[np.uint8]
Values = NDArray[np.float32]
Mask = NDArray[np.bool_]
Depth = TypeVar("Depth", np.uint8, np.float32)

_KEY_FRAMES = 4
"""Every so many frames one is kept to be looked at from others."""
_OFFSETS = (-24, -8, 8, 24)
"""Which of them are asked, from the nearest: a fast performer has left a place in a few frames, a slow one in many."""
_REACH = max(_OFFSETS) + _KEY_FRAMES
_ONWARD, _BACKWARD = (1, 2, 3, 4, 8), (8, 12, 20)
"""Which frames are asked where the performer leaves: so many after this one, and so many before the kept one nearest to
it. Those after show the set almost as it is now, with ever less of the performer in the way. Those before show what the
camera has turned away from since."""
_FAINT = 16
_BRIM_CELLS = 6
"""So near to what was covered in another frame that frame tells nothing: networks lose feet and hair."""
_SURE, _SURE_CELLS = 51, 2
"""Coverage, of 255, under which a pixel that far from the performer is surely background."""
_ROOM_CELLS = 24
"""Room round the performer in which the set is compared, so that it is known how far to believe it."""
_LOST_CELLS = 30
"""How far from where one who has left the frame should be an arm or a leg may still be seen."""
_DETAIL_CELLS = 0.6
"""Pictures are compared on about such a grid: the edge itself is laid along the frame's own."""
_STEP_CELLS = 1.5
"""Grid on which the set's own motion and the trust in it are found."""
_SMOOTH_STEPS, _TRUST_STEPS = 12, 40
"""Half the sides of the windows over which they are smoothed: depths change slowly, and light even more so."""
_MOST_BESIDE_STEPS = 6
_ALIGNED_HEIGHTS = 1 / 360
"""How far, in heights of the picture, the set may lie beside where it is expected."""
_NOISE_LEVELS = 8.0
"""Difference in levels of 255 that grain and compression make."""
_WORTH_OF_SAME, _WORTH_OF_OTHER = 3.0, 4.0
"""Log odds at most that the set is seen, for clothes may have its colour, and that it isn't."""
_TURNING = 2.0
"""Difference, in noises, that tells nothing."""
_CHANCE = np.log(np.minimum((np.arange(256) + 16) / 100, 1)).astype(np.float32)
"""Log of the chance that clothes have a colour of the set's there, by its range in a channel: most lie within 100."""
_SHADE_PX = (7, 7)
_DARKEST_SHADE, _MOST_TINT, _MOST_SHADE_NOISE = 0.3, 1.25, 1.5
"""A shadow leaves that share of the light, its colours differ by that factor, its texture stays within those noises."""
_LEAST_TRUST, _FULL_TRUST = 0.5, 0.8
"""Share of the background round a pixel that must look as elsewhen for the pixel to be judged at all, and wholly."""


@dataclass(frozen=True, slots=True)
class _View:
    """A frame and what of it is hidden, 0 or 255, whole and reduced."""

    picture: Bytes
    hidden: Bytes
    grey: Bytes
    grey_hidden: Bytes

    @classmethod
    def of(cls, picture: Bytes, hidden: Bytes, step: int) -> Self:
        """Reduce a picture by a whole number."""
        size = max(1, picture.shape[1] // step), max(1, picture.shape[0] // step)
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        covered = cv2.resize(hidden, size, interpolation=cv2.INTER_AREA) > 0
        grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
        return cls(picture, hidden, grey, covered.astype(np.uint8) * np.uint8(255))

    @property
    def shrink(self) -> Homography:
        """From the whole picture's pixels to those of the reduced one."""
        (rows, columns), (small_rows, small_columns) = self.picture.shape[:2], self.grey.shape
        return np.diag([small_columns / columns, small_rows / rows, 1.0])


class Behind:
    """Holds a few frames round the one that is asked about. Frames must be asked about in order."""

    def __init__(self, frames: Sequence, coverage: Sequence, tracks: Tracks, cell_px: float) -> None:
        self._frames, self._coverage, self._tracks = frames, coverage, tracks
        self._incoming = enumerate(zip(frames.stream(), coverage.stream(), strict=True))
        self._camera = SetMotion()
        self._keys: dict[int, _View] = {}
        bridged = np.flatnonzero(tracks.presence == Presence.BRIDGED).tolist()
        self._asked = set[int]().union(*(asked_about(index, tracks.presence) for index in bridged))
        self._cell_px = cell_px
        self._detail = max(1, round(_DETAIL_CELLS * cell_px))
        self._step = max(1, round(_STEP_CELLS * cell_px / self._detail))

    def tell(self, index: int, frame: Bytes, coverage: Bytes) -> tuple[Part, Elsewhen]:
        """Tell where the performer of a frame may be, with room round it, and what other frames know of that part.

        frame: `h w 3`. coverage: `h w`, how likely the performer is.
        """
        lost = _left_at(index, self._tracks.presence)
        reach = self._reach(index, coverage, is_lost=lost is not None)
        part = part_round(np.maximum(coverage, reach) > _FAINT, round(_ROOM_CELLS * self._cell_px))
        odds = self._odds(index, frame, coverage, part, is_lost=lost is not None)
        last_seen = None if lost is None else self._last_seen(lost, index, part)
        return part, Elsewhen(odds, reach[part], last_seen)

    def _reach(self, index: int, coverage: Bytes, *, is_lost: bool) -> Bytes:
        """Say where the performer may be though the networks saw nothing; who is hidden by another is nowhere."""
        if is_lost:
            return np.asarray(cv2.dilate(coverage, _square(_LOST_CELLS * self._cell_px)), np.uint8)
        if self._tracks.presence[index] == Presence.BRIDGED:
            return np.zeros_like(coverage)
        return near_body(self._tracks.body[index], coverage.shape)

    def _odds(self, index: int, frame: Bytes, coverage: Bytes, part: Part, *, is_lost: bool) -> Values:
        """Log odds that the pixels of a part of a frame are not the set: `h w` of the part; 0 where it isn't known."""
        self._look_to(min(index + _REACH, len(self._tracks) - 1))
        covered = cv2.dilate(coverage[part], _square(_SURE_CELLS * self._cell_px)) > _SURE
        here = _View.of(self._small(frame[part]), self._small(covered.astype(np.uint8) * np.uint8(255)), self._step)
        corner = np.array([[1, 0, -part[1].start], [0, 1, -part[0].start], [0, 0, 1.0]])
        enlarge = np.diag([self._detail, self._detail, 1.0])
        near = _square(max(1, _ALIGNED_HEIGHTS * frame.shape[0] / self._detail))
        free = here.hidden == 0
        nothing = np.zeros(free.shape, np.float32)
        every, trust = [nothing], [nothing]
        for there, to_frame in self._others(index):
            picture, is_seen = _fetched(here, there, np.linalg.inv(enlarge) @ corner @ to_frame @ enlarge)
            odds = odds_of_other(here.picture, picture, near, in_doubt_shade=not is_lost)
            every.append(odds)
            trust.append(np.where(is_seen, _trust(odds, is_seen & free, self._step), np.float32(0)))
        agreed = first_of_known(every, trust) if is_lost else median_of_known(every, trust)
        told = cv2.medianBlur(agreed, 3)
        full = cv2.resize(told, covered.shape[::-1], interpolation=cv2.INTER_LINEAR)
        return _hanging_together(np.asarray(full, np.float32), coverage[part])

    def _small(self, picture: Bytes) -> Bytes:
        """Reduce a picture to the grid on which it is compared."""
        size = -(-picture.shape[1] // self._detail), -(-picture.shape[0] // self._detail)
        return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)

    def _last_seen(self, then: int, index: int, part: Part) -> tuple[Bytes, Bytes]:
        """Fetch a frame and its coverage, moved as the trunk has moved since."""
        bodies = self._tracks.body[then], self._tracks.body[index]
        pictures = as_rgb8(self._frames[then]), np.asarray(self._coverage[then], np.uint8)
        picture, coverage = (moved(image, *bodies)[part] for image in pictures)
        return picture, coverage

    def _others(self, index: int) -> Iterator[tuple[_View, Homography]]:
        """Give the frames to ask, and the maps of their pixels into this one."""
        for number in asked_about(index, self._tracks.presence):
            to_frame = self._camera.between(number, index) if number in self._keys else None
            if to_frame is not None:
                yield self._keys[number], to_frame

    def _look_to(self, index: int) -> None:
        """Follow the camera up to a frame, and forget what no later frame will ask for."""
        while len(self._camera) <= index:
            number, (picture, coverage) = next(self._incoming)
            picture, coverage = as_rgb8(picture), np.asarray(coverage, np.uint8)
            self._camera.add(picture, coverage)
            self._keys.pop(number - 2 * _REACH, None)
            if number % _KEY_FRAMES == 0 or number in self._asked:
                hidden = self._small(self._hidden(number, coverage))
                self._keys[number] = _View.of(self._small(picture), hidden, self._step)

    def _hidden(self, number: int, coverage: Bytes) -> Bytes:
        """Say generously where the performer may be, 0 or 255."""
        if self._tracks.presence[number] == Presence.ABSENT:
            return np.zeros_like(coverage)
        covered = np.maximum(coverage, near_body(self._tracks.body[number], coverage.shape)) > _FAINT
        return np.asarray(
            cv2.dilate(covered.astype(np.uint8) * np.uint8(255), _square(_BRIM_CELLS * self._cell_px)), np.uint8
        )


def asked_about(index: int, presence: NDArray[np.int8]) -> list[int]:
    """List the frames that are asked about a frame, none twice, whether there are such or not; the nearest come first.

    presence: `f`, of the performer. Where the performer leaves (or comes in, which is the same backwards), the frames
    onward are nearest in time, camera and light, and the place is free there.
    """
    lost, key = _left_at(index, presence), _KEY_FRAMES * round(index / _KEY_FRAMES)
    if lost is None:
        return sorted((key + offset for offset in _OFFSETS), key=lambda number: abs(number - index))
    step = 1 if lost < index else -1
    return [index + step * offset for offset in _ONWARD] + [key - step * offset for offset in _BACKWARD]


def odds_of_other(here: Bytes, there: Bytes, near: Bytes, *, in_doubt_shade: bool = True) -> Values:
    """Log odds, `h w`, that a pixel shows something else than another picture of the set does near its place.

    here, there: `h w 3`. near: how far `there` may lie beside its place, as a kernel. A colour within those found there
    tells little where they are many. in_doubt_shade: what may be the same in shade tells nothing.
    """
    high, low = np.asarray(cv2.dilate(there, near), np.uint8), np.asarray(cv2.erode(there, near), np.uint8)
    beyond = np.asarray(cv2.max(cv2.subtract(here, high), cv2.subtract(low, here)), np.uint8)
    off = np.square(_most(beyond) / np.float32(_NOISE_LEVELS))
    red, green, blue = (cv2.LUT(range_, _CHANCE) for range_ in cv2.split(cv2.subtract(high, low)))
    same = np.maximum(red + green + blue, -_WORTH_OF_SAME) * (1 - off / np.float32(_TURNING**2))
    odds = np.where(off < _TURNING**2, same, np.minimum(off - _TURNING**2, _WORTH_OF_OTHER)).astype(np.float32)
    most = np.float32(0 if in_doubt_shade else 2)
    in_question = np.nonzero(odds > most)
    blurred = (np.asarray(cv2.blur(picture, _SHADE_PX), np.uint8)[in_question] for picture in (here, there))
    is_shade = _is_shade(here[in_question], low[in_question], high[in_question], *blurred)
    odds[in_question] = np.where(is_shade, most, odds[in_question])
    return odds


def median_of_known(odds: list[Values], trust: list[Values]) -> Values:
    """Give at each pixel the lower median of the odds that are trusted at all, times the most trust; 0 for none.

    odds, trust: a map `h w` of each frame, trust in 0 to 1. At most four may be trusted at a pixel.
    """
    nothing = np.full(odds[0].shape, np.inf, np.float32)
    least, second, third = nothing, nothing, nothing
    for values, believed in zip(odds, trust, strict=True):
        known = np.where(believed > 0, values, nothing)
        least, above = np.minimum(least, known), np.maximum(least, known)
        second, above = np.minimum(second, above), np.maximum(second, above)
        third = np.minimum(third, above)
    median = np.where(np.isfinite(third), second, least)
    return np.where(np.isfinite(median), median, 0) * functools.reduce(np.maximum, trust)


def first_of_known(odds: list[Values], trust: list[Values]) -> Values:
    """Give at each pixel the odds of the first map as far as it is trusted, of the next for what is left, and so on.

    odds, trust: a map `h w` of each frame, trust in 0 to 1, taken for the chance that the frame knows. What is given is
    the mean of what the first that knows tells; one that doesn't exist tells 0.
    """
    told, left = np.zeros_like(odds[0]), np.ones_like(odds[0])
    for values, believed in zip(odds, trust, strict=True):
        told, left = told + left * believed * values, left * (1 - believed)
    return told


def _left_at(index: int, presence: NDArray[np.int8]) -> int | None:
    """Tell the frame in which one was last seen who is carried out of the frame at `index`; None of anybody else."""
    return left_after(presence, index) if presence[index] == Presence.BRIDGED else None


def _is_shade(here: Bytes, low: Bytes, high: Bytes, blurred_here: Bytes, blurred_there: Bytes) -> Mask:
    """Tell which pixels are darker than others, and nothing else: about alike in all colours, their texture kept.

    All `n 3`: pixels here, the range of those there, and both pictures blurred.
    """
    share = (blurred_here.astype(np.float32) + 4) / (blurred_there.astype(np.float32) + 4)
    least, most = -_most(-share), _most(share)
    off = _most(np.maximum(here - high * share, low * share - here))
    is_darker = (most < 1) & (least > _DARKEST_SHADE) & (most < _MOST_TINT * least)
    return np.asarray(is_darker & (off < _MOST_SHADE_NOISE * _NOISE_LEVELS))


def _most(channels: NDArray[Depth]) -> NDArray[Depth]:
    """Give the greatest of a few channels, which come last: NumPy's own way along a short axis is ten times slower."""
    return np.asarray(functools.reduce(np.maximum, np.moveaxis(channels, -1, 0)), channels.dtype)


def _fetched(here: _View, there: _View, to_here: Homography) -> tuple[Bytes, Mask]:
    """Bring another frame's picture to where its pixels lie here, and tell which of them it shows."""
    places = _places(here, there, to_here)
    nothing = np.empty(0, np.float32)
    picture = cv2.remap(there.picture, places, nothing, cv2.INTER_LINEAR)
    hidden = cv2.remap(there.hidden, places, nothing, cv2.INTER_LINEAR, borderValue=255)
    return np.asarray(picture, np.uint8), np.asarray(hidden == 0)


def _places(here: _View, there: _View, to_here: Homography) -> Values:
    """Where each pixel lies in another frame, `h w 2`: as the camera moved, and smoothly off that by depth."""
    size = here.grey.shape[1], here.grey.shape[0]
    to_small = here.shrink @ to_here @ np.linalg.inv(there.shrink)
    grey = cv2.warpPerspective(there.grey, to_small, size, borderMode=cv2.BORDER_REPLICATE)
    hidden = cv2.warpPerspective(there.grey_hidden, to_small, size, borderValue=255)
    beside = estimated(here.grey, np.asarray(grey, np.uint8))
    free = (cv2.max(hidden, here.grey_hidden) == 0) & (_most(np.abs(beside)) < _MOST_BESIDE_STEPS)
    mean = WindowMean(free.shape, _SMOOTH_STEPS)
    share = mean(free.astype(np.float32)) + np.float32(1e-3)
    smooth = [mean(np.where(free, beside[..., axis], 0)) / share / here.shrink[axis, axis] for axis in (0, 1)]
    field = cv2.resize(np.dstack(smooth), here.picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.perspectiveTransform(grid_of(field.astype(np.float32)), np.linalg.inv(to_here)), np.float32)


def _trust(odds: Values, background: Mask, step: int) -> Values:
    """Say how much of the background round each pixel looks as it does in another frame, 0 for too little, to 1."""
    size = max(1, odds.shape[1] // step), max(1, odds.shape[0] // step)
    mean = WindowMean(size[::-1], _TRUST_STEPS)
    known = (background, background & (odds <= 0))
    seen, alike = (
        mean(np.asarray(cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA))) for mask in known
    )
    share = alike / np.maximum(seen, np.float32(1e-3))
    trust = np.clip((share - _LEAST_TRUST) / (_FULL_TRUST - _LEAST_TRUST), 0, 1).astype(np.float32)
    return np.asarray(cv2.resize(trust, odds.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _hanging_together(odds: Values, coverage: Bytes) -> Values:
    """Take back, in place, that something is not the set where it hangs on nothing that is covered: others move too."""
    count, labels = cv2.connectedComponents(((odds > 0) | (coverage > _SURE)).astype(np.uint8))
    alone = np.bincount(labels[coverage > _SURE], minlength=count) == 0
    odds[(odds > 0) & alone[labels]] = 0
    return odds


def _square(radius_px: float) -> Bytes:
    return np.ones((2 * round(radius_px) + 1,) * 2, np.uint8)
