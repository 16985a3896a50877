# SPDX-License-Identifier: GPL-3.0-or-later
"""The body's joints by name, and what is assumed of those that the character's picture does not show.

Points are mediapipe's 33 pose points; left and right are the figure's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from .raster import Floats

NOSE, LEFT_EAR, RIGHT_EAR = 0, 7, 8
LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, RIGHT_HIP = 11, 12, 23, 24
SHOULDERS: Final = (LEFT_SHOULDER, RIGHT_SHOULDER)
HIPS: Final = (LEFT_HIP, RIGHT_HIP)


@dataclass(frozen=True, slots=True)
class Limb:
    """Joints from the trunk outwards; `tips` are the points past the last joint (fingers; heel and toe)."""

    name: str
    root: int
    middle: int
    end: int
    tips: tuple[int, ...]

    @property
    def joints(self) -> tuple[int, int, int]:
        """Root, middle and end."""
        return self.root, self.middle, self.end


ARMS: Final = (Limb("left_arm", 11, 13, 15, (17, 19)), Limb("right_arm", 12, 14, 16, (18, 20)))
LEGS: Final = (Limb("left_leg", 23, 25, 27, (29, 31)), Limb("right_leg", 24, 26, 28, (30, 32)))

SEEN = 0.5
"""Score from which a joint of the character's picture is believed."""

_THIGH_OF_TORSO, _SHIN_OF_TORSO = 0.85, 0.82
_FOOT_OF_TORSO, _ANKLE_OF_TORSO = 0.3, 0.15
_TORSO_OF_SHOULDERS = 1.45
_UPPER_ARM_OF_TORSO, _FOREARM_OF_TORSO = 0.58, 0.5


def complete(body: Floats, score: Floats) -> Floats:
    """Give the joints that a picture does not show the places of a standing figure. `33 2` pixels from `33 3`.

    The ratios to the trunk's length are Winter's segment lengths (Biomechanics of Human Movement, 4.1), rounded.
    """
    joints = np.array(body[:, :2], np.float32)
    neck = joints[list(SHOULDERS)].mean(0)
    across = joints[LEFT_SHOULDER] - joints[RIGHT_SHOULDER]
    width = max(float(np.linalg.norm(across)), 1e-3)
    if score[list(HIPS)].min() < SEEN:
        guess = joints[list(HIPS)].mean(0) - neck
        length = float(np.clip(np.linalg.norm(guess), 1.2 * width, 1.7 * width)) if guess[1] > 0 else 0.0
        centre = neck + np.array((0, length or _TORSO_OF_SHOULDERS * width))
        joints[LEFT_HIP], joints[RIGHT_HIP] = centre + 0.3 * across, centre - 0.3 * across
    torso = float(np.linalg.norm(joints[list(HIPS)].mean(0) - neck))
    for limb, lengths in [(arm, (_UPPER_ARM_OF_TORSO, _FOREARM_OF_TORSO)) for arm in ARMS] + [
        (leg, (_THIGH_OF_TORSO, _SHIN_OF_TORSO)) for leg in LEGS
    ]:
        _complete_limb(joints, score, limb, torso, lengths)
    return joints


def _complete_limb(joints: Floats, score: Floats, limb: Limb, torso: float, lengths: tuple[float, float]) -> None:
    """Let what is unseen of a limb hang down."""
    outwards = 0.15 * np.sign(joints[limb.root, 0] - joints[list(SHOULDERS), 0].mean()) if limb in ARMS else 0.0
    down = np.array((outwards, 1.0), np.float32)
    if score[limb.middle] < SEEN:
        joints[limb.middle] = joints[limb.root] + lengths[0] * torso * down
    if score[limb.end] < SEEN:
        joints[limb.end] = joints[limb.middle] + lengths[1] * torso * down
        forearm = joints[limb.end] - joints[limb.middle]
        for tip in limb.tips:
            joints[tip] = joints[limb.end] + 0.3 * forearm
    if limb in LEGS and score[limb.end] < SEEN:
        heel, toe = limb.tips
        joints[heel] = joints[limb.end] + np.array((0, 0.13 * torso), np.float32)
        joints[toe] = joints[limb.end] + np.array((0, _FOOT_OF_TORSO * torso), np.float32)


def figure_height(joints: Floats) -> float:
    """Standing height of a figure in pixels of its joints (`33 2`, completed): sole to crown along the bones."""
    neck, hips = joints[list(SHOULDERS)].mean(0), joints[list(HIPS)].mean(0)
    legs = [
        np.linalg.norm(joints[leg.root] - joints[leg.middle]) + np.linalg.norm(joints[leg.middle] - joints[leg.end])
        for leg in LEGS
    ]
    head = np.linalg.norm(joints[NOSE] - neck) * 1.6
    torso = np.linalg.norm(hips - neck)
    return float(head + torso + max(legs) + _ANKLE_OF_TORSO * torso)
