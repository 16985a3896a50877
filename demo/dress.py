# SPDX-License-Identifier: GPL-3.0-or-later
"""What figures wear: linear colours by place on the resting body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .anatomy import Skeleton, arm_direction
from .solid import Points

Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Fabric:
    """A cloth: its ground, a second and third colour, and how they are woven: plain, plaid, hoops or denim."""

    ground: Colour
    second: Colour
    third: Colour
    weave: str = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wardrobe:
    """Colours of one figure. Linear RGB."""

    skin: Colour
    lips: Colour
    hair: Colour
    iris: Colour
    shirt: Fabric
    collar: Colour
    trousers: Fabric
    shoes: Colour
    soles: Colour
    bob: bool = False
    gloves: Colour | None = None

    @property
    def hands(self) -> Colour:
        """Colour of the hands, bare or gloved."""
        return self.gloves or self.skin


def hexed(code: str) -> Colour:
    """Linear RGB of an sRGB colour written as six hexadecimal digits."""
    values = np.array([int(code[i : i + 2], 16) for i in (0, 2, 4)]) / 255
    r, g, b = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return float(r), float(g), float(b)


def waves(points: Points, scale: float, seed: int) -> Points:
    """Smooth noise around 0, about -1..1, with features of `scale` metres."""
    rng = np.random.default_rng(seed)
    total = np.zeros(len(points))
    for _ in range(10):
        direction = rng.normal(size=3) * 2 * np.pi / scale / 2
        total += np.sin(points @ direction + rng.uniform(0, 2 * np.pi))
    return total / 4


def skin(points: Points, colour: Colour, mottle: float = 0.04) -> Points:
    """Lay an even colour with a slight mottle."""
    return np.asarray(colour) * (1 + mottle * waves(points, 0.05, 3) + mottle * waves(points, 0.012, 5))[:, None]


def shoe(height: Points, wardrobe: Wardrobe) -> Points:
    """Upper and sole by height over the floor, `n` in metres."""
    sole = (height < 0.022)[:, None]
    return np.where(sole, np.asarray(wardrobe.soles), np.asarray(wardrobe.shoes))


def cloth(points: Points, fabric: Fabric, skeleton: Skeleton) -> Points:
    """Colour of a fabric on the resting body."""
    along, round_ = _thread(points, skeleton)
    ground, second, third = (np.asarray(c) for c in (fabric.ground, fabric.second, fabric.third))
    colour = np.broadcast_to(ground, points.shape).copy()
    if fabric.weave == "plaid":
        colour = _over(colour, second, 0.6 * _bars(along, 0.11, 0.4) + 0.0)
        colour = _over(colour, second, 0.6 * _bars(round_, 0.11, 0.4))
        colour = _over(colour, third, 0.7 * _bars(along + 0.055, 0.11, 0.09))
        colour = _over(colour, third, 0.7 * _bars(round_ + 0.055, 0.11, 0.09))
    elif fabric.weave == "hoops":
        colour = _over(colour, second, _bars(along, 0.09, 0.42))
        colour = _over(colour, third, _bars(along + 0.045, 0.09, 0.12))
    elif fabric.weave == "denim":
        seam = np.abs(np.abs(points[:, 1]) - 0.0) < 0.007
        colour = _over(colour, second, np.clip(0.5 + 0.5 * waves(points, 0.25, 8), 0, 1) * 0.6)
        colour = _over(colour, third, seam * 0.5)
    return np.clip(colour * (1 + 0.06 * waves(points, 0.03, 11) + 0.06 * waves(points, 0.10, 12))[:, None], 0, 1)


def _thread(points: Points, skeleton: Skeleton) -> tuple[Points, Points]:
    """Two coordinates on the cloth in metres: along the limb or trunk, and round it."""
    shoulder = skeleton["upper_arm.left"].head
    mirrored = points * [1, 1, 1]
    mirrored[:, 0] = np.abs(mirrored[:, 0])
    ahead = arm_direction("left")
    on_arm = (mirrored - shoulder) @ ahead
    is_arm = (on_arm > 0.03) & (mirrored[:, 0] > 0.17 * skeleton.build.girth)
    along = np.where(is_arm, on_arm, points[:, 2])
    round_ = np.where(is_arm, points[:, 1], points[:, 0])
    return along, round_


def _bars(x: Points, period: float, share: float) -> Points:
    """1 on bars of a share of each period, 0 between, with slightly soft edges."""
    wave = 0.5 + 0.5 * np.cos(2 * np.pi * x / period)
    edge = 0.5 - 0.5 * np.cos(np.pi * share)
    return np.clip((wave - (1 - edge)) * 8 + 0.5, 0, 1)


def _over(colour: Points, top: Points, share: Points) -> Points:
    return colour + (top - colour) * share[:, None]


PERFORMERS = (
    Wardrobe(
        skin=hexed("d9a07f"),
        lips=hexed("a8584f"),
        hair=hexed("3b2416"),
        iris=hexed("4a6a3c"),
        shirt=Fabric(hexed("2f6f86"), hexed("163248"), hexed("e6dcc0"), "plaid"),
        collar=hexed("2a6076"),
        trousers=Fabric(hexed("6b5c45"), hexed("8a7857"), hexed("4a3d2b"), "denim"),
        shoes=hexed("5a3a22"),
        soles=hexed("d8d0c0"),
    ),
    Wardrobe(
        skin=hexed("8a5638"),
        lips=hexed("7a3a34"),
        hair=hexed("15100e"),
        iris=hexed("2c1a10"),
        shirt=Fabric(hexed("e6dcc6"), hexed("23496b"), hexed("c8542e"), "hoops"),
        collar=hexed("23496b"),
        trousers=Fabric(hexed("33363e"), hexed("454a55"), hexed("22242a"), "denim"),
        shoes=hexed("e8e4dc"),
        soles=hexed("b8b4ac"),
        bob=True,
    ),
)
"""What the performers of seed 0, 1, ... wear."""
