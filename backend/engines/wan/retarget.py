# SPDX-License-Identifier: GPL-3.0-or-later
"""A performer's motion on the character's bones, in animate mode: directions from the one, lengths from the other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .body import (
    L_ANKLE,
    L_HIP,
    L_TOE,
    L_WRIST,
    LIMBS,
    NECK,
    NOSE,
    R_ANKLE,
    R_HIP,
    R_TOE,
    R_WRIST,
    Figure,
    Points,
)

_LEFT_SHOULDER_LIMBS: Final = slice(0, 2)
_EQUAL_LIMBS: Final = ((0, 1), (2, 4), (3, 5), (6, 9), (7, 10), (8, 11), (17, 18))
"""Left and right of the trunk, arms, legs and feet: either gets the larger ratio."""
_EVEN_LIMBS: Final = ((13, 15), (14, 16))
"""Left and right of the head: either gets the mean ratio."""
_FOOT_LIMBS: Final = ((18, 8), (17, 11))
"""A foot, and the shin of which it may be half as long at most."""
_SURE, _SEEN = 0.5, 0.4
"""Scores above which a joint measures a height, and from which it counts as visible."""


class Visible(IntEnum):
    """How much of a person a picture shows."""

    HALF_BODY = 0
    THREE_QUARTER_BODY = 1
    FULL_BODY = 2


@dataclass(frozen=True, slots=True)
class Posed:
    """The 133 points of one picture, in its pixels, and that picture's size."""

    points: Points
    width_px: int
    height_px: int

    @property
    def size(self) -> NDArray[np.float64]:
        """Width and height, as factors for points given as parts of the picture."""
        return np.array([self.width_px, self.height_px, 1.0])

    @property
    def normalised(self) -> Figure:
        """The figure in parts of the picture, 0..1."""
        return Figure.of(self.points / self.size)


@dataclass(frozen=True, slots=True)
class Retarget:
    """What one frame of the performer and the character's picture say; it holds for the whole shot.

    ratios: `19`, of the character's limbs to the performer's, the picture scaled by `scale` to the performer's height.
    offset: x and y from the scaled picture to the driving frame, pixels. visible: the lesser of both pictures.
    """

    ratios: NDArray[np.float64]
    scale: float
    offset: NDArray[np.float64]
    visible: Visible

    @classmethod
    def measured(cls, driving: Posed, reference: Posed) -> Retarget:
        """Measure; the official system takes the shot's first frame as `driving`."""
        scale = _height_ratio(driving, reference)
        scaled_size = np.array([int(reference.width_px * scale), int(reference.height_px * scale), 1.0])
        ours, theirs = driving.normalised.body * driving.size, reference.normalised.body * scaled_size
        ratios = _balanced(_ratios(_lengths(theirs), _lengths(ours)))
        visible = min(_visible(driving.normalised.body), _visible(reference.normalised.body))
        walked = _walk(ours, ratios, short_feet=False)
        return cls(ratios, scale, _offset(walked, theirs, visible), visible)

    def figure(self, driving: Posed) -> Figure:
        """Give a driving frame's figure in pixels of the character's picture; its scores are the driving frame's.

        Here it is the hand at the right wrist that is drawn first, as the official system does.
        """
        moved = driving.normalised
        old = moved.body * driving.size
        new = _walk(old, self.ratios, short_feet=True)
        new[:, :2] = (new[:, :2] - self.offset) / self.scale
        return Figure(new, self._hands(moved.hands, old, new, driving.size))

    def _hands(
        self, hands: tuple[Points, Points], old: Points, new: Points, size: NDArray[np.float64]
    ) -> tuple[Points, Points]:
        """Scale both hands and put them at the new wrists; a right hand nearer to the left wrist is a left hand."""
        left, right = (self._scaled_hand(hand) for hand in hands)
        shifts = [
            new[wrist, :2] - old[wrist, :2] + (old[wrist, :2] - hand[0, :2] * size[:2] if hand[0, 2] else 0.0)
            for wrist, hand in ((R_WRIST, right), (L_WRIST, left))
        ]
        to_right, to_left = (math.dist(old[wrist, :2], right[0, :2] * size[:2]) for wrist in (R_WRIST, L_WRIST))
        if to_right > to_left:
            right, left = left, right
        return _placed(right, size, shifts[0]), _placed(left, size, shifts[1])

    def _scaled_hand(self, hand: Points) -> Points:
        """Scale a hand about its wrist; points that are not seen get a score of 0."""
        ratio = max(self.ratios[_LEFT_SHOULDER_LIMBS]) / self.scale
        scaled = hand * [ratio, ratio, 1.0] - hand[0] * [ratio - 1, ratio - 1, 0.0]
        scaled[hand[:, 2] < _SEEN] = (-1.0, -1.0, 0.0)
        return np.asarray(scaled)


def _height_ratio(driving: Posed, reference: Posed) -> float:
    """How much taller the performer is than the character, by nose to ankles or hips where both show them."""
    for joints in ((R_ANKLE, L_ANKLE), (R_HIP, L_HIP)):
        bodies = [posed.normalised.body * posed.size for posed in (driving, reference)]
        if all(min(body[[NOSE, *joints], 2]) > _SURE for body in bodies):
            ours, theirs = (abs(np.mean(body[list(joints), 1]) - body[NOSE, 1]) for body in bodies)
            return float(ours / theirs)
    ours, theirs = (math.sqrt(posed.width_px * posed.height_px) for posed in (driving, reference))
    return ours / theirs


def _lengths(body: Points) -> NDArray[np.float64]:
    return np.array([math.dist(body[start, :2], body[end, :2]) for start, end in LIMBS])


def _ratios(theirs: NDArray[np.float64], ours: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide; a limb of no length, whose joints were not told apart, keeps its own."""
    return np.divide(theirs, ours, out=np.ones_like(ours), where=ours > 0)


def _balanced(ratios: NDArray[np.float64]) -> NDArray[np.float64]:
    balanced = ratios.copy()
    for pair in _EQUAL_LIMBS:
        balanced[list(pair)] = max(ratios[list(pair)])
    for pair in _EVEN_LIMBS:
        balanced[list(pair)] = np.mean(ratios[list(pair)])
    return balanced


def _walk(body: Points, ratios: NDArray[np.float64], *, short_feet: bool) -> Points:
    """Lay the limbs anew from the neck outward: each keeps its direction and gets its length times its ratio."""
    lengths = ratios * _lengths(body)
    for foot, shin in _FOOT_LIMBS if short_feet else ():
        lengths[foot] = min(lengths[foot], 0.5 * lengths[shin])
    walked = body.copy()
    for (start, end), length in zip(LIMBS, lengths, strict=True):
        (x0, y0), (x1, y1) = body[start, :2], body[end, :2]
        angle = math.atan2(y0 - y1, x0 - x1)
        walked[end, :2] = walked[start, :2] - length * np.array([math.cos(angle), math.sin(angle)])
    return walked


def _visible(body: Points) -> Visible:
    def shows(*joints: int) -> bool:
        return all(body[joint, 1] <= 1 and body[joint, 2] >= _SEEN for joint in joints)

    if shows(R_HIP, R_ANKLE, L_HIP, L_ANKLE):
        return Visible.FULL_BODY
    return Visible.THREE_QUARTER_BODY if shows(R_HIP, L_HIP) else Visible.HALF_BODY


def _offset(walked: Points, reference: Points, visible: Visible) -> NDArray[np.float64]:
    """Bring hips over hips and feet onto the same ground where whole bodies are seen, else neck over neck."""
    if visible is not Visible.FULL_BODY:
        return np.asarray(walked[NECK, :2] - reference[NECK, :2])
    hips_x = [np.mean(body[[R_HIP, L_HIP], 0]) for body in (walked, reference)]
    ground = max(np.mean(reference[[R_ANKLE, R_TOE], 1]), np.mean(reference[[L_ANKLE, L_TOE], 1]))
    return np.array([hips_x[0] - hips_x[1], max(walked[[R_ANKLE, L_ANKLE], 1]) - ground])


def _placed(hand: Points, size: NDArray[np.float64], shift: NDArray[np.float64]) -> Points:
    """Bring a hand to whole pixels; what is not seen keeps its score of 0 and is not drawn."""
    placed = hand * size
    placed[:, :2] = np.trunc(placed[:, :2] + shift)
    return placed
