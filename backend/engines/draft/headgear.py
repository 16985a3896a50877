# SPDX-License-Identifier: GPL-3.0-or-later
"""Hats, hair and long ears, which the segmentation networks leave to the background: found by their colours."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ...performer.still import Still
from .raster import Floats
from .skeleton import LEFT_EAR, RIGHT_EAR, SHOULDERS

_WORK_SIDE_PX = 400
_HALF_WIDE, _TALL = 1.0, 2.5
"""Room beside and above the ears in which a hat is looked for, widths of the shoulders."""
_SURE, _SEEN = 0.9, 0.5
_RIM, _THIN = 0.03, 0.05
"""How far from its edge the coverage is doubted, and what is too thin to be a hat, widths of the shoulders."""
_ROUNDS, _BINS = 4, 16


def with_headgear(coverage: Floats, rgb: NDArray[np.uint8], still: Still) -> Floats:
    """Add to the coverage of a figure, `h w` 0..1, what sits on its head. Rother 2004 (GrabCut), round the head alone.

    A hat ends in the picture: what goes on beyond the room for one is background of a like colour.
    """
    scale = min(1.0, _WORK_SIDE_PX / max(coverage.shape))
    size = (max(1, round(coverage.shape[1] * scale)), max(1, round(coverage.shape[0] * scale)))
    small = cv2.resize(coverage.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    joints = still.body[:, :2] * scale
    unit = float(np.linalg.norm(joints[SHOULDERS[0]] - joints[SHOULDERS[1]]))
    room = _room(joints, unit, small.shape)
    reduced = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    figure = _by_colour(reduced, small, room, unit)
    hat = _whole_pieces(figure & room & (small <= _SEEN), room, small > _SEEN, unit)
    large = cv2.resize(hat.astype(np.float32), coverage.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.maximum(coverage, large)


def _room(joints: Floats, unit: float, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Mark where hats, ears and hair may be, `h w`: above the middle between ears and shoulders."""
    x, y = joints[[LEFT_EAR, RIGHT_EAR]].mean(0)
    lowest = (y + joints[list(SHOULDERS), 1].mean()) / 2
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return np.asarray((np.abs(columns - x) < _HALF_WIDE * unit) & (rows < lowest) & (rows > y - _TALL * unit))


def _by_colour(rgb: NDArray[np.uint8], coverage: Floats, room: NDArray[np.bool_], unit: float) -> NDArray[np.bool_]:
    """Tell figure from background in the room for a hat, by the colours of both."""
    sure = np.asarray(cv2.erode((coverage > _SURE).astype(np.uint8), _disc(_RIM * unit)), np.uint8)
    away = ((coverage <= _SEEN) & ~room).astype(np.uint8)
    alike = _frequency(rgb, sure) > _frequency(rgb, away)
    marks = np.where(room, np.where(alike, cv2.GC_PR_FGD, cv2.GC_PR_BGD), cv2.GC_BGD).astype(np.uint8)
    marks[coverage > _SEEN] = cv2.GC_PR_FGD
    marks[sure > 0] = cv2.GC_FGD
    if not (marks == cv2.GC_BGD).any() or not (marks == cv2.GC_FGD).any():
        return np.zeros(room.shape, np.bool_)
    cv2.setRNGSeed(0)
    cv2.grabCut(rgb, marks, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), _ROUNDS, cv2.GC_INIT_WITH_MASK)
    return np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD))


def _frequency(rgb: NDArray[np.uint8], where: NDArray[np.uint8]) -> Floats:
    """Tell how frequent each pixel's colour is in a part of the picture, `h w`."""
    counts = cv2.calcHist([rgb], [0, 1, 2], where, [_BINS] * 3, [0, 256] * 3) / max(int(where.sum()), 1)
    return np.asarray(counts[tuple(np.moveaxis(rgb // (256 // _BINS), -1, 0))], np.float32)


def _whole_pieces(
    added: NDArray[np.bool_], room: NDArray[np.bool_], seen: NDArray[np.bool_], unit: float
) -> NDArray[np.bool_]:
    """Keep the pieces that are thick, sit on what is seen of the head, and end before the room for a hat does."""
    thick = cv2.morphologyEx(added.astype(np.uint8), cv2.MORPH_OPEN, _disc(_THIN * unit))
    rim = room & (cv2.erode(np.pad(room, 1).astype(np.uint8), np.ones((3, 3), np.uint8))[1:-1, 1:-1] == 0)
    _, pieces = cv2.connectedComponents(thick)
    on_head = np.unique(pieces[cv2.dilate((seen & room).astype(np.uint8), _disc(2 * _RIM * unit)) > 0])
    kept = set(on_head.tolist()) - set(np.unique(pieces[_upper(rim, room)]).tolist()) - {0}
    whole = cv2.dilate(np.isin(pieces, list(kept)).astype(np.uint8), _disc(_THIN * unit))
    return np.asarray((whole > 0) & added)


def _upper(rim: NDArray[np.bool_], room: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Leave the lowest row out of the rim of the room: a hat may come down over the ears."""
    upper = rim.copy()
    rows = np.flatnonzero(room.any(1))
    if len(rows):
        upper[rows[-1]] = False
    return upper


def _disc(radius: float) -> NDArray[np.uint8]:
    side = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
