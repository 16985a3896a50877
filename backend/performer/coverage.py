# SPDX-License-Identifier: GPL-3.0-or-later
"""Rough mattes of one performer from two independent segmentations."""

from __future__ import annotations

import cv2
import numpy as np

from .detect import Body, Detector, Mask
from .points import BONES, HEAD, LEFT_SHOULDER, RIGHT_SHOULDER, TRUNK
from .window import Box, Picture, Points, box_round

_NEAR_PX = 128
_NEAR = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (11, 11))
"""How far from the pose's coverage that of any person counts: 4 % of the window, on a small picture of it."""

_LIMB = 0.5
"""Thickness of a limb with its sleeve, in shoulder widths."""

_HEAD = 2.2
"""Diameter of a head with hair, in sizes of the pose's head points."""


def coverage(body: Body, person: Mask) -> Mask:
    """Give the mean of two segmentations, `n m` uint8 of the body's window.

    person: the segmenter's, of whoever is there; it counts only near what the pose network gives to this body.
    """
    near = cv2.resize(body.mask, (_NEAR_PX, _NEAR_PX), interpolation=cv2.INTER_AREA)
    near = cv2.GaussianBlur(cv2.dilate(near, _NEAR), (0, 0), _NEAR.shape[0] / 4)
    own = np.minimum(person, cv2.resize(near, person.shape[::-1], interpolation=cv2.INTER_LINEAR))
    return np.asarray(cv2.addWeighted(body.mask, 0.5, own, 0.5, 0), np.uint8)


def bridged_coverage(detector: Detector, frame: Picture, points: Points, box: Box) -> Mask:
    """Give the coverage of a body whose pose is only interpolated: what is a person, near its bones.

    points: `33 3` in pixels of the frame. Returns `h w` uint8.
    """
    window = detector.clear_window(frame, box)
    person = window.paste(detector.person_mask(window))
    near = np.zeros(frame.shape[:2], np.uint8)
    width = float(np.linalg.norm(points[LEFT_SHOULDER, :2] - points[RIGHT_SHOULDER, :2]))
    at = np.round(points[:, :2]).astype(np.int32)
    for start, end in BONES:
        cv2.line(near, at[start].tolist(), at[end].tolist(), 255, max(int(_LIMB * width), 1))
    cv2.fillConvexPoly(near, cv2.convexHull(at[list(TRUNK)]), 255)
    head = box_round(points[list(HEAD)])
    centre, size = (head[:2] + head[2:]) / 2, float(np.linalg.norm(head[2:] - head[:2]))
    cv2.circle(near, np.round(centre).astype(int).tolist(), int(_HEAD * size / 2), 255, -1)
    return np.asarray(np.minimum(person, cv2.GaussianBlur(near, (0, 0), max(width / 12, 0.5))), np.uint8)
