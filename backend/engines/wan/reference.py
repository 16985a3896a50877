# SPDX-License-Identifier: GPL-3.0-or-later
"""The size that is generated, and pictures fitted into it with black bars."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from ...contract.errors import UnderstudyError

RGB8 = NDArray[np.uint8]
"""`h w 3`, RGB, display-referred."""
BLOCK_PX = 16
"""Width and height are multiples of it: the VAE's eight times the transformer's two."""


class SizeError(UnderstudyError):
    """A size that can't be generated."""

    hint = "Choose a larger area, or a picture that is less narrow."

    def __init__(self, width_px: float, height_px: float) -> None:
        super().__init__(f"{width_px:.0f} x {height_px:.0f} pixels leave no block of {BLOCK_PX} x {BLOCK_PX}.")
        self.width_px, self.height_px = width_px, height_px


def target_size(width_px: int, height_px: int, area_px: int) -> tuple[int, int]:
    """Give the (width, height) of about `area_px` with a picture's aspect, rounded down to blocks. Raises SizeError."""
    aspect = width_px / height_px
    high = math.sqrt(area_px / aspect)
    wide = area_px / high
    width, height = (BLOCK_PX * math.floor(length / BLOCK_PX) for length in (wide, high))
    if not width or not height:
        raise SizeError(wide, high)
    return width, height


def letterboxed(picture: RGB8, width_px: int, height_px: int, *, area_filter: bool = False) -> RGB8:
    """Fit a whole picture into a size, centred on black.

    The character's picture is always scaled bilinearly, as the model was trained. `area_filter` averages where a
    picture shrinks, as source frames are brought to the generated size.
    """
    high, wide = picture.shape[:2]
    if high / wide > height_px / width_px:
        new_high, new_wide = height_px, int(height_px / high * wide)
    else:
        new_high, new_wide = int(width_px / wide * high), width_px
    shrinks = area_filter and new_high * new_wide < high * wide
    scaled = cv2.resize(picture, (new_wide, new_high), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    left, top = int((width_px - new_wide) / 2), int((height_px - new_high) / 2)
    canvas = np.zeros((height_px, width_px, *picture.shape[2:]), picture.dtype)
    canvas[top : top + new_high, left : left + new_wide] = scaled
    return canvas
