# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of a picture that matters: whatever is done only there costs as little as the performer is small."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Part = tuple[slice, slice]


def part_round(mask: NDArray[np.bool_] | NDArray[np.uint8], room_px: int) -> Part:
    """Give the rows and columns of what is set in a mask `h w`, and some more; all of it where nothing is set."""
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    if not width:
        return slice(0, mask.shape[0]), slice(0, mask.shape[1])
    return slice(max(0, y - room_px), y + height + room_px), slice(max(0, x - room_px), x + width + room_px)
