# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture at several sizes, to be laid on meshes."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from .mesh import Mesh
from .raster import Floats, Frame, Patch, draw_mesh

_SMALLEST_SCALE = 0.6


class Texture:
    """A premultiplied picture at several sizes, so that a small figure does not shimmer."""

    def __init__(self, straight: Floats) -> None:
        rows, columns = np.flatnonzero(straight[..., 3].any(1)), np.flatnonzero(straight[..., 3].any(0))
        top, left = (max(int(seen[0]) - 1, 0) if len(seen) else 0 for seen in (rows, columns))
        bottom, right = (int(seen[-1]) + 2 if len(seen) else 1 for seen in (rows, columns))
        self._origin = np.array((left, top), np.float32)
        level = straight[top:bottom, left:right].copy()
        level[..., :3] *= level[..., 3:]
        self._levels = [level]
        while min(level.shape[:2]) > 64:
            size = (level.shape[1] // 2, level.shape[0] // 2)
            level = cv2.resize(level, size, interpolation=cv2.INTER_AREA)
            self._levels.append(level)

    def draw(self, points: Floats, mesh: Mesh, scale: float, frame: Frame) -> Patch:
        """Draw the mesh with the level that fits `scale` (frame pixels per picture pixel).

        The patch's places are the picture's, times `scale`, whatever the level and what this picture shows of a mesh.
        """
        depth = 0
        while depth + 1 < len(self._levels) and scale * 2**depth < _SMALLEST_SCALE:
            depth += 1
        level = self._levels[depth]
        shrink = np.array(level.shape[1::-1]) / np.array(self._levels[0].shape[1::-1])
        texture = ((mesh.points - self._origin + 0.5) * shrink - 0.5).astype(np.float32)
        patch = draw_mesh(level, points.astype(np.float32), mesh.triangles, texture, frame)
        if patch.places is None:
            return patch
        to_picture = scale * np.column_stack([np.diag(1 / shrink), self._origin + 0.5 / shrink - 0.5])
        return replace(patch, places=cv2.transform(patch.places, to_picture))
