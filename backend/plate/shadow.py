# SPDX-License-Identifier: GPL-3.0-or-later
"""The performer's cast shadow: darker than the same place at other times, of like chroma, hanging on the feet.

A shadow that never leaves its place is part of the set as far as the shot can tell, and is not found.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .camera import Camera, CameraKind
from .geometry import Pictures, scaling
from .hole import grow

_WORK_HEIGHT_PX = 180
_MOST_LOOKS = 24
_BRIGHT = 0.85
"""The lit set is this quantile over time: below the top so that noise and passing lights don't count."""
_CORE, _PENUMBRA, _BLACK = 0.85, 0.94, 0.15
"""Code values over the lit set's: below CORE is shadow, below PENUMBRA if it hangs on a core; BLACK is a thing."""
_CHROMA = 0.12
_FEET_REACH = 0.2
"""In performer heights."""
_REACH = 1.2
"""How far from the feet a shadow is looked for, in performer heights."""
_LEAST_AREA = 0.05
"""Of the performers' own area in the picture."""
_SMOOTH_PX = 1.5
_UNREST_STILL, _UNREST_MOVING = 0.12, 0.06
"""A ratio that differs more than this from pixel to pixel is a pattern out of line, which moving cameras leave."""
_LEAST_CODE = 12.0
_GROW = 0.01

Small = NDArray[np.float32]


class LitSet:
    """The set without moving shadows, small, in the view of one frame of its segment."""

    def __init__(self, frames: Pictures, holes: Pictures, camera: Camera, segment: int) -> None:
        members = np.flatnonzero(camera.segment == segment)
        picks = members[np.unique(np.linspace(0, len(members) - 1, min(len(members), _MOST_LOOKS)).astype(int))]
        self._camera = camera
        self._middle = int(picks[len(picks) // 2])
        looks = [self._look(frames[int(pick)], holes[int(pick)], int(pick)) for pick in picks]
        ordered = np.sort(np.stack(looks), axis=0)
        seen = np.isfinite(ordered[..., 0]).sum(0)
        rank = np.maximum(np.ceil(_BRIGHT * (seen - 1)), 0).astype(np.intp)
        lit = np.take_along_axis(ordered, rank[None, :, :, None], 0)[0]
        self._lit = np.where(np.isfinite(lit), lit, 0).astype(np.float32)

    @property
    def most_unrest(self) -> float:
        """How uneven a darkening may be and still be called a shadow."""
        return _UNREST_STILL if self._camera.kind is CameraKind.LOCKED_OFF else _UNREST_MOVING

    def _look(self, frame: NDArray[Any], hole: NDArray[Any], index: int) -> Small:
        small, to_small = shrink(frame)
        height, width = small.shape[:2]
        free = cv2.resize((hole == 0).astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
        camera = self._camera
        place = to_small @ np.linalg.inv(camera.to_ground[self._middle]) @ camera.to_ground[index]
        place = place @ np.linalg.inv(to_small)
        moved = cv2.warpPerspective(small, place, (width, height))
        usable = cv2.warpPerspective(free, place, (width, height)) > 0.999
        gain = camera.gain[self._middle] / camera.gain[index]
        return np.where(usable[..., None], moved * gain, np.inf).astype(np.float32)

    def behind(self, index: int, to_small: NDArray[np.floating[Any]]) -> Small:
        """Show the lit set as frame `index` would see it, small; 0 where it is unknown."""
        camera = self._camera
        place = to_small @ np.linalg.inv(camera.to_ground[index]) @ camera.to_ground[self._middle]
        place = place @ np.linalg.inv(to_small)
        height, width = self._lit.shape[:2]
        lit = cv2.warpPerspective(self._lit, place, (width, height))
        return np.asarray(lit * (camera.gain[index] / camera.gain[self._middle]), np.float32)


def shadow_of(frame: NDArray[Any], hole: NDArray[np.bool_], lit: LitSet, index: int) -> NDArray[np.bool_]:
    """Find the cast shadow of the performers in a hole (`h w`): the pixels to add to the hole."""
    small, to_small = shrink(frame)
    height, width = small.shape[:2]
    behind = lit.behind(index, to_small)
    covered = cv2.resize(hole.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA) > 0
    known = (behind.min(2) > _LEAST_CODE) & ~covered
    ratio, unrest = _darkening(small, behind, known)
    mean = ratio.mean(2)
    even = (np.abs(ratio - mean[..., None]).max(2) < _CHROMA) & known & (unrest < lit.most_unrest)
    dark = _opened(even & (mean < _CORE) & (mean > _BLACK))
    soft = even & (mean < _PENUMBRA) & (mean > _BLACK)
    found = _large(_touching(dark & _in_reach(covered), _round_the_feet(covered)), covered)
    found = _touching(
        (soft & _in_reach(covered)) | found, cv2.dilate(found.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    )
    if not found.any():
        return np.zeros_like(hole)
    full = cv2.resize(found.astype(np.float32), hole.shape[::-1], interpolation=cv2.INTER_LINEAR) > 0.25
    return grow(full, _GROW * len(hole)) & ~hole


def _darkening(small: Small, behind: Small, known: NDArray[np.bool_]) -> tuple[Small, Small]:
    """Give the light over the lit set's, smoothed `h w 3`, and its unrest `h w`: the share that differs by pixel.

    A shadow darkens a pattern as a whole. A pattern that is out of line is darker here and brighter there.
    """
    weight = known.astype(np.float32)
    light = cv2.GaussianBlur(small * weight[..., None], (0, 0), _SMOOTH_PX)
    lit = cv2.GaussianBlur(behind * weight[..., None], (0, 0), _SMOOTH_PX)
    ratio = light / np.maximum(lit, 1e-3)
    error = np.abs(small - ratio * behind).mean(2) / np.maximum((ratio * behind).mean(2), _LEAST_CODE)
    unrest = cv2.GaussianBlur(error * weight, (0, 0), 2 * _SMOOTH_PX) / (
        cv2.GaussianBlur(weight, (0, 0), 2 * _SMOOTH_PX) + 1e-3
    )
    return np.asarray(ratio, np.float32), np.asarray(unrest, np.float32)


def _large(region: NDArray[np.bool_], covered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Drop parts that are smaller than a share of the performers: more likely errors than shadows."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(region.astype(np.uint8))
    enough = stats[:, cv2.CC_STAT_AREA] >= _LEAST_AREA * np.count_nonzero(covered)
    enough[0] = False
    return np.asarray(enough[labels])


def _in_reach(covered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark what is at most so far from a performer's feet, in its heights, as a shadow reaches."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(covered.astype(np.uint8))
    near = np.zeros_like(covered)
    for label in range(1, count):
        height = stats[label, cv2.CC_STAT_HEIGHT]
        feet = np.zeros_like(covered)
        bottom = stats[label, cv2.CC_STAT_TOP] + height
        feet[bottom - max(1, height // 10) : bottom] = labels[bottom - max(1, height // 10) : bottom] == label
        near |= grow(feet, _REACH * height)
    return near


def shrink(frame: NDArray[Any]) -> tuple[Small, NDArray[np.floating[Any]]]:
    """Scale a frame down to working height as float32 in 0..255, and tell the map from its pixels to the small ones."""
    height, width = frame.shape[:2]
    factor = min(1.0, _WORK_HEIGHT_PX / height)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    small *= np.float32(255 / np.iinfo(frame.dtype).max)
    return small, scaling(size[0] / width, size[1] / height)


def _opened(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Drop what is thinner than three pixels: edges that are a little out of line, not shadows."""
    return np.asarray(cv2.morphologyEx(region.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0)


def _round_the_feet(covered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark each performer's lower half and what is near it: where a cast shadow begins.

    Near, not touching: on something black a shadow is not seen, and seems to begin beyond it.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(covered.astype(np.uint8))
    near = np.zeros_like(covered)
    for label in range(1, count):
        height = stats[label, cv2.CC_STAT_HEIGHT]
        middle = stats[label, cv2.CC_STAT_TOP] + height // 2
        lower = np.zeros_like(covered)
        lower[middle:] = labels[middle:] == label
        near |= grow(lower, max(2.0, _FEET_REACH * height))
    return near


def _touching(region: NDArray[np.bool_], anchor: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep the connected parts of a region that overlap the anchor."""
    _, labels = cv2.connectedComponents(region.astype(np.uint8), connectivity=8)
    met = np.unique(labels[anchor & region])
    return np.asarray(np.isin(labels, met[met > 0]) & region)
