# SPDX-License-Identifier: GPL-3.0-or-later
"""The rooms of the demo: textured surfaces at several depths, for parallax, and the light that falls into them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .light import Lamps
from .solid import Points, Solid, ellipsoid, join, sheet, tube
from .textures import Tone, books, bricks, planks, plaster, poster, rug, timber, tone, wallpaper

_CELL = 0.05
Spot = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Surface:
    """A piece of the room: `uv` is `n 2`, in repeats of the picture called `texture`."""

    solid: Solid
    uv: Points
    texture: str
    casts: bool = True


@dataclass(frozen=True, slots=True)
class Room:
    """Surfaces, the pictures on them (sRGB `h w 3`, 0..1), and the light."""

    surfaces: tuple[Surface, ...]
    pictures: dict[str, Points]
    lamps: Lamps


def room(seed: int) -> Room:
    """Furnish the room of a seed; there are two, which alternate."""
    return _loft() if seed % 2 == 0 else _parlour()


def panel(corner: Spot, u: Spot, v: Spot, texture: str, *, tile: float | None = None, casts: bool = True) -> Surface:
    """Make a rectangle with edges `u` and `v`, seen from where v lies left of u; `tile` metres a repeat, else one."""
    long, high = float(np.linalg.norm(u)), float(np.linalg.norm(v))
    columns, rows = (max(2, int(length / _CELL) + 1) for length in (long, high))
    s, t = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
    grid = np.asarray(corner) + s[..., None] * np.asarray(u) + t[..., None] * np.asarray(v)
    uv = np.stack([s * long / tile, t * high / tile] if tile else [s, t], axis=-1).reshape(-1, 2)
    return Surface(sheet(grid), uv, texture, casts)


def block(low: Spot, high: Spot, texture: str, *, tile: float = 0.8, front: str | None = None) -> list[Surface]:
    """Make a box without its bottom; `front` names another picture for the side that looks along -y."""
    (x, y, z), (w, d, h) = low, (np.asarray(high) - low).tolist()
    return [
        panel((x, y, z), (w, 0, 0), (0, 0, h), front or texture, tile=None if front else tile),
        panel((x + w, y, z), (0, d, 0), (0, 0, h), texture, tile=tile),
        panel((x + w, y + d, z), (-w, 0, 0), (0, 0, h), texture, tile=tile),
        panel((x, y + d, z), (0, -d, 0), (0, 0, h), texture, tile=tile),
        panel((x, y, z + h), (w, 0, 0), (0, d, 0), texture, tile=tile),
    ]


def _round(solid: Solid, texture: str, tile: float = 0.5) -> Surface:
    return Surface(solid, solid.vertices[:, [0, 2]] / tile, texture)


def _shell(back: float, left: float, right: float, wall: str) -> list[Surface]:
    """Floor, three walls and a skirting board."""
    front, height = -4.2, 3.4
    deep, wide = back - front, right - left
    return [
        panel((left, front, 0), (wide, 0, 0), (0, deep, 0), "floor", tile=2.0, casts=False),
        panel((left, back, 0), (wide, 0, 0), (0, 0, height), wall, tile=1.6, casts=False),
        panel((left, front, 0), (0, deep, 0), (0, 0, height), "side wall", tile=1.9, casts=False),
        panel((right, back, 0), (0, -deep, 0), (0, 0, height), "side wall", tile=1.9, casts=False),
        *block((left, back - 0.03, 0), (right, back, 0.13), "skirting"),
    ]


def _picture(x: float, z: float, wide: float, back: float, name: str) -> list[Surface]:
    """Hang a framed print on the back wall, 4/3 as high as wide."""
    return block((x, back - 0.05, z), (x + wide, back - 0.005, z + wide * 4 / 3), "skirting", front=name)


def _lamp_stand(x: float, y: float) -> list[Surface]:
    stand = tube(
        [(x, y, 0.0), (x, y, 0.03), (x, y, 0.035), (x, y, 1.45)],
        [0.15, 0.14, 0.016, 0.016],
        segments=16,
        bulge=None,
    )
    shade = tube(np.linspace((x, y, 1.38), (x, y, 1.72), 8), list(np.linspace(0.20, 0.13, 8)), segments=32, bulge=None)
    return [_round(stand, "metal"), _round(shade, "shade")]


def _stool(x: float, y: float, height: float, texture: str) -> list[Surface]:
    seat = tube([(x, y, height - 0.05), (x, y, height)], [0.19, 0.19], segments=32, bulge=0.05)
    legs = []
    for dx, dy in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        foot, top = (x + dx * 0.16, y + dy * 0.16, 0.0), (x + dx * 0.10, y + dy * 0.10, height - 0.05)
        legs.append(tube(np.linspace(foot, top, 6), [0.018] * 6, segments=10))
    return [_round(join([seat, *legs]), texture)]


def _plant(x: float, y: float, height: float, seed: int) -> list[Surface]:
    """Make a pot with long bent leaves."""
    rng = np.random.default_rng(seed)
    pot = tube([(x, y, 0.0), (x, y, 0.30), (x, y, 0.34)], [0.13, 0.18, 0.18], segments=28, bulge=0.1)
    leaves = []
    for _ in range(26):
        heading, bend, tall = rng.uniform(0, 2 * np.pi), rng.uniform(0.25, 0.75), height * rng.uniform(0.6, 1.0)
        t = np.linspace(0, 1, 12)
        out = bend * t**2
        rise = 0.3 + (tall - 0.3) * (t - 0.35 * bend * t**3)
        spine = np.stack([x + out * np.cos(heading), y + out * np.sin(heading), rise], axis=1)
        width = 0.008 + 0.045 * np.sin(np.pi * np.clip(t * 0.95 + 0.03, 0, 1))
        leaves.append(
            tube(spine, [(float(w), 0.004) for w in width], across=(-np.sin(heading), np.cos(heading), 0.1), segments=8)
        )
    return [_round(pot, "pot"), _round(join(leaves), "leaf", tile=0.3)]


def _flat(base: Tone, seed: int) -> Points:
    return plaster(base, seed, size=192)


def _prints(palettes: Sequence[Sequence[str]], seed: int) -> dict[str, Points]:
    return {f"print {i}": poster([tone(c) for c in palette], seed + i) for i, palette in enumerate(palettes)}


def _loft() -> Room:
    """Furnish a brick loft in low warm sun from the left."""
    back = 2.3
    surfaces = [
        *_shell(back, -3.6, 3.6, "brick"),
        panel((-1.35, -0.75, 0.008), (2.7, 0, 0), (0, 1.9, 0), "rug", casts=False),
        *_picture(-2.35, 1.25, 0.72, back, "print 0"),
        *_picture(0.55, 1.35, 0.6, back, "print 1"),
        *_picture(1.45, 1.2, 0.78, back, "print 2"),
        *block((-2.75, 1.75, 0.0), (-1.25, 2.2, 0.82), "timber", front="books"),
        *block((1.55, 1.55, 0.0), (2.15, 2.15, 0.55), "crate"),
        *block((1.68, 1.65, 0.55), (2.05, 2.02, 0.88), "crate"),
        *_lamp_stand(-2.15, 0.75),
        *_stool(-1.62, -0.9, 0.5, "timber"),
        *_plant(2.35, 0.5, 1.35, 4),
        _round(ellipsoid((-2.4, 1.95, 0.93), (0.1, 0.1, 0.12)), "pot"),
    ]
    pictures = {
        "floor": planks(tone("a8794e"), 1),
        "brick": bricks(tone("a4624a"), tone("b9ab9a"), 2),
        "side wall": plaster(tone("c9bda8"), 3),
        "skirting": _flat(tone("3a2c22"), 4),
        "rug": rug([tone(c) for c in ("c9b48c", "a8784e", "5f4a44", "8c5a3e")], 5),
        "books": books(6),
        "timber": timber(tone("7a4f2e"), 7),
        "crate": timber(tone("b08a52"), 8),
        "metal": _flat(tone("2a2a2e"), 9),
        "shade": _flat(tone("efd9a8"), 10),
        "pot": _flat(tone("b4613c"), 11),
        "leaf": _flat(tone("3f6b35"), 12),
    }
    palettes = (
        ("efe6d2", "c8452f", "204a66", "e0a83c"),
        ("1f2f3a", "e8b04a", "d9d2c0", "b8432e"),
        ("e9e2d6", "2f6b5a", "d9822b", "23262e"),
    )
    lamps = Lamps((-0.62, -0.62, 0.85), (1.40, 1.12, 0.80), 0.024, (0.34, 0.39, 0.48), (0.20, 0.14, 0.09))
    return Room(tuple(surfaces), {**pictures, **_prints(palettes, 20)}, lamps)


def _parlour() -> Room:
    """Furnish a papered parlour in cool daylight from the right."""
    back = 1.9
    surfaces = [
        *_shell(back, -3.2, 4.0, "paper"),
        panel((-1.1, -0.9, 0.008), (2.4, 0, 0), (0, 1.7, 0), "rug", casts=False),
        *_picture(-1.7, 1.3, 0.62, back, "print 0"),
        *_picture(1.3, 1.25, 0.8, back, "print 1"),
        *block((1.0, 1.4, 0.0), (2.5, 1.8, 0.75), "timber", front="books"),
        *block((-2.6, 1.1, 0.0), (-1.75, 1.75, 0.46), "cushion"),
        *block((-2.6, 1.6, 0.46), (-1.75, 1.8, 1.0), "cushion"),
        *_lamp_stand(2.3, 0.6),
        *_stool(1.75, -0.85, 0.62, "crate"),
        *_plant(-2.0, 0.2, 1.1, 9),
        _round(ellipsoid((1.4, 1.6, 0.88), (0.09, 0.09, 0.14)), "pot"),
    ]
    pictures = {
        "floor": planks(tone("5f4632"), 31, rows=14),
        "paper": wallpaper(tone("5d7f7c"), tone("cfc6a2"), 32),
        "side wall": plaster(tone("a9b3ad"), 33),
        "skirting": _flat(tone("e4ded2"), 34),
        "rug": rug([tone(c) for c in ("d8c9a8", "2f5a52", "8a4a2c", "c9a25a")], 35),
        "books": books(36),
        "timber": timber(tone("4a2f20"), 37),
        "crate": timber(tone("93673d"), 38),
        "cushion": _flat(tone("a8552f"), 39),
        "metal": _flat(tone("8a7440"), 40),
        "shade": _flat(tone("d8dccf"), 41),
        "pot": _flat(tone("e0dcd0"), 42),
        "leaf": _flat(tone("57804a"), 43),
    }
    palettes = (("e6dcc8", "27506b", "c8763a", "3a3a3a"), ("32403c", "d8b878", "c45a3c", "e8e2d4"))
    lamps = Lamps((0.72, -0.55, 0.80), (1.34, 1.32, 1.26), 0.028, (0.32, 0.35, 0.37), (0.12, 0.10, 0.08))
    return Room(tuple(surfaces), {**pictures, **_prints(palettes, 50)}, lamps)
