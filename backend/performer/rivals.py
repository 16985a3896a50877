# SPDX-License-Identifier: GPL-3.0-or-later
"""Two people where they pass each other: whose body it is that was found, and a look for who is behind it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from .appearance import Appearance, leaning, likeness
from .detect import Body
from .people import SAME_LIKENESS, Person
from .points import TRUNK
from .window import Box, Picture, overlap

_FAR_SIDE = 0.0
"""A candidate is the other's if by its clothes it lies beyond this, -1 being the person and 1 the other."""

_COURSE_FRAMES, _MOST_COURSE_FRAMES = 6, 12
"""Over so many sightings a course is taken, and so long it holds."""

_OFF_COURSE = 0.15
"""How far, in lengths of the trunk, one who is passed by somebody may be from the course that led there."""

_OFF_PER_LOST_FRAME = 0.02

_NEAR = 0.1
"""Overlap with where the other is believed to be from which a candidate may be the other at all."""


def is_doubtful(looks: Appearance, box: Box, frame: int, person: Person, rivals: Iterable[Person]) -> bool:
    """Tell whether a candidate of such looks, in such a box, is one of the rivals or made up of both.

    However near to the person's last place it lies: where two cross, the one in front is at the place of both.
    """
    near = [rival for rival in rivals if overlap(rival.box_at(frame), box) > _NEAR]
    if near and likeness(looks, person.looks) < SAME_LIKENESS:
        return True
    return any(leaning(looks, person.looks, rival.looks) > _FAR_SIDE for rival in near)


def is_near(box: Box, frame: int, rivals: Iterable[Person]) -> bool:
    """Tell whether one of the rivals is believed to be where a candidate is."""
    return any(overlap(rival.box_at(frame), box) > _NEAR for rival in rivals)


class Course:
    """Where somebody was of late, and where that leads: people pass each other steadily."""

    def __init__(self) -> None:
        self._at: deque[tuple[int, NDArray[np.float32]]] = deque(maxlen=_COURSE_FRAMES)

    def add(self, frame: int, body: Body) -> None:
        """Take a sighting."""
        self._at.append((frame, trunk_centre(body)))

    def leads_to(self, frame: int) -> NDArray[np.float32] | None:
        """Give the middle of the trunk, x y, if the person goes on evenly; None where too little is known."""
        if len(self._at) < _COURSE_FRAMES // 2 or abs(frame - self._at[-1][0]) > _MOST_COURSE_FRAMES:
            return None
        frames, places = np.array([at for at, _ in self._at]), np.stack([place for _, place in self._at])
        slope, start = np.polyfit(frames - frames[-1], places, 1)
        return np.asarray(start + slope * (frame - frames[-1]), np.float32)


def trunk_centre(body: Body) -> NDArray[np.float32]:
    """Give the middle of a body's trunk, x y."""
    return np.asarray(body.points[list(TRUNK), :2].mean(0), np.float32)


def is_off_course(body: Body, expected: NDArray[np.float32], trunk_px: float, lost_frames: int) -> bool:
    """Tell whether a candidate is not where the person's course leads. trunk_px: the usual length of the trunk."""
    away_px = float(np.linalg.norm(trunk_centre(body) - expected))
    return away_px > (_OFF_COURSE + _OFF_PER_LOST_FRAME * lost_frames) * trunk_px


def covered_by(body: Body) -> NDArray[np.bool_]:
    """Give what somebody covers of the frame, `h w`."""
    return np.asarray(body.window.paste(body.mask) > 128, np.bool_)


def without(frame: Picture, body: Body) -> Picture:
    """Paint somebody over who stands before or beside a person: the network gives only the plainest of the two."""
    painted = frame.copy()
    painted[covered_by(body)] = np.median(body.window.picture.reshape(-1, 3), axis=0)
    return painted
