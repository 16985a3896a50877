# SPDX-License-Identifier: GPL-3.0-or-later
"""Lids that come down over the eyes: a picture shows an open eye, and stretched over it its lashes would be streaks."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from . import face
from .character import Character
from .head import HeadPose
from .mesh import Mesh
from .raster import Floats, Frame, Patch
from .series import eased
from .texture import Texture

_WIDER = 1.3
"""Size of a lid's rims beside the tracked ones: trackers lay the corners of painted eyes too near.

All lengths below are in widths of a lid, which is so much wider than its eye.
"""
_ABOVE, _BELOW = (0.5, 0.1), (0.1, 0.03)
"""How far beyond its rims a lid covers: so much of their distance and of its width."""
_ROWS = 6
_RING, _ALIKE = 0.2, 0.25
"""Width of the skin round a lid that it takes its colour from, lids; and how far from its usual light it may be."""
_REACHES = ((0.06, 1.0), (0.15, 0.03), (0.5, 0.001))
"""How far the skin's colour flows into a lid, lids, and the share of each reach."""
_FEATHER, _LASHES, _LASH_LIGHT = 0.12, 0.05, 0.4
"""How softly a lid begins and how thick its lower edge is, lids; and how bright that is, beside the skin."""
_APPEARS = 0.25
"""How far an eye closes until its lid is wholly there."""


class Eyelids:
    """The lids of both eyes, in the colour of the skin round them."""

    def __init__(self, character: Character) -> None:
        own = character.points.face[:, :2]
        self._lids = [_Lid(character.layers[0].picture, own, eye) for eye in face.EYES]

    def draw(self, points: Floats, pose: HeadPose, frame: Frame) -> list[Patch]:
        """Draw what is closed of either eye that is not turned away. points: the face in the frame, `468 2`."""
        closed = 1 - pose.eyes_open
        return [
            lid.draw(points, float(share), pose.scale, frame)
            for lid, share in zip(self._lids, closed, strict=True)
            if share > 0 and lid.is_seen(points)
        ]


class _Lid:
    """One lid, painted as it is when it is shut."""

    def __init__(self, picture: Floats, own: Floats, eye: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
        self._eye, self._side = eye, _side(own, eye)
        top, _, bottom = _rims(own, eye)
        self._texture = Texture(_shut(picture, top, bottom))
        self._mesh = Mesh(_rows(top, bottom), _triangles(len(top)))

    def is_seen(self, points: Floats) -> bool:
        """Say whether its eye shows the frame the side that it shows in the picture."""
        return _side(points, self._eye) * self._side > 0

    def draw(self, points: Floats, closed: float, scale: float, frame: Frame) -> Patch:
        """Draw it as far down as `closed`, 0..1, says: its edge goes from the upper rim to below the lower one."""
        top, rim, bottom = _rims(points, self._eye)
        edge = rim + closed * (bottom - rim)
        exact = Frame(frame.width_px, frame.height_px, coarse=1, two_sided=True)
        drawn = self._texture.draw(_rows(top, edge), self._mesh, scale, exact)
        return drawn.faded(min(closed / _APPEARS, 1.0))


def _rims(points: Floats, eye: tuple[tuple[int, ...], tuple[int, ...]]) -> tuple[Floats, Floats, Floats]:
    """From the outer corner to the inner one: above the upper rim, that rim, below the lower one, `n 2` each."""
    upper, lower = (points[list(rim)] for rim in eye)
    middle = (upper + lower).mean(0) / 2
    upper, lower = (middle + _WIDER * (rim - middle) for rim in (upper, lower))
    across = lower - upper
    down = _down(upper, lower) * np.linalg.norm(upper[-1] - upper[0])
    above, below = (opening * across + width * down for opening, width in (_ABOVE, _BELOW))
    return upper - above, upper, lower + below


def _side(points: Floats, eye: tuple[tuple[int, ...], tuple[int, ...]]) -> float:
    """Give the signed area between an eye's rims; the sign turns where the eye is seen from behind."""
    upper, lower = (points[list(rim)] for rim in eye)
    (across_x, across_y), (down_x, down_y) = upper[-1] - upper[0], (lower - upper).mean(0)
    return float(across_x * down_y - across_y * down_x)


def _down(upper: Floats, lower: Floats) -> Floats:
    """Give the unit vector from one rim to the other."""
    across = (lower - upper).mean(0)
    return np.asarray(across / max(float(np.linalg.norm(across)), 1e-6), np.float32)


def _rows(top: Floats, bottom: Floats) -> Floats:
    """Points between two rims, row by row from the top, `rn 2`."""
    down = np.linspace(0, 1, _ROWS)[:, None, None]
    return np.asarray((top + down * (bottom - top)).reshape(-1, 2), np.float32)


def _triangles(columns: int) -> NDArray[np.int32]:
    corner = (np.arange(_ROWS - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    right, below = corner + 1, corner + columns
    found = np.stack([corner, right, below, right, below + 1, below], 1).reshape(-1, 3)
    return found.astype(np.int32)


def _shut(picture: Floats, top: Floats, bottom: Floats) -> Floats:
    """Paint an eye shut, straight RGBA `h w 4`: the light of the skin round it flows in, and lashes end it below."""
    width = max(float(np.linalg.norm(top[-1] - top[0])), 2.0)
    room = round(2 * _RING * width) + 2
    outline = np.concatenate([top, bottom[::-1]])
    low = np.clip(np.floor(outline.min(0)).astype(int) - room, 0, picture.shape[1::-1])
    high = np.clip(np.ceil(outline.max(0)).astype(int) + room, 0, picture.shape[1::-1])
    result = np.zeros_like(picture)
    part = np.s_[low[1] : high[1], low[0] : high[0]]
    near = picture[part]
    if not near.size:
        return result
    inside = _drawn(near.shape, outline - low, -1)
    apart = cv2.distanceTransform((inside < 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    ring = (apart > 0) & (apart <= _RING * width) & (near[..., 3] > 0.5)
    thick = max(1, round(_LASHES * width))
    lashes = bottom[1:-1] - low - _down(top, bottom) * thick / 2
    edge = cv2.GaussianBlur(_drawn(near.shape, lashes, thick), (0, 0), max(0.5, thick / 2))[..., None]
    begins = np.concatenate([bottom[:1], top, bottom[-1:]]) - low
    away = cv2.distanceTransform((_drawn(near.shape, begins, 1) < 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    result[part][..., :3] = _flowed(near, ring, width) * (1 - (1 - _LASH_LIGHT) * edge)
    result[part][..., 3] = eased(np.minimum(away, width), (0, _FEATHER * width)) * (apart <= 2) * near[..., 3]
    return result


def _flowed(picture: Floats, ring: NDArray[np.bool_], width: float) -> Floats:
    """Let the ring's colour flow inwards, `h w 3`; what is much darker or brighter is no skin: lashes, a brow."""
    light = picture[..., :3].mean(-1)
    usual = float(np.median(light[ring])) if ring.any() else 0.0
    known = (ring & (np.abs(light - usual) <= _ALIKE * usual)).astype(np.float32)[..., None]
    # where no skin is known, the figure's own colour here is left
    usual_colour = np.average(picture[..., :3].reshape(-1, 3), axis=0, weights=picture[..., 3].ravel() + 1e-6)
    total = np.full((*known.shape[:2], 4), 1e-9, np.float32) * np.append(usual_colour, 1).astype(np.float32)
    for reach, share in _REACHES:
        total += share * cv2.GaussianBlur(np.dstack([picture[..., :3] * known, known]), (0, 0), max(1.0, reach * width))
    return np.asarray(total[..., :3] / total[..., 3:], np.float32)


def _drawn(shape: tuple[int, ...], line: Floats, thickness: int) -> Floats:
    """Draw a line, or fill an outline (thickness -1), `h w` 0..1."""
    blank = np.zeros(shape[:2], np.uint8)
    points = [np.round(line * 16).astype(np.int32)]
    if thickness < 0:
        cv2.fillPoly(blank, points, 255, cv2.LINE_AA, shift=4)
    else:
        cv2.polylines(blank, points, False, 255, thickness, cv2.LINE_AA, shift=4)
    return np.asarray(blank / np.float32(255), np.float32)
