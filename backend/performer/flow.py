# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion between neighbouring frames, and how far it can be trusted at each pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Field = NDArray[np.float32]
Mask = NDArray[np.bool_]
Depth = TypeVar("Depth", np.uint8, np.float32)

_RETURN_ERROR_PX = 1.5
"""A pixel carried to the other frame and back must land this near to where it started."""
_COLOUR_ERROR = 24
"""Largest difference (of 255) between a pixel and the one it came from, both a little blurred."""
_LEAST_SIDE_PX = 16
"""Smaller pictures are continued to this size: the estimator refuses them."""


@dataclass(frozen=True, slots=True)
class Motion:
    """Displacement x y in pixels that leads from each pixel of one frame to another frame, and where to believe it.

    field: `h w 2` float32. trusted: `h w` bool.
    """

    field: Field
    trusted: Mask

    def then(self, later: Motion) -> Motion:
        """Lead on: from this motion's frame through the middle one to the frame that `later` leads to."""
        field = self.field + warp(later.field, self.field)
        return Motion(field, self.trusted & (warp(later.trusted.astype(np.uint8), self.field) > 0))


def motion_both_ways(first: Bytes, second: Bytes) -> tuple[Motion, Motion]:
    """Estimate motion first -> second and second -> first. Kroeger et al. 2016 (DIS).

    first, second: grey `h w` uint8. A pixel is trusted when the way there and back closes and its grey value arrives.
    """
    onward, back = estimated(first, second), estimated(second, first)
    first, second = _blurred(first), _blurred(second)
    return _judged(onward, back, first, second), _judged(back, onward, second, first)


def warp(image: NDArray[Depth], field: Field) -> NDArray[Depth]:
    """Fetch each pixel of the result from `image` at its own place plus `field`; outside, the border's value."""
    empty = np.empty(0, np.float32)
    moved = cv2.remap(image, grid_of(field), empty, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, image.dtype)


def grid_of(field: Field) -> Field:
    """Absolute positions x y of `field`'s displaced pixels, `h w 2`."""
    height, width = field.shape[:2]
    grid = field.copy()
    grid[..., 0] += np.arange(width, dtype=np.float32)
    grid[..., 1] += np.arange(height, dtype=np.float32)[:, None]
    return grid


def estimated(first: Bytes, second: Bytes) -> Field:
    """Estimate the motion first -> second, `h w 2`, of grey pictures `h w` uint8."""
    height, width = first.shape
    room = 0, max(0, _LEAST_SIDE_PX - height), 0, max(0, _LEAST_SIDE_PX - width)
    first, second = (_bytes(cv2.copyMakeBorder(grey, *room, cv2.BORDER_REPLICATE)) for grey in (first, second))
    estimator = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    field = estimator.calc(first, second, None)  # type: ignore[call-overload]
    return np.asarray(field, np.float32)[:height, :width]


def _judged(field: Field, back: Field, here: Bytes, there: Bytes) -> Motion:
    """Attach where a field is to be trusted."""
    gap = field + warp(back, field)
    closes = np.square(gap[..., 0]) + np.square(gap[..., 1]) < _RETURN_ERROR_PX**2
    return Motion(field, closes & (cv2.absdiff(here, warp(there, field)) < _COLOUR_ERROR))


def _blurred(grey: Bytes) -> Bytes:
    return _bytes(cv2.GaussianBlur(grey, (3, 3), 0))


def _bytes(image: cv2.typing.MatLike) -> Bytes:
    return np.asarray(image, np.uint8)
