# SPDX-License-Identifier: GPL-3.0-or-later
"""The body adapter's input: a figure drawn as coloured sticks on black, to the pixel as the model was trained.

No face is drawn. Colours are RGB.
"""

from __future__ import annotations

import colorsys
import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from .reference import RGB8

Points = NDArray[np.float64]
"""`n 3`: x and y in pixels, score 0..1."""

NOSE, NECK, R_SHOULDER, R_ELBOW, R_WRIST, L_SHOULDER, L_ELBOW, L_WRIST = range(8)
R_HIP, R_KNEE, R_ANKLE, L_HIP, L_KNEE, L_ANKLE, R_EYE, L_EYE, R_EAR, L_EAR, L_TOE, R_TOE = range(8, 20)
_WHOLE_BODY_SOURCES: Final = (
    (0, 6, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3, 17, 20),
    (0, 5, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3, 18, 21),
)
"""Each joint is the mean of two of the 133 points, score and all: the neck of the shoulders, toes of their sides."""
FACE: Final = slice(23, 91)
LEFT_HAND: Final = slice(91, 112)
RIGHT_HAND: Final = slice(112, 133)
"""Of the 133 points (COCO-WholeBody)."""

LIMBS: Final = (
    (NECK, R_SHOULDER),
    (NECK, L_SHOULDER),
    (R_SHOULDER, R_ELBOW),
    (R_ELBOW, R_WRIST),
    (L_SHOULDER, L_ELBOW),
    (L_ELBOW, L_WRIST),
    (NECK, R_HIP),
    (R_HIP, R_KNEE),
    (R_KNEE, R_ANKLE),
    (NECK, L_HIP),
    (L_HIP, L_KNEE),
    (L_KNEE, L_ANKLE),
    (NECK, NOSE),
    (NOSE, R_EYE),
    (R_EYE, R_EAR),
    (NOSE, L_EYE),
    (L_EYE, L_EAR),
    (L_ANKLE, L_TOE),
    (R_ANKLE, R_TOE),
)
"""In the order in which they are drawn, each from the trunk outward."""
_COLOURS: Final = (
    (255, 0, 0),
    (255, 85, 0),
    (255, 170, 0),
    (255, 255, 0),
    (170, 255, 0),
    (85, 255, 0),
    (0, 255, 0),
    (0, 255, 85),
    (0, 255, 170),
    (0, 255, 255),
    (0, 170, 255),
    (0, 85, 255),
    (0, 0, 255),
    (85, 0, 255),
    (170, 0, 255),
    (255, 0, 255),
    (255, 0, 170),
    (255, 0, 85),
)
_LIMB_COLOURS: Final = (*_COLOURS, (200, 200, 0))
_JOINT_COLOURS: Final = (*_COLOURS, (200, 200, 0), (100, 100, 0))
_HAND_EDGES: Final = tuple((tip - 1 if tip % 4 != 1 else 0, tip) for tip in range(1, 21))
"""From the wrist, point 0, along each finger."""
_HAND_POINT_COLOUR: Final = (0, 0, 255)
_SEEN: Final = 0.5
"""Score from which a point is drawn."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What is drawn of a performer in one frame. body: 20 joints; hands: 21 points each, the first is drawn first."""

    body: Points
    hands: tuple[Points, Points]

    @classmethod
    def of(cls, points: Points) -> Figure:
        """Take a figure from the 133 points of COCO-WholeBody; its left hand is drawn first."""
        first, second = (points[list(rows)] for rows in _WHOLE_BODY_SOURCES)
        return cls((first + second) / 2, (points[LEFT_HAND], points[RIGHT_HAND]))


def draw_figure(figure: Figure, width_px: int, height_px: int) -> RGB8:
    """Draw limbs, then joints, then both hands, on a black canvas."""
    canvas = np.zeros((height_px, width_px, 3), np.uint8)
    stick = max(int(min(height_px, width_px) / 200) - 1, 1)
    _draw_limbs(canvas, figure.body, stick)
    for point, colour in zip(figure.body, _JOINT_COLOURS, strict=True):
        if point[2] >= _SEEN:
            cv2.circle(canvas, (int(point[0]), int(point[1])), stick, colour, thickness=-1)
    for hand in figure.hands:
        _draw_hand(canvas, hand, max(stick // 2, 1))
    return canvas


def _draw_limbs(canvas: RGB8, body: Points, stick: int) -> None:
    for (start, end), colour in zip(LIMBS, _LIMB_COLOURS, strict=True):
        (x0, y0, score0), (x1, y1, score1) = body[start], body[end]
        if min(score0, score1) < _SEEN:
            continue
        centre = int((x0 + x1) / 2), int((y0 + y1) / 2)
        axes = int(math.hypot(y0 - y1, x0 - x1) / 2), stick
        turn_deg = int(math.degrees(math.atan2(y0 - y1, x0 - x1)))
        outline = np.array(cv2.ellipse2Poly(centre, axes, turn_deg, 0, 360, 1))
        cv2.fillConvexPoly(canvas, outline, [int(0.6 * channel) for channel in colour])


def _draw_hand(canvas: RGB8, hand: Points, stick: int) -> None:
    """Draw bones in the colours of the rainbow, then points; none that touch the left or upper edge."""
    pixels = [(int(x), int(y)) for x, y, _ in hand]
    shown = [score >= _SEEN and min(pixel) >= 1 for pixel, score in zip(pixels, hand[:, 2], strict=True)]
    for index, (start, end) in enumerate(_HAND_EDGES):
        if shown[start] and shown[end]:
            colour = [255 * channel for channel in colorsys.hsv_to_rgb(index / len(_HAND_EDGES), 1.0, 1.0)]
            cv2.line(canvas, pixels[start], pixels[end], colour, thickness=stick)
    for pixel, is_shown in zip(pixels, shown, strict=True):
        if is_shown:
            cv2.circle(canvas, pixel, stick, _HAND_POINT_COLOUR, thickness=-1)
