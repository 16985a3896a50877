# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured of pictures: pure functions of arrays. Mattes are `h w` uint8, 255 is covered."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.media.images import Pixels

Flags = NDArray[np.bool_]
Numbers = NDArray[np.integer[Any]] | NDArray[np.floating[Any]]

HALF = 128


def overlap(matte: Pixels, other: Pixels) -> float:
    """IoU of what is covered by half or more; 1 where neither covers anything."""
    one, two = matte >= HALF, other >= HALF
    either = np.count_nonzero(one | two)
    return np.count_nonzero(one & two) / either if either else 1.0


def soft_overlap(matte: Pixels, other: Pixels) -> float:
    """IoU of soft coverage: what both cover over what either covers; 1 where neither covers anything."""
    either = int(np.maximum(matte, other).sum(dtype=np.int64))
    return int(np.minimum(matte, other).sum(dtype=np.int64)) / either if either else 1.0


def psnr_db(picture: Numbers, other: Numbers, where: Flags, top: float = 255.0) -> float:
    """Peak signal to noise in a region of two pictures, `h w c`; infinite where they are equal."""
    off = picture[where].astype(np.float64) - other[where]
    mean_square = float((off**2).mean())
    return math.inf if mean_square == 0 else 10 * math.log10(top**2 / mean_square)


def rank_correlation(one: Numbers, other: Numbers) -> float:
    """Spearman's, of two rows of numbers; equals share their mean rank. 0 where one of them is constant."""
    ranks = [_ranks(row) for row in (one, other)]
    if any(np.ptp(row) == 0 for row in ranks):
        return 0.0
    return float(np.corrcoef(ranks)[0, 1])


def carried(matte: Pixels, picture_before: Pixels, picture: Pixels) -> Pixels:
    """Carry a frame's matte into the next frame by dense flow (DIS) at full resolution; pictures `h w 3` RGB."""
    before, here = (cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY) for rgb in (picture_before, picture))
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow.setFinestScale(0)
    back = flow.calc(here, before, np.zeros((*here.shape, 2), np.float32))
    height, width = here.shape
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(np.float32)
    x, y = cv2.split(grid + back)
    return np.asarray(cv2.remap(matte, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def peak_of(field: Numbers) -> NDArray[np.float64]:
    """Find the highest value of a field `h w`: x y, between pixels by a paraboloid through the pixels round it."""
    _, _, _, (x, y) = cv2.minMaxLoc(field)
    if not (0 < x < field.shape[1] - 1 and 0 < y < field.shape[0] - 1):
        return np.array([x, y], float)
    across, down = (part.ravel() for part in np.meshgrid((-1, 0, 1), (-1, 0, 1)))
    terms = np.stack([np.ones(9), across, down, across**2, across * down, down**2], axis=1)
    around = field[y - 1 : y + 2, x - 1 : x + 2].ravel()
    _, slope_x, slope_y, bend_x, twist, bend_y = np.linalg.lstsq(terms, around, rcond=None)[0]
    bends = np.array([[2 * bend_x, twist], [twist, 2 * bend_y]])
    if np.linalg.det(bends) <= 0:
        return np.array([x, y], float)
    step = np.linalg.solve(bends, [-slope_x, -slope_y])
    return np.asarray(np.array([x, y]) + np.clip(step, -1, 1))


def _ranks(row: Numbers) -> NDArray[np.float64]:
    _, places, counts = np.unique(row, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[places])
