# SPDX-License-Identifier: GPL-3.0-or-later
"""The region that the model draws in, in replace mode: the performer's coverage, grown and made blocky.

A region with straight sides tells the model less of the old silhouette, so that the new one may differ.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]
"""`h w`, 0 where the plate is kept, not 0 where the model draws."""
_KERNEL: Final = np.ones((7, 7), np.uint8)


def grown(mask: Mask, rounds: int = 3) -> Mask:
    """Grow by 3 pixels each way a round, corners square."""
    return np.asarray(cv2.dilate(mask, _KERNEL, iterations=rounds), np.uint8) if rounds else mask


def blocky(mask: Mask, across: int = 1, down: int = 1) -> Mask:
    """Fill each cell that holds any of the mask, of `across` x `down` cells over its bounding box.

    1 x 1 fills the box; more cells follow the outline. Cells end before the box's last row and column, and their sides
    are rounded down to pixels, as in the official preprocessing; a cell has a pixel at least.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    filled = mask.copy()
    if not len(rows):
        return filled
    top, bottom, left, right = rows[0], rows[-1], columns[0], columns[-1]
    high, wide = max((bottom - top) // down, 1), max((right - left) // across, 1)
    for y in range(top, bottom, high):
        for x in range(left, right, wide):
            cell = np.s_[y : min(y + high, bottom), x : min(x + wide, right)]
            if mask[cell].any():
                filled[cell] = mask.max()
    return filled
