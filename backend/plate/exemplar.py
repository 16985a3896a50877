# SPDX-License-Identifier: GPL-3.0-or-later
"""Fill a small picture patch by patch, strong lines first, so that edges run on into the unknown.

Criminisi, Pérez and Toyama, *Region Filling and Object Removal by Exemplar-Based Image Inpainting*, 2004.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
Region = NDArray[np.bool_]
Places = NDArray[np.intp]

_RADIUS = 4
_SIDE = 2 * _RADIUS + 1
_LINE_FREE = 400.0
"""Urgency (code values a pixel, times 8) of a patch that no line meets: plain surroundings get their turn too."""
_NEARNESS = 600.0
"""Cost (squared code values a known pixel) of taking a patch from a whole picture height away."""
_ODD, _UNREST = 1.0, 0.3
"""Weights of a patch's mean differing from what is expected there, and of its variance."""


def fill_by_examples(image: Picture, unknown: Region, source: Region) -> tuple[Picture, Places] | None:
    """Fill `unknown` in `image` (`h w 3`, 0..255) by patches that lie wholly in `source`.

    What `image` holds in the unknown, a smooth continuation of its surroundings, is the colour that patches should have
    on the whole: a fill that draws no eye is worth more than one that invents a thing.
    Returns the picture and, `h w 2`, from which row and column each pixel was copied (its own where it was known), or
    None when the source holds no whole patch. Meant for pictures of some hundred rows: each step searches all of it.
    """
    pad = _RADIUS
    padded = np.pad(image, ((pad, pad), (pad, pad), (0, 0)), mode="edge")
    open_ = np.pad(unknown, pad)
    sourced = np.pad(source & ~unknown, pad)
    allowed = cv2.erode(sourced.astype(np.uint8), np.ones((_SIDE, _SIDE), np.uint8))[pad:-pad, pad:-pad] > 0
    if not allowed.any():
        return None
    canvas = _Canvas(padded, open_, np.pad(~unknown, pad))
    places = np.moveaxis(np.indices(open_.shape, np.intp), 0, -1).copy()
    while canvas.open.any():
        row, column = canvas.most_urgent()
        from_row, from_column = canvas.best_source(row, column, allowed)
        canvas.copy(row, column, from_row, from_column, places)
    inner = (slice(pad, -pad), slice(pad, -pad))
    return canvas.image[inner], np.clip(places[inner] - pad, 0, np.array(unknown.shape) - 1)


class _Canvas:
    """The padded picture while it is filled. Rows and columns below are of the padded picture."""

    def __init__(self, image: Picture, open_: Region, inside: Region) -> None:
        self.image = image.astype(np.float32)
        self.open = open_.copy()
        self._inside = inside | open_
        self._means = cv2.blur(self.image, (_SIDE, _SIDE))
        squares = cv2.blur(np.square(self.image), (_SIDE, _SIDE))
        self._unrest = np.maximum(squares - np.square(self._means), 0).sum(2)
        self._trust = np.where(open_, 0, 1).astype(np.float32)

    def most_urgent(self) -> tuple[int, int]:
        """Choose the pixel on the front whose patch knows most and is met by the strongest line."""
        known = (~self.open).astype(np.uint8)
        front = self.open & (cv2.dilate(known, np.ones((3, 3), np.uint8)) > 0)
        trust = cv2.boxFilter(self._trust, -1, (_SIDE, _SIDE), borderType=cv2.BORDER_CONSTANT)
        grey = cv2.cvtColor(self.image, cv2.COLOR_RGB2GRAY)
        # A gradient counts only where all the pixels that make it are known.
        solid = cv2.erode(known, np.ones((3, 3), np.uint8)).astype(np.float32)
        across, down = cv2.Sobel(grey, -1, 1, 0) * solid, cv2.Sobel(grey, -1, 0, 1) * solid
        depth = cv2.GaussianBlur(known.astype(np.float32), (0, 0), 1.5)
        normal_x, normal_y = cv2.Sobel(depth, -1, 1, 0), cv2.Sobel(depth, -1, 0, 1)
        length = np.hypot(normal_x, normal_y) + 1e-6
        run_on = np.abs(-down * normal_x + across * normal_y) / length
        line = cv2.dilate(run_on.astype(np.float32), np.ones((_SIDE, _SIDE), np.uint8))
        urgency = np.where(front, trust * (line + _LINE_FREE), -1.0)
        row, column = np.unravel_index(int(np.argmax(urgency)), urgency.shape)
        return int(row), int(column)

    def best_source(self, row: int, column: int, allowed: Region) -> tuple[int, int]:
        """Search the source for the patch that fits the known part of this one, near and likely ones preferred."""
        pad = _RADIUS
        box = (slice(row - pad, row + pad + 1), slice(column - pad, column + pad + 1))
        mask = (~self.open & self._inside)[box].astype(np.float32)
        whole: Any = np.repeat(mask[..., None], 3, 2)
        cost = cv2.matchTemplate(self.image, self.image[box], cv2.TM_SQDIFF, mask=whole) / max(float(mask.sum()), 1.0)
        height, width = allowed.shape
        rows, columns = np.ogrid[:height, :width]
        away = ((rows - (row - pad)) ** 2 + (columns - (column - pad)) ** 2) / float(height * height)
        means = self._means[pad:-pad, pad:-pad] - self._means[row, column]
        odd = np.square(means).sum(2) + _UNREST * self._unrest[pad:-pad, pad:-pad]
        total = np.where(allowed, cost + _NEARNESS * away + _ODD * odd, np.inf)
        from_row, from_column = np.unravel_index(int(np.argmin(total)), total.shape)
        return int(from_row) + pad, int(from_column) + pad

    def copy(self, row: int, column: int, from_row: int, from_column: int, places: Places) -> None:
        """Copy the unknown part of a patch and remember where it came from."""
        pad = _RADIUS
        box = (slice(row - pad, row + pad + 1), slice(column - pad, column + pad + 1))
        came = (slice(from_row - pad, from_row + pad + 1), slice(from_column - pad, from_column + pad + 1))
        new = self.open[box].copy()
        trust = float(self._trust[box].mean())
        self.image[box][new] = self.image[came][new]
        places[box][new] = places[came][new]
        self._trust[box][new] = trust
        self.open[box][new] = False
