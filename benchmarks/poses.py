# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured of poses: pure functions of points in pixels, x right and y down. A height is nose to ankles."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]

COCO_JOINTS = (0, 2, 5, 7, 8, *range(11, 17), *range(23, 29))
"""Nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles: the 17 that most trackers are judged by."""

TRUNK = (11, 12, 23, 24)
FEET = ((29, 31), (30, 32))
"""Heel and toes, left and right."""

_ANKLES = (27, 28)
_CHIN, _FOREHEAD, _NOSE_TIP = 152, 10, 1
_EYE_CORNERS = (33, 263)
"""Outer ones, the performer's right first: in a face that looks into the camera it is at the left of the picture."""
_LIPS = (13, 14)
_NOSE_REACH = 0.55
"""How far a nose's tip lies before the eyes' outer corners, in parts of the distance between those."""


def height_px(body: Floats) -> Floats:
    """Nose to the middle of the ankles: `f` of `f 33 c`."""
    return np.asarray(np.linalg.norm(body[:, 0, :2] - body[:, _ANKLES, :2].mean(axis=1), axis=-1))


def distances(points: Floats, others: Floats, height: Floats) -> Floats:
    """Tell how far points lie from each other, in parts of each frame's height: `f n` of `f n 2` twice and `f`."""
    return np.asarray(np.linalg.norm(points - others, axis=-1) / height[:, None])


def share_within(errors: Floats, counted: Flags, missed: Flags, limit: float) -> float:
    """PCK: the share of the counted joints, `f n`, whose error is at most `limit`; in missed frames, `f`, none is."""
    right = (errors <= limit) & ~missed[:, None]
    return float(right[counted].mean())


def head_agrees(body: Floats, face: Floats) -> bool:
    """Tell whether both shoulders are lower than the chin and the body's nose inside the outline of the face mesh."""
    if (body[[11, 12], 1] <= face[_CHIN, 1]).any():
        return False
    outline = cv2.convexHull(np.ascontiguousarray(face[:, :2], np.float32))
    return cv2.pointPolygonTest(outline, (float(body[0, 0]), float(body[0, 1])), False) >= 0


def head_yaw_deg(face: Floats) -> Floats:
    """Tell by how much a head is turned, `f` of a mesh `f 468 c`, from where the nose stands between the eyes.

    Positive towards the picture's right. Rolled heads count along the line of their eyes.
    """
    right, left = (face[:, corner, :2] for corner in _EYE_CORNERS)
    across = left - right
    nose = face[:, _NOSE_TIP, :2] - (left + right) / 2
    beside = (nose * across).sum(-1) / (across**2).sum(-1)
    return np.asarray(np.degrees(np.arctan(beside / _NOSE_REACH)))


def mouth_opening(face: Floats) -> Floats:
    """Distance of the lips' inner edges in parts of the face's height: `f` of a mesh `f 468 c`."""
    gap, tall = (
        np.linalg.norm(face[:, upper, :2] - face[:, lower, :2], axis=-1) for upper, lower in (_LIPS, (_FOREHEAD, _CHIN))
    )
    return np.asarray(gap / np.maximum(tall, 1e-6))


def correlation(one: Floats, other: Floats) -> float:
    """Pearson's, of two rows of numbers; 0 where one of them is constant."""
    one, other = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum() / scale) if scale > 0 else 0.0


def stretches(flags: Flags, least: int) -> list[tuple[int, int]]:
    """Find the first and last index, inclusive, of each run of at least so many true values in a row of flags."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= least]


def slips(drawn: Floats, real: Floats) -> Floats:
    """Tell by how many pixels a drawn foot leaves its place beside a real one that stands: `f` of `f 2` twice."""
    apart = drawn - real
    return np.asarray(np.linalg.norm(apart - np.median(apart, axis=0), axis=-1))
