# SPDX-License-Identifier: GPL-3.0-or-later
"""Points of the set found again in every frame by comparing it with one reference, its relief being roughly known.

What is followed from frame to frame drifts, most of all along stripes of a floor that shears as the camera travels.
Here every frame is shown as the reference sees it, so that patches look alike, and no error adds up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .geometry import Points, is_inside, is_set_at, read_at

Picture = NDArray[np.float32]
Region = NDArray[np.bool_]
Show = Callable[[int], tuple[Picture, Region]]
"""Shows a frame as the reference sees it: colours `h w 3` in 0..255, and where the set is seen."""

_MOST_POINTS = 1200
_APART = 1 / 60
"""Least distance of two points, in picture heights."""
_CONTRAST = 4.0
_WINDOW_PX = 15
_RETURN_PX = 0.5
_MOST_OFF = 0.05
"""A point that lies farther from where the relief has it, in picture heights, is taken for another one."""


@dataclass(frozen=True, slots=True)
class Sightings:
    """Of n sightings: which point, in which frame of the segment, and its place `n 2` in the picture of `Show`.

    points: `p 2`, where the reference has them. say: `p 2 2`, of each: the root of its patch's information, 1 across
    its strongest edge and less along it.
    """

    point: NDArray[np.intp]
    turn: NDArray[np.intp]
    place: Points
    points: Points
    say: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reference:
    """One picture of the set stitched from whole parts of some frames, and the points that are looked for."""

    colour: Picture
    grey: NDArray[np.uint8]
    points: Points
    say: NDArray[np.float64]


def stitch(show: Show, keys: Iterable[int]) -> Reference:
    """Take from each key frame what those before it did not see. No point is chosen near a seam."""
    colour: Picture | None = None
    for key in keys:
        picture, seen = show(key)
        if colour is None:
            colour, part = np.zeros_like(picture), np.zeros(seen.shape, np.int32)
        new = seen & (part == 0)
        colour[new], part[new] = picture[new], key + 1
    assert colour is not None
    part_low, part_high = (change(part.astype(np.float32), _square()) for change in (cv2.erode, cv2.dilate))
    whole = (part_low == part_high) & (part > 0)
    grey = _evened(colour)
    apart = max(3.0, grey.shape[0] * _APART)
    found = cv2.goodFeaturesToTrack(grey, _MOST_POINTS, 0.003, apart, mask=whole.astype(np.uint8))
    points = np.zeros((0, 2), np.float32) if found is None else found.reshape(-1, 2).astype(np.float32)
    return Reference(colour, grey, points, _information(grey, points))


def look_again(reference: Reference, show: Show, turns: Iterable[int], middle: int) -> Sightings:
    """Find the reference's points in frames, from the middle outward: a point's error changes little between frames."""
    listed = sorted(turns) if len(reference.points) else []
    outward = [turn for turn in listed if turn >= middle], [turn for turn in reversed(listed) if turn < middle]
    found: list[tuple[NDArray[np.intp], int, Points]] = []
    for order in outward:
        off = np.zeros_like(reference.points)
        for turn in order:
            places, good = _find(reference, *show(turn), off)
            off[good] = (places - reference.points)[good]
            found.append((np.flatnonzero(good), turn, places[good]))
    if not found:
        none = np.zeros(0, np.intp)
        return Sightings(none, none, reference.points, reference.points, reference.say)
    point = np.concatenate([point for point, _, _ in found])
    turn_of = np.concatenate([np.full(len(point), turn) for point, turn, _ in found])
    places = np.concatenate([places for _, _, places in found])
    return Sightings(point, turn_of.astype(np.intp), places, reference.points, reference.say)


def _find(reference: Reference, picture: Picture, seen: Region, off: Points) -> tuple[Points, Region]:
    clear = cv2.erode(seen.astype(np.uint8), _square(), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    grey = _evened(np.where(seen[..., None], picture, reference.colour))
    points = reference.points
    search: Any = {"winSize": (_WINDOW_PX, _WINDOW_PX), "maxLevel": 2, "flags": cv2.OPTFLOW_USE_INITIAL_FLOW}
    moved, found, _ = cv2.calcOpticalFlowPyrLK(reference.grey, grey, points, points + off, **search)
    there = np.asarray(moved, np.float32)
    back, returned, _ = cv2.calcOpticalFlowPyrLK(grey, reference.grey, there, points.copy(), **search)
    good = (found.ravel() > 0) & (returned.ravel() > 0) & (np.linalg.norm(back - points, axis=1) < _RETURN_PX)
    good &= np.linalg.norm(there - points, axis=1) < _MOST_OFF * grey.shape[0]
    return there, good & is_inside(there, grey.shape[1], grey.shape[0]) & is_set_at(np.asarray(clear, np.uint8), there)


def _information(grey: NDArray[np.uint8], points: Points) -> NDArray[np.float64]:
    """Tell what a patch knows of its place in each direction, from how its brightness changes."""
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    products = cv2.blur(np.stack([across * across, across * down, down * down], 2), (_WINDOW_PX, _WINDOW_PX))
    xx, xy, yy = read_at(products, points, cv2.INTER_LINEAR).astype(np.float64).T
    values, ways = np.linalg.eigh(np.stack([np.stack([xx, xy], 1), np.stack([xy, yy], 1)], 1))
    roots = np.sqrt(np.maximum(values, 0) / np.maximum(values[:, 1:], 1e-9))
    return np.asarray(np.einsum("nik,nk,njk->nij", ways, roots, ways))


def _square() -> NDArray[np.uint8]:
    """Make the reach of a patch: what is nearer to a seam or to a performer looks at both sides."""
    return np.ones((9, 9), np.uint8)


def _evened(colour: Picture) -> NDArray[np.uint8]:
    grey = cv2.cvtColor(np.clip(colour, 0, 255).astype(np.uint8), cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.createCLAHE(_CONTRAST, (8, 8)).apply(grey), np.uint8)
