# SPDX-License-Identifier: GPL-3.0-or-later
"""The hole: which pixels of a frame the plate may change. Everywhere else the plate is the source, to the bit."""

from __future__ import annotations

from collections.abc import Sequence as Pictures

import cv2
import numpy as np
from numpy.typing import NDArray

MATTE_FLOOR = 8
"""A matte above this (of 255) is performer: 3 %, so that hair and blur do not stay behind as a fringe."""

_MARGIN = 0.013
"""Dilation in performer heights."""
_LEAST_MARGIN_PX = 3
_REACH = 0.05
"""No hole pixel lies farther than this from the matte, in performer heights: the contract with the compositor."""


def margin_px(performer_height_px: float) -> int:
    """Tell by how many pixels the matte is dilated: 1.3 % of the performer's height, at least 3 px, never over 5 %.

    A performer so small that 5 % is less than a pixel still gets one pixel.
    """
    wanted = max(_LEAST_MARGIN_PX, round(_MARGIN * performer_height_px))
    return max(1, min(wanted, int(_REACH * performer_height_px)))


def hole_of(mattes: Pictures[NDArray[np.uint8]], performer_height_px: float) -> NDArray[np.bool_]:
    """Dilate the union of mattes (`h w`, 0..255, at least one) by `margin_px`: the pixels that the plate replaces."""
    performer = np.max(np.stack(list(mattes)), axis=0) > MATTE_FLOOR
    return grow(performer, margin_px(performer_height_px))


def grow(region: NDArray[np.bool_], by_px: float) -> NDArray[np.bool_]:
    """Add all pixels whose centre is within `by_px` (Euclidean) of the region's pixels."""
    grown = region.copy()
    if by_px <= 0 or not region.any():
        return grown
    # Only the region's box is measured: a performer is a tenth of the picture.
    rows, columns = (np.flatnonzero(region.any(axis)) for axis in (1, 0))
    room = int(np.ceil(by_px))
    box = (slice(max(0, rows[0] - room), rows[-1] + room + 1), slice(max(0, columns[0] - room), columns[-1] + room + 1))
    away = cv2.distanceTransform((~region[box]).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    grown[box] = away <= by_px
    return grown
