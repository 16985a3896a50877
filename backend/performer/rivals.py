# SPDX-License-Identifier: GPL-3.0-or-later
"""Two people where they pass each other: whose body it is that was found, and a look for who is behind it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from .appearance import Appearance, leaning, likeness
from .detect import Body
from .people import SAME_LIKENESS, Person
from .window import Box, Picture, overlap

_FAR_SIDE = 0.0
"""A candidate is the other's if by its clothes it lies beyond this, -1 being the person and 1 the other."""

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


def covered_by(body: Body) -> NDArray[np.bool_]:
    """Give what somebody covers of the frame, `h w`."""
    return np.asarray(body.window.paste(body.mask) > 128, np.bool_)


def without(frame: Picture, body: Body) -> Picture:
    """Paint somebody over who stands before or beside a person: the network gives only the plainest of the two."""
    painted = frame.copy()
    painted[covered_by(body)] = np.median(body.window.picture.reshape(-1, 3), axis=0)
    return painted
