# SPDX-License-Identifier: GPL-3.0-or-later
"""The background of the character's own picture, filled where the character stood: the plate of animate mode."""

from __future__ import annotations

import cv2
import numpy as np

from ...media.images import Pixels
from .raster import Floats

_GROW_PART = 0.012


def fill_background(picture: Pixels, matte: Floats) -> Pixels:
    """Fill the figure's place from what surrounds it, coarse first. picture: `h w 3`; matte: `h w`, 0..1.

    Pixels farther from the figure than a small margin keep their bits.
    """
    grow = 2 * max(2, round(_GROW_PART * max(matte.shape))) + 1
    hole = cv2.dilate((matte > 0.02).astype(np.uint8), np.ones((grow, grow), np.uint8))
    if not hole.any() or hole.all():
        return picture
    top = np.iinfo(picture.dtype).max
    filled = _pulled_and_pushed(picture.astype(np.float32) / top, 1.0 - hole.astype(np.float32))
    rim = cv2.GaussianBlur(hole.astype(np.float32), (0, 0), grow / 6)[..., None] * hole[..., None]
    share = np.clip(rim * 2, 0, 1)
    mixed = picture.astype(np.float32) * (1 - share) + filled * top * share
    result = picture.copy()
    result[hole > 0] = np.clip(mixed + 0.5, 0, top)[hole > 0]
    return result


def _pulled_and_pushed(colour: Floats, known: Floats) -> Floats:
    """Fill unknown pixels by a pyramid of averages of the known. Gortler and others 1996."""
    if min(known.shape) <= 2 or known.min() >= 1:
        return colour
    size = (max(1, known.shape[1] // 2), max(1, known.shape[0] // 2))
    weight = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
    small = cv2.resize(colour * known[..., None], size, interpolation=cv2.INTER_AREA)
    small = small / np.maximum(weight, 1e-4)[..., None]
    coarse = _pulled_and_pushed(small, np.clip(weight * 4, 0, 1))
    up = cv2.resize(coarse, known.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(colour * known[..., None] + up * (1 - known[..., None]), np.float32)
