# SPDX-License-Identifier: GPL-3.0-or-later
"""Small notches and holes, as a sharp fold leaves them in a sleeve, closed with the cloth round them."""

from __future__ import annotations

import cv2
import numpy as np

from .raster import Floats, Patch


def closed_near(patch: Patch, centre: Floats, reach_px: float, width_px: float) -> Patch:
    """Close what is narrower than `width_px` within `reach_px` of a point of the frame, fading out to there."""
    half = int(width_px / 2) + 1
    x, y = centre - (patch.x, patch.y)
    bounds = [
        int(np.clip(at, 0, side))
        for at, side in zip(
            (y - reach_px, y + reach_px + 1, x - reach_px, x + reach_px + 1),
            np.repeat(patch.rgba.shape[:2], 2),
            strict=True,
        )
    ]
    part = np.s_[bounds[0] : bounds[1], bounds[2] : bounds[3]]
    near = patch.rgba[part]
    if not near.size or not near[..., 3].any():
        return patch
    room = np.pad(near, [(2 * half, 2 * half), (2 * half, 2 * half), (0, 0)])
    inner = np.s_[2 * half : -2 * half, 2 * half : -2 * half]
    alpha = np.ascontiguousarray(room[..., 3])
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * half + 1, 2 * half + 1))
    gap = (cv2.morphologyEx(alpha, cv2.MORPH_CLOSE, disc) - alpha)[inner]
    around = cv2.GaussianBlur(room, (0, 0), half)[inner]
    rows, columns = np.ogrid[bounds[0] : bounds[1], bounds[2] : bounds[3]]
    away = np.hypot(columns - x, rows - y) / reach_px
    share = gap * np.clip(2 - 2 * away, 0, 1) / np.maximum(around[..., 3], 1e-3)
    rgba = patch.rgba.copy()
    rgba[part] += share[..., None] * around
    return Patch(patch.x, patch.y, rgba)
