# SPDX-License-Identifier: GPL-3.0-or-later
"""Painted surfaces of the room, as pictures `h w 3`, sRGB 0..1, that tile where it makes sense."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .solid import Points

Tone = tuple[float, float, float]


def tone(code: str) -> Tone:
    """Read an sRGB colour from six hexadecimal digits, 0..1."""
    r, g, b = (int(code[i : i + 2], 16) / 255 for i in (0, 2, 4))
    return r, g, b


def clouds(height: int, width: int, cell: int, seed: int) -> Points:
    """Tiling value noise, -1..1, with features of `cell` pixels and two finer octaves."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width))
    for octave in range(3):
        size = max(2, cell >> octave)
        rows, columns = max(1, height // size), max(1, width // size)
        total += _stretched(rng.uniform(-1, 1, (rows, columns)), height, width) / 2**octave
    return np.clip(total / 1.4, -1, 1)


def _stretched(grid: Points, height: int, width: int) -> Points:
    def weights(size: int, count: int) -> tuple[Points, Points, Points]:
        at = np.arange(size) * count / size
        part = at - np.floor(at)
        return np.floor(at).astype(int) % count, (np.floor(at).astype(int) + 1) % count, part * part * (3 - 2 * part)

    r0, r1, fr = weights(height, grid.shape[0])
    c0, c1, fc = weights(width, grid.shape[1])
    rows = grid[r0] * (1 - fr)[:, None] + grid[r1] * fr[:, None]
    return rows[:, c0] * (1 - fc) + rows[:, c1] * fc


def _tinted(base: Tone, light: Points) -> Points:
    return np.clip(np.asarray(base) * light[..., None], 0, 1)


def planks(base: Tone, seed: int, size: int = 768, rows: int = 10) -> Points:
    """Floor boards along x: each with its own tone, grain and end joints."""
    rng = np.random.default_rng(seed)
    v, u = np.mgrid[:size, :size] / size
    row = np.minimum((v * rows).astype(int), rows - 1)
    shift = rng.uniform(0, 1, rows)[row]
    board = ((u + shift) * 2).astype(int) % 2
    tones = rng.uniform(0.78, 1.12, (rows, 2))[row, board]
    grain = 0.10 * _stretched(rng.uniform(-1, 1, (size // 3, 24)), size, size) + 0.06 * clouds(size, size, 96, seed)
    gap = np.minimum((v * rows) % 1, 1 - (v * rows) % 1) < 0.035
    joint = np.abs(((u + shift) * 2) % 1 - 0.5) > 0.493
    return _tinted(base, (tones + grain) * np.where(gap | joint, 0.45, 1))


def bricks(base: Tone, mortar: Tone, seed: int, size: int = 768) -> Points:
    """Paint a wall of bricks, 12 courses of 4 to a tile."""
    rng = np.random.default_rng(seed)
    v, u = np.mgrid[:size, :size] / size
    course = (v * 12).astype(int) % 12
    along = u * 4 + 0.5 * (course % 2)
    brick = along.astype(int) % 4
    tones = rng.uniform(0.7, 1.15, (12, 4))[course, brick] + 0.16 * clouds(size, size, 24, seed)
    edge = np.minimum.reduce([(v * 12) % 1 / 12, (1 - (v * 12) % 1) / 12, along % 1 / 4, (1 - along % 1) / 4])
    joint = np.clip((0.006 - edge) * 400, 0, 1)[..., None]
    wall = _tinted(base, tones)
    return wall + (_tinted(mortar, 1 + 0.1 * clouds(size, size, 12, seed + 1)) - wall) * joint


def plaster(base: Tone, seed: int, size: int = 768) -> Points:
    """Painted plaster: broad stains, fine grain, some scuffs."""
    light = 1 + 0.10 * clouds(size, size, 256, seed) + 0.06 * clouds(size, size, 24, seed + 1)
    scuffs = np.clip(clouds(size, size, 48, seed + 2) - 0.55, 0, 1) * 0.5
    return _tinted(base, light - scuffs)


def wallpaper(base: Tone, figure: Tone, seed: int, size: int = 768) -> Points:
    """Paint a diamond pattern with dots."""
    v, u = np.mgrid[:size, :size] / size
    lattice = np.abs(((u + v) * 6) % 1 - 0.5), np.abs(((u - v) * 6) % 1 - 0.5)
    line = np.clip((np.maximum(*lattice) - 0.455) * 60, 0, 1)
    dot = np.clip((0.13 - np.hypot(*lattice)) * 40, 0, 1)
    share = (np.maximum(line, dot) * 0.75)[..., None]
    paper = _tinted(base, 1 + 0.07 * clouds(size, size, 128, seed))
    return paper + (np.asarray(figure) - paper) * share


def rug(colours: Sequence[Tone], seed: int, size: int = 512) -> Points:
    """Paint a woven rug: borders, a medallion, zigzag bands."""
    v, u = np.mgrid[:size, :size] / size
    edge = np.minimum.reduce([u, 1 - u, v, 1 - v])
    band = (np.abs(((u * 18) % 2) - 1) * 0.06 + v) * 14
    middle = np.abs(u - 0.5) * 1.3 + np.abs(v - 0.5)
    pick = (band.astype(int) % 2) + 2 * (middle < 0.3) - (middle < 0.2) + ((middle < 0.1) * 1)
    pick = np.where(edge < 0.12, 2 + ((u * 24).astype(int) + (v * 24).astype(int)) % 2, pick)
    pick = np.where((edge < 0.035) | ((edge > 0.10) & (edge < 0.12)), 0, pick)
    cloth = np.asarray(colours)[np.clip(pick, 0, len(colours) - 1)]
    return np.clip(
        cloth * (1 + 0.10 * clouds(size, size, 6, seed) + 0.08 * clouds(size, size, 128, seed))[..., None], 0, 1
    )


def poster(colours: Sequence[Tone], seed: int, height: int = 384, width: int = 288) -> Points:
    """Paint an abstract print: discs and bars on paper, with a frame."""
    rng = np.random.default_rng(seed)
    v, u = np.mgrid[:height, :width] / width
    paper = np.broadcast_to(np.asarray(colours[0]), (height, width, 3)).copy()
    for _ in range(9):
        centre, radius = rng.uniform((0.15, 0.15), (0.85, 1.15)), rng.uniform(0.06, 0.26)
        colour = np.asarray(colours[int(rng.integers(1, len(colours)))])
        away = np.hypot(u - centre[0], v - centre[1])
        shape = (
            away < radius
            if rng.random() < 0.6
            else (np.abs(u - centre[0]) < radius * 0.25) & (np.abs(v - centre[1]) < radius * 1.6)
        )
        paper[shape] = colour
    edge = np.minimum.reduce([u, 1 - u, v, height / width - v])
    paper[edge < 0.075] = (0.93, 0.91, 0.87)
    paper[edge < 0.035] = (0.10, 0.08, 0.07)
    return paper


def books(seed: int, height: int = 256, width: int = 512) -> Points:
    """Spines on a shelf."""
    rng = np.random.default_rng(seed)
    picture = np.full((height, width, 3), 0.05)
    x = 0
    while x < width - 8:
        thick, tall = int(rng.integers(14, 38)), int(height * rng.uniform(0.6, 0.95))
        colour = rng.uniform(0.12, 0.75, 3) * rng.uniform(0.6, 1.1)
        picture[-tall:, x + 1 : x + thick] = np.clip(colour, 0, 1)
        for stripe in rng.uniform(0.1, 0.9, 2):
            at = height - int(tall * stripe)
            picture[at : at + 6, x + 1 : x + thick] = np.clip(colour * 1.8 + 0.1, 0, 1)
        x += thick
    return picture


def timber(base: Tone, seed: int, size: int = 384) -> Points:
    """Wood with upright grain."""
    rng = np.random.default_rng(seed)
    grain = _stretched(rng.uniform(-1, 1, (6, size // 4)), size, size)
    return _tinted(base, 1 + 0.16 * grain + 0.08 * clouds(size, size, 96, seed))
