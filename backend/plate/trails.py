# SPDX-License-Identifier: GPL-3.0-or-later
"""Points of the set followed from frame to frame.

Steps are short, so that a point of a pattern that repeats is not mistaken for the next one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .geometry import Points, is_inside, is_set_at

_MOST_POINTS = 700
_APART = 1 / 50
"""Least distance of two points, in picture heights."""
_CONTRAST = 4.0
"""How far contrast is evened out over the picture, so that a dull floor has its points as well as a bright wall."""
_RETURN_PX = 0.5
_LEAST_SIGHTINGS = 3
_SHORTEST_SPAN = 4


@dataclass(frozen=True, slots=True)
class Trails:
    """Sightings, `n` each. point: whose, from 0 without gaps. turn: in which picture. place: `n 2`, its pixels."""

    point: NDArray[np.intp]
    turn: NDArray[np.intp]
    place: Points


def follow_trails(pictures: Iterable[tuple[NDArray[np.uint8], NDArray[np.uint8]]]) -> Trails:
    """Follow corners through pictures (grey `h w`, and the same size: 255 where the set is seen, else 0)."""
    walk = _Walk()
    for grey, free in pictures:
        walk.step(grey, free)
    return walk.trails()


class _Walk:
    """The points now followed, and all sightings so far."""

    def __init__(self) -> None:
        self._grey: NDArray[np.uint8] | None = None
        self._names = np.zeros(0, np.intp)
        self._places = np.zeros((0, 2), np.float32)
        self._speeds = np.zeros((0, 2), np.float32)
        self._next_name, self._turn = 0, 0
        self._sightings: list[tuple[NDArray[np.intp], int, Points]] = []

    def step(self, grey: NDArray[np.uint8], free: NDArray[np.uint8]) -> None:
        """Follow into the next picture, and take up new points where there are none."""
        grey = np.asarray(cv2.createCLAHE(_CONTRAST, (8, 8)).apply(grey), np.uint8)
        # A window that looks at a performer's edge would go with the performer.
        clear = cv2.erode(free, np.ones((9, 9), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
        if self._grey is not None and len(self._names):
            self._follow(self._grey, grey, np.asarray(clear, np.uint8))
        self._take_up(grey, np.asarray(clear, np.uint8))
        self._sightings.append((self._names, self._turn, self._places))
        self._grey, self._turn = grey, self._turn + 1

    def trails(self) -> Trails:
        """List the sightings of the points that were seen for long enough to tell anything."""
        names = np.concatenate([names for names, _, _ in self._sightings])
        turns = np.concatenate([np.full(len(names), turn) for names, turn, _ in self._sightings])
        places = np.concatenate([places for _, _, places in self._sightings])
        long = np.bincount(names, minlength=1) >= min(max(_LEAST_SIGHTINGS, self._turn // 8), _SHORTEST_SPAN)
        new_name = np.cumsum(long) - 1
        kept = long[names]
        return Trails(new_name[names[kept]], turns[kept].astype(np.intp), places[kept])

    def _follow(self, last: NDArray[np.uint8], grey: NDArray[np.uint8], clear: NDArray[np.uint8]) -> None:
        guess = self._places + self._speeds
        search: Any = {"winSize": (15, 15), "maxLevel": 2, "flags": cv2.OPTFLOW_USE_INITIAL_FLOW}
        moved, found, _ = cv2.calcOpticalFlowPyrLK(last, grey, self._places, guess, **search)
        there = np.asarray(moved, np.float32)
        back, returned, _ = cv2.calcOpticalFlowPyrLK(grey, last, there, self._places.copy(), **search)
        height, width = grey.shape
        good = (found.ravel() > 0) & (returned.ravel() > 0)
        good &= np.linalg.norm(back - self._places, axis=1) < _RETURN_PX
        good &= is_inside(there, width, height) & is_set_at(clear, there)
        self._speeds = (there - self._places)[good]
        self._names, self._places = self._names[good], there[good]

    def _take_up(self, grey: NDArray[np.uint8], clear: NDArray[np.uint8]) -> None:
        wanted = _MOST_POINTS - len(self._names)
        apart = max(3.0, grey.shape[0] * _APART)
        room = clear.copy()
        for x, y in np.rint(self._places).astype(int):
            cv2.circle(room, (int(x), int(y)), round(apart), 0, -1)
        found = cv2.goodFeaturesToTrack(grey, wanted, 0.003, apart, mask=room) if wanted > 0 else None
        if found is None:
            return
        new = found.reshape(-1, 2).astype(np.float32)
        names = self._next_name + np.arange(len(new))
        self._next_name += len(new)
        self._names = np.concatenate([self._names, names])
        self._speeds = np.concatenate([self._speeds, self._speeds_near(new)])
        self._places = np.concatenate([self._places, new])

    def _speeds_near(self, places: Points) -> Points:
        """Guess that new points go on like the nearest that are followed already."""
        if not len(self._places):
            return np.zeros_like(places)
        away = np.square(places[:, None] - self._places[None]).sum(2)
        return np.asarray(self._speeds[away.argmin(1)], np.float32)
