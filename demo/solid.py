# SPDX-License-Identifier: GPL-3.0-or-later
"""Simple solids as arrays: tubes, ellipsoids and sheets of quads, from which figure and room are made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .anatomy import unit

Quads = NDArray[np.int32]
Points = NDArray[np.floating[Any]]
Spot = Sequence[float] | Points
"""A place or direction, or three radii."""


@dataclass(frozen=True, slots=True)
class Solid:
    """A surface: vertices `n 3` in metres, faces `m 4`."""

    vertices: Points
    faces: Quads

    def moved(self, by: Spot) -> Solid:
        """Shift by a vector."""
        return Solid(self.vertices + np.asarray(by, float), self.faces)

    def mirrored(self) -> Solid:
        """Reflect left and right, faces still looking outward."""
        return Solid(self.vertices * [-1, 1, 1], self.faces[:, ::-1])


def join(solids: Iterable[Solid]) -> Solid:
    """Lay several solids into one list of vertices and faces."""
    kept = list(solids)
    starts = np.cumsum([0] + [len(s.vertices) for s in kept[:-1]])
    faces = [s.faces + start for s, start in zip(kept, starts, strict=True)]
    return Solid(np.concatenate([s.vertices for s in kept]), np.concatenate(faces).astype(np.int32))


def sheet(grid: Points) -> Solid:
    """Make a patch from a grid of points, `rows columns 3`."""
    rows, columns = grid.shape[:2]
    index = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    corners = (index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1])
    return Solid(grid.reshape(-1, 3).astype(float), np.stack([c.ravel() for c in corners], axis=1))


def tube(
    centres: Sequence[Spot] | Points,
    radii: Sequence[float | tuple[float, float]],
    *,
    across: Spot = (1, 0, 0),
    segments: int = 20,
    bulge: float | None = 1.0,
) -> Solid:
    """Run a tube through `centres`; a radius may be a pair: along `across`, and square to it.

    The ends are closed by half ellipsoids as high as `bulge` radii, or left open where it is None.
    """
    line = np.asarray(centres, float)
    widths = np.array([r if isinstance(r, tuple) else (r, r) for r in radii], float)
    if bulge is not None:
        line, widths = _rounded(line, widths, bulge)
    ahead = np.gradient(line, axis=0)
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    rings = []
    for centre, width, tangent in zip(line, widths, ahead, strict=True):
        t = unit(tangent)
        u = unit(np.asarray(across, float) - t * (np.asarray(across, float) @ t))
        v = np.cross(t, u)
        rings.append(centre + np.outer(np.cos(angle) * width[0], u) + np.outer(np.sin(angle) * width[1], v))
    return _closed(np.stack(rings))


def ellipsoid(centre: Spot, radii: Spot, *, segments: int = 20) -> Solid:
    """Make an ellipsoid with its axes along x, y and z."""
    up = np.linspace(-np.pi / 2 + 0.02, np.pi / 2 - 0.02, segments // 2 + 1)
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle), np.zeros(segments)], axis=1)
    points = ring * np.cos(up)[:, None, None] + np.array([0, 0, 1]) * np.sin(up)[:, None, None]
    return _closed(points * np.asarray(radii, float) + np.asarray(centre, float))


def _rounded(line: Points, widths: Points, bulge: float) -> tuple[Points, Points]:
    """Close both ends with half an ellipsoid in four rings."""
    angle = np.radians([88.0, 65.0, 42.0, 20.0])
    start, end = unit(line[0] - line[1]), unit(line[-1] - line[-2])
    first = line[0] + np.outer(np.sin(angle) * widths[0].min() * bulge, start)
    last = line[-1] + np.outer(np.sin(angle[::-1]) * widths[-1].min() * bulge, end)
    narrow = np.cos(angle)[:, None]
    return np.concatenate([first, line, last]), np.concatenate([narrow * widths[0], widths, narrow[::-1] * widths[-1]])


def _closed(rings: Points) -> Solid:
    """Quads round and along a stack of rings, `n segments 3`."""
    wrapped = np.concatenate([rings, rings[:, :1]], axis=1)
    rows, columns = wrapped.shape[:2]
    index = np.arange(rows * (columns - 1), dtype=np.int32).reshape(rows, columns - 1)
    index = np.concatenate([index, index[:, :1]], axis=1)
    corners = (index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1])
    return Solid(rings.reshape(-1, 3), np.stack([c.ravel() for c in corners], axis=1))
