# SPDX-License-Identifier: GPL-3.0-or-later
"""The face as the motion encoder sees it: cut out round 68 landmarks and stretched to a square."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from .reference import RGB8

FACE_SIZE_PX = 512
_AREA_GAIN = 1.3
"""The cut-out's area to that of the landmarks' box."""


class FaceBox(NamedTuple):
    """Pixels of a frame, ends exclusive."""

    left: int
    right: int
    top: int
    bottom: int


def face_box(landmarks: NDArray[np.floating], width_px: int, height_px: int) -> FaceBox:
    """Give the box round landmarks `n 2` in pixels, enlarged, within the frame.

    Three quarters of the extra height are above, for the forehead. Landmarks on one spot or outside give an empty box.
    """
    (left, top), (right, bottom) = landmarks.min(axis=0), landmarks.max(axis=0)
    extra = math.sqrt(_AREA_GAIN) - 1
    beside, below = extra * (right - left) / 2, extra * (bottom - top) / 4
    return FaceBox(
        left=int(max(left - beside, 0)),
        right=int(min(right + beside, width_px)),
        top=int(max(top - 3 * below, 0)),
        bottom=int(min(bottom + below, height_px)),
    )


def face_crop(frame: RGB8, box: FaceBox | None) -> RGB8:
    """Cut out a face and stretch it to 512 x 512, bilinearly; black where there is none or its box is empty."""
    if box is None or box.left >= box.right or box.top >= box.bottom:
        return np.zeros((FACE_SIZE_PX, FACE_SIZE_PX, 3), np.uint8)
    piece = frame[box.top : box.bottom, box.left : box.right]
    return np.asarray(cv2.resize(piece, (FACE_SIZE_PX, FACE_SIZE_PX)), np.uint8)
