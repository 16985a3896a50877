# SPDX-License-Identifier: GPL-3.0-or-later
"""The character cut out of its picture: a soft matte, and colour that holds nothing of the old background."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ...performer.guided import guided_filter
from .raster import Floats

_SURE, _SURELY_NOT = 0.9, 0.06
_GRABCUT_SIDE_PX = 640
_GRABCUT_ROUNDS = 3
_EDGE_PART = 0.006
"""Radius of the matte's soft edge search, part of the picture's longer side."""


def cut_out(rgb: NDArray[np.uint8], coverage: Floats) -> Floats:
    """Refine a coarse `coverage` (`h w`, 0..1) to a matte that follows the picture's edges, `h w` float32 0..1."""
    inner = _main_piece(_snapped(rgb, coverage))
    radius = max(2, round(_EDGE_PART * max(rgb.shape[:2])))
    soft = guided_filter((rgb / np.float32(255)).astype(np.float32), inner, radius, 1e-4)
    near = cv2.blur(inner, (4 * radius + 1, 4 * radius + 1))
    soft = np.where(near > 0.999, 1, np.where(near < 0.001, 0, np.clip((soft - 0.1) / 0.8, 0, 1)))
    return soft.astype(np.float32)


def clean_colour(rgb: Floats, alpha: Floats) -> Floats:
    """Estimate what the character's own colour is where background shines through, `h w 3`. Forte 2021 (blur fusion).

    Solid pixels keep their colour. Beyond the matte the colour goes on smoothly, for resampling.
    """
    side = max(rgb.shape[:2])
    colour, under = _fused(rgb, rgb, rgb, alpha, max(5, side // 24) | 1)
    colour, _ = _fused(rgb, colour, under, alpha, max(3, side // 160) | 1)
    solid = np.clip((alpha - 0.97) / 0.03, 0, 1)[..., None]
    return rgb * solid + _spread(colour, alpha) * (1 - solid)


def _fused(rgb: Floats, colour: Floats, under: Floats, alpha: Floats, width: int) -> tuple[Floats, Floats]:
    """One pass of blur fusion with a box of `width` pixels: foreground and background colour."""
    size, part = (width, width), alpha[..., None]
    cover = cv2.blur(alpha, size)[..., None]
    front = cv2.blur(colour * part, size) / (cover + 1e-5)
    back = cv2.blur(under * (1 - part), size) / (1 - cover + 1e-5)
    front = front + part * (rgb - part * front - (1 - part) * back)
    return np.clip(front, 0, 1).astype(np.float32), np.clip(back, 0, 1).astype(np.float32)


def _spread(colour: Floats, alpha: Floats) -> Floats:
    """Let the colour of well covered pixels flow outwards over the faint ones, near ones first."""
    trust = np.clip((alpha - 0.25) / 0.5, 0, 1)[..., None]
    result, filled = colour * trust, trust
    for width in (5, 11, 25, 61):
        weight = cv2.blur(trust, (width, width))[..., None]
        value = cv2.blur(colour * trust, (width, width)) / np.maximum(weight, 1e-6)
        room = np.where(weight > 1e-3, 1 - filled, 0)
        result, filled = result + value * room, filled + room
    average = (colour * trust).sum((0, 1)) / max(float(trust.sum()), 1e-6)
    return np.asarray(result + average * (1 - filled), np.float32)


def _snapped(rgb: NDArray[np.uint8], coverage: Floats) -> Floats:
    """Move the border of `coverage` to the picture's own edges by GrabCut where the network was unsure."""
    scale = min(1.0, _GRABCUT_SIDE_PX / max(rgb.shape[:2]))
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    cover = cv2.resize(coverage, size, interpolation=cv2.INTER_AREA)
    label = np.where(cover > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    label[cv2.erode((cover > _SURE).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0] = cv2.GC_FGD
    label[cv2.dilate((cover > _SURELY_NOT).astype(np.uint8), np.ones((7, 7), np.uint8)) == 0] = cv2.GC_BGD
    if not ((label == cv2.GC_FGD).any() and (label == cv2.GC_BGD).any()):
        return (coverage > 0.5).astype(np.float32)
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(
        cv2.cvtColor(small, cv2.COLOR_RGB2BGR), label, (0, 0, 1, 1), *models, _GRABCUT_ROUNDS, cv2.GC_INIT_WITH_MASK
    )
    inside = ((label == cv2.GC_FGD) | (label == cv2.GC_PR_FGD)).astype(np.float32)
    inside = cv2.medianBlur((inside * 255).astype(np.uint8), 5).astype(np.float32) / 255
    return np.asarray(cv2.resize(inside, (rgb.shape[1], rgb.shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def _main_piece(mask: Floats) -> Floats:
    """Keep the largest connected piece."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((mask > 0.5).astype(np.uint8))
    if len(stats) < 2:
        return mask
    main = (labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))).astype(np.uint8)
    return np.asarray(mask * cv2.dilate(main, np.ones((5, 5), np.uint8)), np.float32)
