# SPDX-License-Identifier: GPL-3.0-or-later
"""Patches of a matte that are neither figure nor background: an ear before a wall of its colour. Colour decides."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .raster import Floats

_HALF = (0.06, 0.94)
_THICK, _AROUND = 0.02, 0.35
"""Width from which what is half covered is no edge, and where the colours to compare with lie, shoulders."""
_CLEAR_BELOW, _SOLID_FROM = 0.3, 0.6
"""Parts of a patch that look more like the figure, up to which it is none of it, and from which it is all of it."""
_FEWEST, _MOST = 50, 400
"""Pixels of which a sample of colours is made."""
_LIKE = 5


def decided(matte: Floats, rgb: NDArray[np.uint8], shoulders_px: float) -> Floats:
    """Make thick half covered patches of a matte, `h w` 0..1, solid or clear where their colours say which."""
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB).astype(np.float32)
    patches, stats = _patches(matte, max(3, round(_THICK * shoulders_px)) | 1)
    reach, result = round(_AROUND * shoulders_px), matte.copy()
    for number, (x, y, width, height, _) in enumerate(stats[1:], start=1):
        near = np.s_[max(0, y - reach) : y + height + reach, max(0, x - reach) : x + width + reach]
        patch = patches[near] == number
        share = _likeness(lab[near], matte[near], patch)
        soft = cv2.GaussianBlur(patch.astype(np.float32), (0, 0), 1.0)[patch]
        if share > _SOLID_FROM:
            result[near][patch] = np.maximum(result[near][patch], np.minimum(2 * soft, 1))
        elif share < _CLEAR_BELOW:
            result[near][patch] *= np.maximum(1 - 2 * soft, 0)
    return result


def _patches(matte: Floats, width_px: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Give numbers to the half covered patches that are wider than an edge: `h w`, and their boxes and areas, `n 5`."""
    half = ((matte > _HALF[0]) & (matte < _HALF[1])).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width_px, width_px))
    thick = np.minimum(cv2.dilate(cv2.morphologyEx(half, cv2.MORPH_OPEN, disc), disc), half)
    _, patches, stats, _ = cv2.connectedComponentsWithStats(thick)
    return np.asarray(patches, np.int32), np.asarray(stats, np.int32)


def _likeness(lab: Floats, matte: Floats, patch: NDArray[np.bool_]) -> float:
    """Tell which part of a patch is liker to the figure round it than to the background; a half where none can tell."""
    figure, ground, own = (_sample(lab[where]) for where in (matte > 0.99, matte < 0.01, patch))
    if min(len(figure), len(ground)) < _FEWEST:
        return 0.5
    to_figure, to_ground = (
        np.partition(np.linalg.norm(own[:, None] - other[None], axis=-1), _LIKE, axis=1)[:, :_LIKE].mean(1)
        for other in (figure, ground)
    )
    return float((to_ground > to_figure).mean())


def _sample(colours: Floats) -> Floats:
    return colours[:: max(1, len(colours) // _MOST)]
