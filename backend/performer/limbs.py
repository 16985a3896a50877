# SPDX-License-Identifier: GPL-3.0-or-later
"""The performer's limbs and hands as a drawing: what must be covered even where the segmentation lost it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .tracks import Tracks

Points = NDArray[np.float32]

_SEEN_SCORE = 0.5
_LIMB_RADIUS = 0.07
"""Half the width of the tube, in torso lengths: inside a bare arm of a slim adult."""
_FOOT_SHARE = 1 / 3
"""Thickness of the lines between ankle, heel and toes in that of a limb: those points lie at a shoe's outline."""
_FINGER_WIDTH = 0.3
"""In lengths of the palm (wrist to the middle finger's root)."""
_MITTEN_WIDTH = 0.22
"""In lengths of the forearm."""
_SHIFT_BITS = 4
"""Sub-pixel bits of OpenCV's drawing calls."""

_LIMBS = (11, 13), (13, 15), (12, 14), (14, 16), (23, 25), (25, 27), (24, 26), (26, 28)
_FEET = (27, 29), (29, 31), (27, 31), (28, 30), (30, 32), (28, 32)
_LEFT_ARM, _RIGHT_ARM = (13, 15, 17, 19, 21), (14, 16, 18, 20, 22)
"""Elbow, wrist, roots of the little and the index finger, tip of the thumb."""
_TORSO = (11, 12, 24, 23)
_PALM = (0, 1, 5, 9, 13, 17)
_FINGERS = ((1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))


def draw_limbs(tracks: Tracks, frame: int, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Draw torso, limb tubes, palms and fingers of one frame that were seen: `h w`, 0 or 255.

    Limbs and torso lie inside the body; hands are about as thick as they are.
    """
    drawing = np.zeros(shape, np.uint8)
    body, seen = tracks.body[frame, :, :2], tracks.body_score[frame] > _SEEN_SCORE
    width = max(1, round(2 * _LIMB_RADIUS * torso_length(body)))
    for bones, thickness in ((_LIMBS, width), (_FEET, max(1, round(_FOOT_SHARE * width)))):
        for start, end in bones:
            if seen[start] and seen[end]:
                _polyline(drawing, body[[start, end]], thickness)
    if seen[list(_TORSO)].all():
        cv2.fillConvexPoly(drawing, cv2.convexHull(_fixed(body[list(_TORSO)])), 255, shift=_SHIFT_BITS)
    return drawing | draw_hands(tracks, frame, shape)


def draw_hands(tracks: Tracks, frame: int, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Draw palms and fingers, or where a hand was not found but its wrist seen, the body's own points of it."""
    drawing = np.zeros(shape, np.uint8)
    body, seen = tracks.body[frame, :, :2], tracks.body_score[frame] > _SEEN_SCORE
    for hand, score, (elbow, wrist, *tips) in (
        (tracks.left_hand[frame, :, :2], tracks.left_hand_score[frame], _LEFT_ARM),
        (tracks.right_hand[frame, :, :2], tracks.right_hand_score[frame], _RIGHT_ARM),
    ):
        if score > _SEEN_SCORE:
            _hand(drawing, hand)
        elif seen[wrist]:
            _mitten(drawing, body[wrist], body[tips], float(np.linalg.norm(body[wrist] - body[elbow])))
    return drawing


def torso_length(body: NDArray[np.float32]) -> float:
    """Length of the torso in pixels, or the shoulders' width where foreshortening or a crop makes that longer."""
    shoulders, hips = body[[11, 12]], body[[23, 24]]
    return float(max(np.linalg.norm(shoulders.mean(0) - hips.mean(0)), np.linalg.norm(shoulders[0] - shoulders[1])))


def _mitten(drawing: NDArray[np.uint8], wrist: Points, tips: Points, forearm_px: float) -> None:
    width = max(1, round(_MITTEN_WIDTH * forearm_px))
    for tip in tips:
        _polyline(drawing, np.stack([wrist, tip]), width)


def _hand(drawing: NDArray[np.uint8], points: NDArray[np.float32]) -> None:
    width = max(1, round(_FINGER_WIDTH * float(np.linalg.norm(points[9] - points[0]))))
    cv2.fillPoly(drawing, [_fixed(points[list(_PALM)])], 255, shift=_SHIFT_BITS)
    for finger in _FINGERS:
        _polyline(drawing, points[list(finger)], width)


def _polyline(drawing: NDArray[np.uint8], points: NDArray[np.float32], width: int) -> None:
    cv2.polylines(drawing, [_fixed(points)], False, 255, width, shift=_SHIFT_BITS)


def _fixed(points: NDArray[np.float32]) -> NDArray[np.int32]:
    return np.asarray(np.round(points * 2**_SHIFT_BITS), np.int32)
