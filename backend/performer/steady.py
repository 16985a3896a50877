# SPDX-License-Identifier: GPL-3.0-or-later
"""Steady coverage: each frame's map agrees with its neighbours', brought along the motion where that is trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .flow import Motion, motion_both_ways, warp
from .part import Part, part_round

Bytes = NDArray[np.uint8]

REACH = 2
"""Neighbours before and after a frame that are heard."""
_FAINT = 16
"""Of 255: coverage that counts as something to follow."""
_MARGIN_PX = 12


@dataclass(frozen=True, slots=True)
class Glance:
    """A frame of the window, at reduced size. grey, coverage: `h w` uint8. is_present: whether it may be heard."""

    grey: Bytes
    coverage: Bytes
    is_present: bool


class SteadyWindow:
    """Holds the glances of a few neighbouring frames and the motion between them; frames are added in order."""

    def __init__(self) -> None:
        self._glances: dict[int, Glance] = {}
        self._motions: dict[tuple[int, int], Motion] = {}

    def add(self, index: int, glance: Glance) -> None:
        """Take frame `index`, find its motion from and to the one before, forget what no later frame will ask for."""
        before = self._glances.get(index - 1)
        if before is not None and before.is_present and glance.is_present:
            self._motions[index - 1, index], self._motions[index, index - 1] = _motion_near(before, glance)
        self._glances[index] = glance
        oldest = index - 2 * REACH
        self._glances.pop(oldest - 1, None)
        self._motions.pop((oldest - 1, oldest), None)
        self._motions.pop((oldest, oldest - 1), None)

    def coverage(self, index: int) -> Bytes:
        """Median of a frame's own coverage and its four neighbours'; an untrusted neighbour repeats the frame's own.

        A hand that moves too fast to be followed is thus left as the networks saw it.
        """
        own = self._glances[index].coverage
        return median_of_five(own, *self._brought(index, 1), *self._brought(index, -1))

    def _brought(self, index: int, direction: int) -> tuple[Bytes, Bytes]:
        """Coverage of the next two frames in a direction, brought to `index`."""
        own = self._glances[index].coverage
        near, far = index + direction, index + 2 * direction
        to_near, to_far = self._motions.get((index, near)), self._motions.get((near, far))
        if to_near is None:
            return own, own
        from_near = _heard(self._glances[near], to_near, own)
        return from_near, own if to_far is None else _heard(self._glances[far], to_near.then(to_far), own)


def median_of_five(a: Bytes, b: Bytes, c: Bytes, d: Bytes, e: Bytes) -> Bytes:
    """Median of five maps at each pixel, by a network of minima and maxima (30 times faster than np.median)."""
    low, high = np.minimum, np.maximum
    a, b = low(a, b), high(a, b)
    d, e = low(d, e), high(d, e)
    middle_left, middle_right = high(a, d), low(b, e)
    low_side, high_side = low(middle_left, middle_right), high(middle_left, middle_right)
    return np.asarray(low(high(low_side, c), high_side))


def _heard(there: Glance, motion: Motion, own: Bytes) -> Bytes:
    return np.where(motion.trusted, warp(there.coverage, motion.field), own)


def _motion_near(first: Glance, second: Glance) -> tuple[Motion, Motion]:
    """Motion both ways round the performer; elsewhere it is nil and untrusted."""
    part = part_round(np.maximum(first.coverage, second.coverage) > _FAINT, _MARGIN_PX)
    onward, back = motion_both_ways(first.grey[part].copy(), second.grey[part].copy())
    return _placed(onward, part, first.grey.shape), _placed(back, part, first.grey.shape)


def _placed(motion: Motion, part: Part, shape: tuple[int, ...]) -> Motion:
    field, trusted = np.zeros((*shape, 2), np.float32), np.zeros(shape, np.bool_)
    field[part], trusted[part] = motion.field, motion.trusted
    return Motion(field, trusted)
