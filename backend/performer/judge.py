# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a pose can be believed. mediapipe's own visibility says 0.99 of a pose whose shoulders lie on the hat.

Body, face mesh and segmentation come from networks that know nothing of each other, so that their agreement tells.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .detect import Body, Mask
from .points import (
    ANKLES,
    FACE_CHIN,
    FACE_TOP,
    LEFT_EYE,
    LEFT_HIP,
    LEFT_MOUTH,
    LEFT_SHOULDER,
    LIMBS,
    NOSE,
    RIGHT_EYE,
    RIGHT_HIP,
    RIGHT_MOUTH,
    RIGHT_SHOULDER,
    TRUNK,
)
from .window import Points, overlap

GOOD = 0.75
"""Consistency from which no other window of the frame is tried."""

ACCEPTED = 0.5
"""Consistency from which a pose is a track; below it the frame counts as failed."""

FACELESS = 0.8
"""Most that a pose can have without a face beside it: backs are to be tracked, but a face would have told more."""

_WIDEST_SHOULDERS = 3.5
"""In face heights (forehead to chin)."""


_LEAST_SHRUNK = 0.88
"""Part of its usual length that a trunk at the frame's edge must have."""

_SHRUNK_PER_LOST_FRAME = 0.02

_MOST_TURN_DEG_A_FRAME = 60.0
"""Twice what a somersault makes of 24 frames a second."""


def consistency(body: Body, face: Points | None, mask: Mask) -> float:
    """Say how well body, face mesh and coverage agree, 0..1.

    face: `468 3` or None. mask: `n m` uint8 of `body.window`, of whatever person is there.
    """
    head = FACELESS * _neck_without_face(body) if face is None else min(_neck(body, face), _nose(body, face))
    return head * (0.5 + 0.5 * _covered(body, mask))


def continuity(body: Body, before: Body) -> float:
    """Say how near a pose lies to an earlier one of the same person, 1 for equal, 0 from 0.6 body widths."""
    near = [NOSE, LEFT_SHOULDER, RIGHT_SHOULDER]
    moved = np.linalg.norm(body.points[near, :2] - before.points[near, :2], axis=1).mean()
    return max(0.0, 1 - float(moved) / (0.6 * body_width(before.points)))


def keeps_shape(body: Body, before: Body, trunk_px: float, lost_frames: int) -> bool:
    """Tell whether a body cut by the frame's left or right edge still has the trunk it had, of so many pixels.

    The network squeezes a whole body into what is left of one who walks out.
    """
    hips = [LEFT_HIP, RIGHT_HIP]
    columns = before.points[list(LIMBS), 0]
    width = body.window.frame_size_px[0]
    reach = 1.5 * body_width(before.points)
    if (reach < columns.min() and columns.max() < width - reach) or not before.inside[hips].any():
        return True
    return trunk_length(body) > (_LEAST_SHRUNK - _SHRUNK_PER_LOST_FRAME * lost_frames) * trunk_px


def trunk_length(body: Body) -> float:
    """Give the distance in pixels from the middle of the shoulders to the middle of the hips."""
    points = body.points[:, :2]
    return float(np.linalg.norm(points[list(TRUNK[:2])].mean(0) - points[list(TRUNK[2:])].mean(0)))


def turns_over(before: Points, after: Points, frames_between: int) -> bool:
    """Tell whether a body, `33 3` twice, turns further in so many frames than anybody can in the picture's plane.

    It is the line from the shoulders' middle to the ankles' that turns; one who crouches has none to speak of.
    """
    (x0, y0), (x1, y1) = lines = [
        points[list(ANKLES), :2].mean(0) - points[list(TRUNK[:2]), :2].mean(0) for points in (before, after)
    ]
    if any(np.linalg.norm(line) < body_width(points) for line, points in zip(lines, (before, after), strict=True)):
        return False
    turn_deg = np.degrees(abs(np.arctan2(x0 * y1 - y0 * x1, x0 * x1 + y0 * y1)))
    return bool(turn_deg > _MOST_TURN_DEG_A_FRAME * frames_between)


def same_person(a: Body, b: Body) -> bool:
    """Tell whether two candidates of one frame are one person found twice."""
    trunk = np.linalg.norm(a.points[list(LIMBS[:4]), :2] - b.points[list(LIMBS[:4]), :2], axis=1).mean()
    return bool(trunk < 0.35 * body_width(a.points)) or overlap(a.box, b.box) > 0.7


def body_width(points: Points) -> float:
    """Give a length in pixels that stands for a body's size, also from the side: shoulders or half the trunk.

    points: `33 3` in pixels.
    """
    left, right, right_hip, left_hip = points[list(TRUNK), :2]
    trunk = float(np.linalg.norm((left + right) / 2 - (left_hip + right_hip) / 2))
    return max(float(np.linalg.norm(left - right)), 0.5 * trunk, 1.0)


def trunk_shift(then: Points, now: Points) -> NDArray[np.float32]:
    """Give how far a trunk has gone to the right and down, `2`: the median of its joints, one of which may be wrong.

    then, now: `33 3` in pixels.
    """
    return np.asarray(np.median((now - then)[list(TRUNK), :2], axis=0), np.float32)


def _neck(body: Body, face: Points) -> float:
    """Ask that the shoulders lie beyond the chin as the face itself points, and are no wider than shoulders are."""
    down = face[FACE_CHIN, :2] - face[FACE_TOP, :2]
    height = max(float(np.linalg.norm(down)), 1.0)
    shoulders = body.points[[LEFT_SHOULDER, RIGHT_SHOULDER], :2]
    beyond = float((shoulders.mean(0) - face[FACE_CHIN, :2]) @ down) / height**2
    width = float(np.linalg.norm(shoulders[0] - shoulders[1])) / height
    return min(_ramp(beyond, -0.15, 0.05), _ramp(width, _WIDEST_SHOULDERS + 1, _WIDEST_SHOULDERS))


def _nose(body: Body, face: Points) -> float:
    """Ask that the pose's nose lies within the face mesh."""
    hull = cv2.convexHull(np.ascontiguousarray(face[:, :2]))
    x, y = body.points[NOSE, :2]
    inside_px = cv2.pointPolygonTest(hull, (float(x), float(y)), measureDist=True)
    return _ramp(inside_px / max(float(np.ptp(face[:, 1])), 1.0), -0.25, 0.0)


def _neck_without_face(body: Body) -> float:
    points = body.points[:, :2]
    mouth, eyes = points[[LEFT_MOUTH, RIGHT_MOUTH]].mean(0), points[[LEFT_EYE, RIGHT_EYE]].mean(0)
    neck = np.linalg.norm(points[[LEFT_SHOULDER, RIGHT_SHOULDER]].mean(0) - mouth)
    return _ramp(float(neck) / max(float(np.linalg.norm(mouth - eyes)), 1.0), 0.8, 1.4)


def _covered(body: Body, mask: Mask) -> float:
    """Give the part of the visible joints that lie on a person."""
    joints = [index for index in (NOSE, *LIMBS) if body.score[index] > 0.5]
    if not joints:
        return 0.0
    at = (body.points[joints, :2] - body.window.box[:2] + 0.5) * np.divide(mask.shape[::-1], body.window.size_px)
    columns, rows = np.clip(at.astype(int), 0, np.subtract(mask.shape[::-1], 1)).T
    # a joint at the rim of a limb counts too
    return float((cv2.dilate(mask, np.ones((9, 9), np.uint8))[rows, columns] > 100).mean())


def _ramp(value: float, at_0: float, at_1: float) -> float:
    return float(np.clip((value - at_0) / (at_1 - at_0), 0, 1))
