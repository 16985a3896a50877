# SPDX-License-Identifier: GPL-3.0-or-later
"""The performer's cast shadow: darker than the same place at other times, of like chroma, hanging on the feet.

A shadow that never leaves its place is part of the set as far as the shot can tell, and is not found.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .geometry import is_inside, project, read_at, scaling
from .hole import grow
from .samples import View, Witnesses
from .show import stabilised

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
_USUAL_AREA = 0.05
"""A performer's share of the picture, where not all of one is seen."""
_SOFT_PX = 4.0
"""How far a shadow's soft edge reaches, in pixels at working height."""
_SMOOTH_PX = 1.5
_MOST_UNREST, _UNREST_OF_LOSS = 0.12, 0.4
"""A ratio that differs more than this from pixel to pixel is a pattern out of line; and this much of the light lost."""
_LEAST_CODE = 12.0
_GROW = 0.01

Small = NDArray[np.float32]


class LitSet:
    """The set without moving shadows, small, as the ground's picture has it."""

    def __init__(self, witnesses: Witnesses, place: View) -> None:
        members = np.flatnonzero(witnesses.camera.segment == place.segment)
        picks = members[np.unique(np.linspace(0, len(members) - 1, min(len(members), _MOST_LOOKS)).astype(int))]
        self._witnesses, self._place = witnesses, place
        ordered = np.sort(np.stack([self._look(int(pick)) for pick in picks]), axis=0)
        seen = np.isfinite(ordered[..., 0]).sum(0)
        rank = np.maximum(np.ceil(_BRIGHT * (seen - 1)), 0).astype(np.intp)
        lit = np.take_along_axis(ordered, rank[None, :, :, None], 0)[0]
        self._lit = np.where(np.isfinite(lit), lit, 0).astype(np.float32)

    def _look(self, index: int) -> Small:
        picture, seen = stabilised(self._witnesses, self._place, index, self._witnesses.shift)
        size = (max(1, picture.shape[1] // 2), max(1, picture.shape[0] // 2))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        usable = cv2.resize(seen.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.999
        return np.where(usable[..., None], small, np.inf).astype(np.float32)

    def behind(self, index: int, size: tuple[int, int]) -> Small:
        """Show the lit set as frame `index` would see it, at a size (width, height); 0 where it is unknown."""
        view = self._witnesses.view(index)
        columns, rows = np.meshgrid(np.arange(size[0], dtype=np.float32), np.arange(size[1], dtype=np.float32))
        from_small = np.linalg.inv(scaling(size[0] / view.size[0], size[1] / view.size[1]))
        points = project(np.stack([columns.ravel(), rows.ravel()], 1), from_small)
        height, width = self._lit.shape[:2]
        to_lit = scaling(width / self._place.size[0], height / self._place.size[1])
        places = project(self._witnesses.settled(view, points), to_lit)
        lit = read_at(self._lit, places, cv2.INTER_LINEAR) * is_inside(places, width, height)[:, None]
        return np.asarray(lit.reshape(size[1], size[0], 3) * (view.gain / self._place.gain), np.float32)


def shadow_of(frame: NDArray[Any], hole: NDArray[np.bool_], lit: LitSet, index: int) -> NDArray[np.bool_]:
    """Find the cast shadow of the performers in a hole (`h w`), small: what hangs on their feet.

    Without any performer it is what comes in over the picture's edge: the shadow of somebody who has just left.
    """
    small = _shrink(frame)
    height, width = small.shape[:2]
    behind = lit.behind(index, (width, height))
    covered = cv2.resize(hole.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA) > 0
    known = (behind.min(2) > _LEAST_CODE) & ~covered
    ratio, unrest = _darkening(small, behind, known)
    mean = ratio.mean(2)
    even = (np.abs(ratio - mean[..., None]).max(2) < _CHROMA) & known & (mean > _BLACK)
    dark = _opened(even & (mean < _CORE) & (unrest < _UNREST_OF_LOSS * (1 - mean)))
    soft = even & (mean < _PENUMBRA) & (unrest < _MOST_UNREST)
    core = _hanging(_closed(dark) & ~covered, covered)
    return np.asarray(core | (soft & grow(core, _SOFT_PX)))


def enlarged(found: NDArray[np.bool_], hole: NDArray[Any]) -> NDArray[np.bool_]:
    """Bring a small region to the size of a hole, its soft edge included."""
    if not found.any():
        return np.zeros(hole.shape, bool)
    full = cv2.resize(found.astype(np.float32), hole.shape[::-1], interpolation=cv2.INTER_LINEAR) > 0.25
    return grow(full, _GROW * len(hole))


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


def _hanging(dark: NDArray[np.bool_], covered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep the parts that begin at the feet; none if they are small: more likely errors than shadows.

    Who is not in the picture, or goes out at its side, may have feet beyond that side.
    """
    area = float(np.count_nonzero(covered))
    kept = _touching(dark & _in_reach(covered), _round_the_feet(covered))
    sides = np.zeros_like(dark)
    for side in (0, -1):
        sides[:, side] = covered[:, side].any() or not area
    if sides.any():
        kept |= _touching(dark, sides)
        area = max(area, _USUAL_AREA * dark.size)
    return kept if np.count_nonzero(kept) >= _LEAST_AREA * area else np.zeros_like(kept)


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


def _shrink(frame: NDArray[Any]) -> Small:
    """Scale a frame down to working height, in 0..255."""
    height, width = frame.shape[:2]
    factor = min(1.0, _WORK_HEIGHT_PX / height)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray(small * np.float32(255 / np.iinfo(frame.dtype).max), np.float32)


def _opened(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Drop what is thinner than three pixels: edges that are a little out of line, not shadows."""
    return np.asarray(cv2.morphologyEx(region.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0)


def _closed(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Bridge the edges of a pattern, where a shadow is not told from a misfit."""
    return np.asarray(cv2.morphologyEx(region.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)) > 0)


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
