# SPDX-License-Identifier: GPL-3.0-or-later
"""A triangle mesh laid over a part of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .raster import Floats

_FROM_CENTRE, _MARGIN_PX = 2 / 3, 2
"""How far a triangle's corners lie from its centre along an axis, cells; and the room for its soft edge."""


@dataclass(frozen=True, slots=True)
class Mesh:
    """points: `v 2` float32 in the picture's pixels; triangles: `t 3` int32, the later in front."""

    points: Floats
    triangles: NDArray[np.int32]

    def over(self, alpha: Floats) -> Mesh:
        """Keep the triangles over what `alpha` (`h w`, 0..1) shows: a clear one in front would hide its own limb."""
        if not len(self.triangles):
            return self
        corners = self.points[self.triangles]
        room = 2 * int(np.ptp(corners[0], axis=0).max() * _FROM_CENTRE + _MARGIN_PX) + 1
        near = cv2.dilate((alpha > 0).astype(np.uint8), np.ones((room, room), np.uint8))
        x, y = np.clip(np.round(corners.mean(1)).astype(int), 0, (alpha.shape[1] - 1, alpha.shape[0] - 1)).T
        return Mesh(self.points, self.triangles[near[y, x] > 0])


def grid_mesh(alpha: Floats, step_px: int) -> Mesh:
    """Cover what `alpha` (`h w`, 0..1) shows by a regular grid, one cell wider, so that its soft edge lies inside."""
    height, width = alpha.shape
    wide = cv2.dilate((alpha > 0).astype(np.uint8), np.ones((2 * step_px + 1, 2 * step_px + 1), np.uint8))
    xs, ys = np.arange(-step_px, width + step_px, step_px), np.arange(-step_px, height + step_px, step_px)
    x, y = np.meshgrid(xs, ys)
    inside = wide[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)] > 0
    cells = inside[:-1, :-1] & inside[1:, :-1] & inside[:-1, 1:] & inside[1:, 1:]
    row, column = np.nonzero(cells)
    corner = row * len(xs) + column
    right, below = corner + 1, corner + len(xs)
    triangles = np.stack([corner, right, below, right, below + 1, below], 1).reshape(-1, 3)
    used, renumbered = np.unique(triangles, return_inverse=True)
    points = np.stack([x, y], -1).reshape(-1, 2)[used].astype(np.float32)
    return Mesh(points, renumbered.reshape(-1, 3).astype(np.int32))
