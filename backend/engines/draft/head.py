# SPDX-License-Identifier: GPL-3.0-or-later
"""The head as a relief: how it turns out of the picture's plane and carries the face's expression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import face
from .character import Points
from .motion import skull
from .raster import Floats

_NEIGHBOURS = 6
_RIM = 1.8
"""Half axes of the head's outline beside those of the face's oval."""
_RIM_TURNS = 0.35
"""How much of a turn's foreshortening reaches the outline: the picture has nothing to show beyond it."""
_SPREAD = 0.07
"""Reach of a face point's shift on the head around it, face heights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadPose:
    """One frame of a head. pivot: x y of the skull's middle in the frame. scale: frame pixels per picture pixel.

    roll: radians. tilt: `3 3`. expression: `468 2`, picture pixels. eyes_open: `2`, right and left, 1 as
    in the picture, 0 closed. facing: 1, or -1 for a head from behind, mirrored.
    """

    pivot: Floats
    scale: float
    roll: float
    tilt: Floats
    expression: Floats
    eyes_open: Floats
    facing: float


class Relief:
    """Some points of the head with their depth, ready to be turned."""

    def __init__(self, points: Floats, depth: Floats, turning: Floats, centre: Floats, spread: Floats | None) -> None:
        """points: `v 2`; depth and turning (the share of a tilt they take): `v`; spread: `v 468`, or each its own."""
        self._local = np.concatenate([points - centre[:2], (depth - centre[2])[:, None]], 1).astype(np.float32)
        self._turning, self._spread = turning[:, None].astype(np.float32), spread

    @classmethod
    def of_face(cls, points: Points) -> Relief:
        """Take the 468 points of the face."""
        turning = np.ones(len(points.face), np.float32)
        return cls(points.face[:, :2], points.face[:, 2], turning, skull(points), None)

    @classmethod
    def around_face(cls, places: Floats, points: Points) -> Relief:
        """Take points of the picture near the face. Their depth goes from the face's to the skull's middle."""
        centre = skull(points)
        oval = points.face[list(face.OVAL)]
        middle = oval[:, :2].mean(0)
        half = np.maximum(np.ptp(oval[:, :2], axis=0) / 2, 1e-3)
        radius = np.linalg.norm((places - middle) / half, axis=1)
        rim = middle + (oval[:, :2] - middle) * _RIM
        known = np.concatenate([points.face[:, :2], rim])
        depths = np.concatenate([points.face[:, 2], np.full(len(rim), centre[2])])
        depth = _interpolated(places, known, depths)
        outward = np.clip((radius - 1) / (_RIM - 1), 0, 1)
        outward = outward * outward * (3 - 2 * outward)
        turning = 1 - (1 - _RIM_TURNS) * outward
        depth = depth * (1 - outward) + centre[2] * outward
        return cls(places, depth.astype(np.float32), turning, centre, _spread(places, points.face))

    def placed(self, pose: HeadPose) -> tuple[Floats, Floats]:
        """Where the points go in the frame, `v 2`, and their depth there, `v` (smaller is nearer)."""
        moved = self._local.copy()
        moved[:, :2] += pose.expression if self._spread is None else self._spread @ pose.expression
        turned = moved @ pose.tilt.T
        flat = moved[:, :2] + self._turning * (turned - moved)[:, :2]
        c, s = np.cos(pose.roll), np.sin(pose.roll)
        flat = flat * np.array((pose.facing, 1), np.float32)
        rolled = flat @ np.array(((c, s), (-s, c)), np.float32)
        return (pose.pivot + pose.scale * rolled).astype(np.float32), turned[:, 2]


def _interpolated(places: Floats, known: Floats, values: Floats) -> Floats:
    """Inverse distance weighting of the nearest known points. Shepard 1968."""
    distance = np.linalg.norm(places[:, None] - known[None], axis=-1)
    nearest = np.argsort(distance, axis=1, kind="stable")[:, :_NEIGHBOURS]
    weight = 1 / (np.take_along_axis(distance, nearest, 1) ** 2 + 1.0)
    return np.asarray((weight * values[nearest]).sum(1) / weight.sum(1), np.float32)


def _spread(places: Floats, points: Floats) -> Floats:
    """How much each place follows each face point's shift, `v 468`; nothing far from the face."""
    distance = np.linalg.norm(places[:, None] - points[None, :, :2], axis=-1)
    reach = _SPREAD * face.face_height(points)
    weight = np.exp(-0.5 * (distance / reach) ** 2)
    return np.asarray(weight / (weight.sum(1, keepdims=True) + 0.5), np.float32)
