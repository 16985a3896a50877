# SPDX-License-Identifier: GPL-3.0-or-later
"""The character cut out of its picture: a soft matte, and colour that holds nothing of the old background."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ...performer.matte import matte_frame
from ...performer.still import Still
from ...performer.tracks import Presence, Tracks
from .halfway import decided
from .headgear import with_headgear
from .raster import Floats
from .skeleton import SHOULDERS

_FAINT = 0.08
"""Coverage below which a pixel is residue of the matting, not an edge."""
_EDGE_PX = 0.8
"""What settles doubtful pixels leaves an edge in steps; a close-up would show each."""
_PINHOLE = 0.15
"""Side of the largest hole that is the matting's and not the figure's, widths of the shoulders."""


def cut_out(rgb: NDArray[np.uint8], still: Still) -> Floats:
    """Refine the coarse coverage of the figure found in a picture to its matte, `h w` float32 0..1: one piece."""
    covered = with_headgear(still.coverage, rgb, still)
    matte = matte_frame(rgb, np.asarray(covered * 255 + 0.5, np.uint8), _one_frame(still))
    soft = np.clip((matte / np.float32(255) - _FAINT) / (1 - 2 * _FAINT), 0, 1)
    shoulders = float(np.linalg.norm(still.body[SHOULDERS[0], :2] - still.body[SHOULDERS[1], :2]))
    whole = without_pinholes(_main_piece(decided(soft, rgb, shoulders)), (_PINHOLE * shoulders) ** 2)
    return np.asarray(cv2.GaussianBlur(whole, (0, 0), _EDGE_PX), np.float32)


def _one_frame(still: Still) -> Tracks:
    """Write what was found in a picture as the tracks of a shot of one frame."""

    def framed(values: object) -> NDArray[np.float32]:
        return np.asarray(values, np.float32)[None]

    return Tracks(
        body=framed(still.body),
        body_score=framed(still.body_score),
        face=framed(still.face),
        face_score=framed(still.face_score),
        left_hand=framed(still.left_hand),
        left_hand_score=framed(still.left_hand_score),
        right_hand=framed(still.right_hand),
        right_hand_score=framed(still.right_hand_score),
        box=framed(still.box),
        presence=np.array([Presence.TRACKED], np.int8),
        consistency=framed(still.consistency),
    )


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


def without_pinholes(mask: Floats, most_px: float) -> Floats:
    """Fill holes of at most so many pixels, and their soft rims: between an arm and a body there is more room."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((mask < 0.5).astype(np.uint8), connectivity=4)
    x, y, width, height, area = stats.T
    is_inside = (x > 0) & (y > 0) & (x + width < mask.shape[1]) & (y + height < mask.shape[0])
    filled = is_inside & (area <= most_px)
    filled[0] = False
    hole = filled[labels]
    side = 2 * round(np.sqrt(most_px) / 2) + 1
    around = cv2.dilate(hole.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
    return np.where(hole | (around & (mask > 0.5)), np.float32(1), mask)


def _main_piece(mask: Floats) -> Floats:
    """Keep the largest connected piece."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((mask > 0.5).astype(np.uint8))
    if len(stats) < 2:
        return mask
    main = (labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))).astype(np.uint8)
    return np.asarray(mask * cv2.dilate(main, np.ones((5, 5), np.uint8)), np.float32)
