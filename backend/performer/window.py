# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows that are cut out of a frame for a network, and the way back into the frame.

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

_COVERED = 128

_LEAST_OF_FOUR = 0.5
"""Part of its size down to which each pixel of a smaller picture is made of four: so far none is passed over, tracks
are as true as with means over areas, and it takes an eighth of their time."""


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


def within(points: Points, box: Box) -> NDArray[np.bool_]:
    """Tell which points lie in a box of pixels, `n`."""
    return np.asarray((points[:, :2] > box[:2] - 0.5).all(1) & (points[:, :2] < box[2:] - 0.5).all(1))


def frame_box(frame: Picture) -> Box:
    """Give the box of a whole frame."""
    return np.array([0, 0, frame.shape[1], frame.shape[0]], np.float32)


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of a frame: its left and top edge, its size, and the picture in it.

    It ends where the frame ends: a body that the network sees go on into black is drawn up into what is seen of it.
    picture: `n m 3` uint8, made smaller than the rectangle where that is more than a network can use.
    frame_size_px: width and height of the frame.
    """

    left: int
    top: int
    size_px: tuple[int, int]
    picture: Picture
    frame_size_px: tuple[int, int]

    @classmethod
    def cut(cls, frame: Picture, box: Box, most_px: int) -> Self:
        """Cut what a box and a frame, `h w 3` uint8, have in common; at least two pixels of the frame each way."""
        height, width = frame.shape[:2]
        x0, y0, x1, y1 = box
        left, top = (int(np.clip(np.floor(v), 0, end - 2)) for v, end in ((x0, width), (y0, height)))
        right, bottom = int(np.clip(np.ceil(x1), left + 2, width)), int(np.clip(np.ceil(y1), top + 2, height))
        picture = frame[top:bottom, left:right]
        smaller = most_px / max(picture.shape[:2])
        if smaller < 1:
            size = (max(round(smaller * (right - left)), 2), max(round(smaller * (bottom - top)), 2))
            made_of = cv2.INTER_LINEAR if smaller >= _LEAST_OF_FOUR else cv2.INTER_AREA
            picture = np.asarray(cv2.resize(picture, size, interpolation=made_of), np.uint8)
        return cls(left, top, (right - left, bottom - top), picture, (width, height))

    @property
    def box(self) -> Box:
        """The window's own box."""
        return np.array([self.left, self.top, self.left + self.size_px[0], self.top + self.size_px[1]], np.float32)

    @property
    def frame_box(self) -> Box:
        """The box of the frame that the window is of."""
        return np.array([0, 0, *self.frame_size_px], np.float32)

    def to_frame(self, points: Points) -> Points:
        """Turn points in parts of the window (x and z of its width, y of its height) into pixels of the frame."""
        corner = np.array([self.left - 0.5, self.top - 0.5, 0], np.float32)
        return np.asarray(points * (self.size_px[0], self.size_px[1], self.size_px[0]) + corner, np.float32)

    def cut_sides(self, mask: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Tell which of its sides run through what a mask of it, `n m`, covers: left, top, right, bottom.

        Those that are the frame's own sides never do.
        """
        is_cut = [bool((line > _COVERED).any()) for line in (mask[:, 0], mask[0], mask[:, -1], mask[-1])]
        return np.asarray(is_cut & (self.box != self.frame_box), np.bool_)

    def paste(self, mask: NDArray[Any]) -> NDArray[Any]:
        """Lay a mask of the window's picture, `n m`, into an empty frame, `h w` of the same type."""
        full = np.zeros(self.frame_size_px[::-1], mask.dtype)
        right, bottom = self.left + self.size_px[0], self.top + self.size_px[1]
        full[self.top : bottom, self.left : right] = cv2.resize(mask, self.size_px, interpolation=cv2.INTER_LINEAR)
        return full
