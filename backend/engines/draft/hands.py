# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands modelled on the performer's 21 points: rounded fingers and a palm in the character's own skin.

One picture seldom shows a hand that could be bent into another's shape; a plain modelled one follows every finger.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import cv2
import numpy as np

from .raster import Floats, Frame, Patch

_FINGERS: Final = ((1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))
_PALM: Final = (0, 1, 2, 5, 9, 13, 17)
_RADII: Final = ((0.2, 0.17, 0.15, 0.12), (0.14, 0.125, 0.11, 0.095), (0.145, 0.13, 0.115, 0.1),
                 (0.14, 0.12, 0.105, 0.09), (0.12, 0.105, 0.095, 0.08))  # fmt: skip
"""Half thickness of the fingers at their joints, in lengths of the palm."""
_PALM_RADIUS = 0.15
_LIGHT: Final = np.array((-0.45, -0.6, 0.66), np.float32)
_AMBIENT, _BRIGHTEST, _RIM = 0.62, 1.1, 0.42
_MARGIN_PX = 2


@dataclass(frozen=True, slots=True)
class _Capsule:
    """A bone with a radius at either end, in pixels, and its depth (smaller is nearer)."""

    a: Floats
    b: Floats
    radius_a: float
    radius_b: float
    depth: float
    is_tip: bool


def draw_hand(points: Floats, tone: Floats, frame: Frame) -> Patch:
    """Draw a hand. points: `21 3`, x y in the frame, z towards (-) or from the camera. tone: display RGB 0..1."""
    palm = palm_length(points)
    reach = 0.35 * palm + _MARGIN_PX
    low = np.maximum(np.floor(points[:, :2].min(0) - reach).astype(int), 0)
    high = np.minimum(np.ceil(points[:, :2].max(0) + reach).astype(int), (frame.width_px, frame.height_px))
    if np.any(high <= low):
        return Patch(0, 0, np.zeros((0, 0, 4), np.float32))
    canvas = np.zeros((high[1] - low[1], high[0] - low[0], 4), np.float32)
    local = points - (*low, 0)
    palm_depth = float(local[list(_PALM), 2].mean())
    fingers = sorted(_fingers(local, palm), key=lambda capsule: -capsule.depth)
    for capsule in (each for each in fingers if each.depth >= palm_depth):
        _draw_capsule(canvas, capsule, tone)
    _draw_palm(canvas, local, palm, tone)
    for capsule in (each for each in fingers if each.depth < palm_depth):
        _draw_capsule(canvas, capsule, tone)
    return Patch(int(low[0]), int(low[1]), canvas)


def palm_length(points: Floats) -> float:
    """From the wrist to the knuckles, by the longest of three measures: a palm seen edge-on looks short."""
    lengths = [np.linalg.norm(points[0, :2] - points[9, :2]), 1.15 * np.linalg.norm(points[5, :2] - points[17, :2])]
    fingers = [sum(np.linalg.norm(points[a, :2] - points[b, :2]) for a, b in pairwise(finger)) for finger in _FINGERS]
    return max(float(max(*lengths, 0.9 * max(fingers))), 1.0)


def _fingers(points: Floats, palm: float) -> list[_Capsule]:
    found = []
    for finger, radii in zip(_FINGERS, _RADII, strict=True):
        for i in range(3):
            a, b = points[finger[i]], points[finger[i + 1]]
            depth = float((a[2] + b[2]) / 2)
            found.append(_Capsule(a[:2], b[:2], radii[i] * palm, radii[i + 1] * palm, depth, i == 2))
    return found


def _draw_capsule(canvas: Floats, capsule: _Capsule, tone: Floats) -> None:
    """Lay one rounded bone over the canvas, shaded like a cylinder."""
    radius = max(capsule.radius_a, capsule.radius_b) + _MARGIN_PX
    low = np.maximum(np.floor(np.minimum(capsule.a, capsule.b) - radius).astype(int), 0)
    high = np.minimum(np.ceil(np.maximum(capsule.a, capsule.b) + radius).astype(int) + 1, canvas.shape[1::-1])
    if np.any(high <= low):
        return
    grid = np.stack(np.meshgrid(np.arange(low[0], high[0]), np.arange(low[1], high[1])), -1).astype(np.float32)
    along = capsule.b - capsule.a
    t = np.clip(((grid - capsule.a) @ along) / max(float(along @ along), 1e-6), 0, 1)
    offset = grid - (capsule.a + t[..., None] * along)
    distance = np.linalg.norm(offset, axis=-1)
    thickness = capsule.radius_a + t * (capsule.radius_b - capsule.radius_a)
    cover = np.clip(thickness - distance + 0.5, 0, 1)
    # only a fingertip is round lengthwise: elsewhere the next bone goes on
    ahead = np.maximum(((grid - capsule.b) @ along) / max(float(along @ along) ** 0.5, 1e-3), 0) * capsule.is_tip
    across = np.array((along[1], -along[0])) / max(float(np.linalg.norm(along)), 1e-3)
    forward = np.array((-across[1], across[0]))
    normal = (offset @ across)[..., None] * across + ahead[..., None] * forward
    normal = normal / np.maximum(thickness, 1e-3)[..., None]
    Patch(int(low[0]), int(low[1]), _shaded(normal, cover, tone)).lay_over(canvas)


def _draw_palm(canvas: Floats, points: Floats, palm: float, tone: Floats) -> None:
    """Lay the palm over the canvas: the hull of its joints, rounded off."""
    outline = cv2.convexHull(points[list(_PALM), :2].astype(np.float32))[:, 0]
    blank = np.full(canvas.shape[:2], 255, np.uint8)
    cv2.fillPoly(blank, [np.round(outline * 16).astype(np.int32)], 0, shift=4)
    distance = cv2.distanceTransform(blank, cv2.DIST_L2, 5)
    radius = _PALM_RADIUS * palm
    cover = np.clip(radius - distance + 0.5, 0, 1)
    height = cv2.GaussianBlur(cover, (0, 0), max(1.0, 0.12 * palm))
    slope = np.stack([cv2.Sobel(height, cv2.CV_32F, 1, 0), cv2.Sobel(height, cv2.CV_32F, 0, 1)], -1)
    normal = -slope * (0.12 * palm / 4)
    Patch(0, 0, _shaded(np.clip(normal, -0.9, 0.9), cover, tone)).lay_over(canvas)


def _shaded(normal: Floats, cover: Floats, tone: Floats) -> Floats:
    """Premultiplied RGBA of a rounded surface; `normal` holds x and y, `h w 2`. Rims darken, so fingers part."""
    flat = np.clip((normal**2).sum(-1), 0, 1)
    lit = normal @ _LIGHT[:2] + np.sqrt(1 - flat) * _LIGHT[2]
    shade = _AMBIENT + (_BRIGHTEST - _AMBIENT) * np.clip(lit, 0, 1) - _RIM * flat**3
    colour = np.clip(tone * shade[..., None] ** np.array((0.92, 1.0, 1.05), np.float32), 0, 1)
    return np.dstack([colour * cover[..., None], cover]).astype(np.float32)
