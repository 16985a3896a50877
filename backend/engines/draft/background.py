# SPDX-License-Identifier: GPL-3.0-or-later
"""The background of the character's own picture, filled where the character stood: the plate of animate mode."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ...media.images import Pixels
from .raster import Floats

_GROW_PART = 0.016
"""Margin round the matte, of the picture's longer side: its faint rim and the light it throws."""
_REACHES = ((0.02, 0.005, 1.0), (0.06, 0.012, 0.1), (0.2, 0.03, 0.01), (0.5, 0.1, 1e-3))
"""How far light and colour flow across and down, of the picture's longer side, and the weight of each reach."""


def fill_background(picture: Pixels, matte: Floats) -> Pixels:
    """Fill the figure's place smoothly from what surrounds it. picture: `h w 3`; matte: `h w`, 0..1.

    So large a hole, patches would fill with things that are not there; a calm ground disturbs nobody.
    Pixels farther from the figure than a small margin keep their bits.
    """
    margin = 2 * max(2, round(_GROW_PART * max(matte.shape))) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (margin, margin))
    hole = cv2.dilate((matte > 0.02).astype(np.uint8), disc) > 0
    if not hole.any() or hole.all():
        return picture
    depth = cv2.distanceTransform(np.pad(hole.astype(np.uint8), 1, mode="edge"), cv2.DIST_L2, 5)[1:-1, 1:-1]
    # the filling meets the picture over the margin, which is background but for the faintest rim
    share = np.clip(depth / (0.4 * margin), 0, 1)[hole][:, None]
    result, top = picture.copy(), np.iinfo(picture.dtype).max
    result[hole] = np.clip(picture[hole] * (1 - share) + _flowed(picture, hole)[hole] * share + 0.5, 0, top)
    return result


def _flowed(picture: Pixels, hole: NDArray[np.bool_]) -> Floats:
    """Let what surrounds a hole flow into it, farther across than down: walls, roofs and grounds lie level. `h w 3`."""
    known = (~hole).astype(np.float32)
    side = max(picture.shape[:2])
    total, weight = np.zeros(picture.shape, np.float32), np.zeros(hole.shape, np.float32)
    for across, down, share in _REACHES:
        x, y = max(1.0, across * side), max(1.0, down * side)
        total += share * cv2.GaussianBlur(picture * known[..., None], (0, 0), sigmaX=x, sigmaY=y)
        weight += share * cv2.GaussianBlur(known, (0, 0), sigmaX=x, sigmaY=y)
    return np.asarray(total / np.maximum(weight, 1e-9)[..., None], np.float32)
