# SPDX-License-Identifier: GPL-3.0-or-later
"""Light without a ray tracer: a sun with soft shadow, a sky seen from many directions, a glow from the floor.

Each direction of light gets a small depth map of what casts shadow, made by dropping the casters' vertices on a grid.
The light of a vertex is then a few look-ups, so that the renderer has only to draw glowing surfaces: that is as fast on
any machine as drawing can be, needs no graphics driver, and gives equal pictures everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .anatomy import unit
from .dress import Colour
from .solid import Points

FIGURE_CELL, ROOM_CELL = 0.016, 0.05
_BIAS_CELLS = 1.9
_SKY_DIRECTIONS = 16
_DISC = np.array([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (0.7, 0.7), (-0.7, 0.7), (0.7, -0.7), (-0.7, -0.7)])


@dataclass(frozen=True, slots=True)
class Lamps:
    """Light of a shot. Directions point towards the light; colours are linear RGB strengths."""

    sun: tuple[float, float, float]
    sun_colour: Colour
    sun_softness: float
    sky_colour: Colour
    bounce_colour: Colour


@dataclass(frozen=True, slots=True)
class ShadowMap:
    """Depth towards a light on a grid of cells; `depth` holds the caster nearest to the light, -inf where none is."""

    axes: Points
    low: Points
    depth: Points
    cell: float

    def blocked(self, points: Points, spread: float) -> Points:
        """Share of light kept off each point, 0..1, averaged over a disc of radius `spread` metres."""
        flat = points @ self.axes.T
        x, y = flat[:, 0], flat[:, 1]
        (left, low), (right, high) = self.low - spread, self.low + np.array(self.depth.shape) * self.cell + spread
        near = np.flatnonzero((x > left) & (x < right) & (y > low) & (y < high))
        offsets = _DISC * spread if spread else _DISC[:1]
        total = np.zeros(len(points))
        for offset in offsets:
            total[near] += self._tap(flat[near, :2] + offset, flat[near, 2])
        return total / len(offsets)

    def _tap(self, at: Points, depth: Points) -> Points:
        """Four cells round each place, weighted by nearness."""
        place = (at - self.low) / self.cell - 0.5
        corner = np.floor(place).astype(int)
        part = place - corner
        total = np.zeros(len(at))
        rows, columns = (np.clip(corner[:, i] + np.array([[0], [1]]), 0, self.depth.shape[i] - 1) for i in (0, 1))
        limit = depth + _BIAS_CELLS * self.cell
        for dx, across in ((0, 1 - part[:, 0]), (1, part[:, 0])):
            for dy, up in ((0, 1 - part[:, 1]), (1, part[:, 1])):
                total += (self.depth[rows[dx], columns[dy]] > limit) * across * up
        return total


def shadow_map(direction: Points, casters: Points, cell: float) -> ShadowMap:
    """Drop casters `n 3` on a grid square to the light's direction."""
    axes = _axes(direction)
    flat = casters @ axes.T
    low = flat[:, :2].min(axis=0) - 3 * cell
    size = np.ceil((flat[:, :2].max(axis=0) - low) / cell).astype(int) + 3
    depth = np.full(size, -np.inf)
    at = ((flat[:, :2] - low) / cell).astype(int)
    np.maximum.at(depth, (at[:, 0], at[:, 1]), flat[:, 2])
    return ShadowMap(axes, low, depth, cell)


def _axes(direction: Points) -> Points:
    ahead = unit(np.asarray(direction, float))
    side = unit(np.cross(ahead, [0.3, 0.9, 0.31]))
    return np.stack([side, np.cross(ahead, side), ahead])


def sky_directions() -> Points:
    """Directions over the upper half, evenly spread by the weight a level floor gives them."""
    i = np.arange(_SKY_DIRECTIONS) + 0.5
    up = np.sqrt(1 - 0.96 * i / _SKY_DIRECTIONS)
    turn = i * np.pi * (3 - np.sqrt(5))
    across = np.sqrt(1 - up**2)
    return np.stack([across * np.cos(turn), across * np.sin(turn), up], axis=1)


@dataclass(frozen=True, slots=True)
class Shade:
    """How much of each light figures keep off points: sun `n`, sky `n` and every sky direction `d n`, 0..1."""

    sun: Points
    sky: Points


class Casters:
    """The figures of one frame as things that cast shadow."""

    def __init__(self, lamps: Lamps, vertices: Points, cell: float) -> None:
        self._lamps = lamps
        self._sun = shadow_map(np.asarray(lamps.sun), vertices, cell)
        self._sky = [(d, shadow_map(d, vertices, cell)) for d in sky_directions()]

    def shade(self, points: Points, normals: Points) -> Shade:
        """Shadow on points `n 3` with unit normals."""
        lifted = points + normals * 0.012
        sun = self._sun.blocked(lifted, self._lamps.sun_softness)
        kept, total = np.zeros(len(points)), np.full(len(points), 1e-6)
        for direction, shadow in self._sky:
            facing = np.clip(normals @ direction, 0, None)
            kept += facing * shadow.blocked(lifted, 0.0)
            total += facing
        return Shade(sun, kept / total)


def lit(points: Points, normals: Points, lamps: Lamps, shade: Shade) -> Points:
    """Linear RGB light that falls on each point, `n 3`, without its own colour."""
    sun = np.clip(normals @ unit(np.asarray(lamps.sun)), 0, None) * (1 - shade.sun)
    up = 0.5 + 0.5 * normals[:, 2]
    sky = (0.25 + 0.75 * up) * (1 - shade.sky)
    floor = np.clip(1 - up, 0, 1) * np.clip(1.4 - points[:, 2], 0.35, 1.4) * (1 - 0.6 * shade.sky)
    terms = ((sun, lamps.sun_colour), (sky, lamps.sky_colour), (floor, lamps.bounce_colour))
    return np.asarray(
        sum((amount[:, None] * np.asarray(colour) for amount, colour in terms), np.zeros((len(points), 3)))
    )


def highlight(points: Points, normals: Points, eye: Points, lamps: Lamps, shade: Shade, gloss: Points) -> Points:
    """Linear RGB of the sun's and a window's reflection on glossy points, `n 3`. Blinn 1977."""
    to_eye = eye - points
    to_eye /= np.linalg.norm(to_eye, axis=1, keepdims=True)
    total = np.zeros((len(points), 3))
    for towards, colour, open_ in (
        (lamps.sun, lamps.sun_colour, 1 - shade.sun),
        ((-0.5, -0.6, 0.6), lamps.sky_colour, 1 - shade.sky),
    ):
        half = to_eye + unit(np.asarray(towards, float))
        half /= np.linalg.norm(half, axis=1, keepdims=True)
        shine = np.clip((normals * half).sum(axis=1), 0, 1) ** 40
        total += (gloss * shine * open_)[:, None] * np.asarray(colour)
    fresnel = (1 - np.clip((normals * to_eye).sum(axis=1), 0, 1)) ** 4
    return total + (0.25 * (gloss + 0.05) * fresnel * (1 - shade.sky))[:, None] * np.asarray(lamps.sky_colour)
