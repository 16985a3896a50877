# SPDX-License-Identifier: GPL-3.0-or-later
"""Square windows that are cut out of a frame for a network, and the way back into the frame.

Boxes are `4` float32: x0 y0 x1 y1 in pixels of the frame. Points are in pixels, whole numbers are pixel centres.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

Box = NDArray[np.float32]
Points = NDArray[np.float32]
Picture = NDArray[np.uint8]


def box_round(points: Points) -> Box:
    """Give the smallest box that holds all points, `n 2` or more columns."""
    return np.asarray([*points[:, :2].min(0), *points[:, :2].max(0)], np.float32)


def square(box: Box, scale: float = 1.0) -> Box:
    """Give the square of the same centre whose side is `scale` times the box's longer side."""
    centre, half = (box[:2] + box[2:]) / 2, max(box[2] - box[0], box[3] - box[1]) / 2 * scale
    return np.asarray([*(centre - half), *(centre + half)], np.float32)


def overlap(a: Box, b: Box) -> float:
    """Give the intersection over union of two boxes, 0..1."""
    size = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    shared = float(np.prod(np.maximum(size, 0)))
    return shared / max(area(a) + area(b) - shared, 1e-6)


def area(box: Box) -> float:
    """Give a box's area in square pixels; 0 if it is turned inside out."""
    return float(np.prod(np.maximum(box[2:] - box[:2], 0)))


def share_within(a: Box, b: Box) -> float:
    """Give the part of box `a` that lies in box `b`, 0..1."""
    size = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    return float(np.prod(np.maximum(size, 0))) / max(area(a), 1e-6)


def frame_box(frame: Picture) -> Box:
    """Give the box of a whole frame."""
    return np.array([0, 0, frame.shape[1], frame.shape[0]], np.float32)


@dataclass(frozen=True, slots=True)
class Window:
    """A square of a frame: its left and top edge, its side, and the picture in it, black outside the frame.

    picture: `n n 3` uint8, made smaller than the side where that is more than a network can use.
    frame_size_px: width and height of the frame.
    """

    left: int
    top: int
    side_px: int
    picture: Picture
    frame_size_px: tuple[int, int]

    @classmethod
    def cut(cls, frame: Picture, box: Box, most_px: int) -> Self:
        """Cut the square of a box out of a frame, `h w 3` uint8."""
        x0, y0, x1, _ = square(box)
        left, top, side = int(np.floor(x0)), int(np.floor(y0)), max(int(np.ceil(x1 - x0)), 2)
        height, width = frame.shape[:2]
        inside = frame[max(top, 0) : max(top + side, 0), max(left, 0) : max(left + side, 0)]
        above, before = min(max(-top, 0), side), min(max(-left, 0), side)
        below, after = side - above - inside.shape[0], side - before - inside.shape[1]
        picture = _padded(inside, (above, below, before, after), side)
        if side > most_px:
            picture = np.asarray(cv2.resize(picture, (most_px, most_px), interpolation=cv2.INTER_AREA), np.uint8)
        return cls(left, top, side, picture, (width, height))

    @property
    def box(self) -> Box:
        """The window's own box."""
        return np.array([self.left, self.top, self.left + self.side_px, self.top + self.side_px], np.float32)

    def to_frame(self, points: Points) -> Points:
        """Turn points in parts of the window (0..1 from edge to edge, z alike) into pixels of the frame."""
        corner = np.array([self.left - 0.5, self.top - 0.5, 0], np.float32)
        return (points * self.side_px + corner).astype(np.float32)

    def paste(self, mask: NDArray[Any]) -> NDArray[Any]:
        """Lay a picture of the window, `n n`, into an empty frame, `h w` of the same type."""
        width, height = self.frame_size_px
        full = np.zeros((height, width), mask.dtype)
        x0, y0 = max(self.left, 0), max(self.top, 0)
        x1, y1 = min(self.left + self.side_px, width), min(self.top + self.side_px, height)
        if x1 > x0 and y1 > y0:
            mask = cv2.resize(mask, (self.side_px, self.side_px), interpolation=cv2.INTER_LINEAR)
            full[y0:y1, x0:x1] = mask[y0 - self.top : y1 - self.top, x0 - self.left : x1 - self.left]
        return full


def _padded(inside: Picture, edges: tuple[int, int, int, int], side: int) -> Picture:
    if inside.size == 0:
        return np.zeros((side, side, 3), np.uint8)
    return np.asarray(cv2.copyMakeBorder(inside, *edges, cv2.BORDER_CONSTANT, value=(0, 0, 0)), np.uint8)
