# SPDX-License-Identifier: GPL-3.0-or-later
"""The background of the character's own picture, filled where the character stood: the plate of animate mode."""

from __future__ import annotations

import cv2
import numpy as np

from ...media.images import Pixels
from ...plate.fill import fill
from .raster import Floats

_GROW_PART = 0.012
"""Margin round the matte, of the picture's longer side: its faint rim and the light it throws."""


def fill_background(picture: Pixels, matte: Floats) -> Pixels:
    """Fill the figure's place with patches of what surrounds it. picture: `h w 3`; matte: `h w`, 0..1.

    Pixels farther from the figure than a small margin keep their bits.
    """
    margin = 2 * max(2, round(_GROW_PART * max(matte.shape))) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (margin, margin))
    hole = cv2.dilate((matte > 0.02).astype(np.uint8), disc) > 0
    if not hole.any() or hole.all():
        return picture
    top = np.iinfo(picture.dtype).max
    filled = fill(picture.astype(np.float32) * (255 / top), hole, ~hole) * (top / 255)
    # the patches meet the picture over the margin, which is background but for the faintest rim
    share = np.clip(
        cv2.distanceTransform(np.pad(hole.astype(np.uint8), 1, mode="edge"), cv2.DIST_L2, 5) / (0.4 * margin), 0, 1
    )
    share = share[1:-1, 1:-1][hole][:, None]
    result = picture.copy()
    result[hole] = np.clip(picture[hole] * (1 - share) + filled[hole] * share + 0.5, 0, top)
    return result
