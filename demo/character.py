# SPDX-License-Identifier: GPL-3.0-or-later
"""The characters: figures very unlike the performers, in costume, standing for a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .acting import Act, ArmKey
from .anatomy import SIDES, Build, Skeleton, skeleton
from .body import body_parts
from .dress import Colour, Fabric, Wardrobe, hexed, skin, waves
from .face import face_parts, head_of
from .figure import Figure, Part, assemble
from .sculpt import melt
from .solid import Points, Solid, ellipsoid, join, sheet, tube
from .truth import Camera, camera_towards

_BUFF = hexed("dcae8c")
"""Gloves of pale leather: trackers do not take hands of strong colours for hands."""

_GOBLIN = Wardrobe(
    skin=hexed("7fa84e"),
    lips=hexed("6a5a34"),
    hair=hexed("d8d2c4"),
    iris=hexed("c98a1e"),
    shirt=Fabric(hexed("5a2a78"), hexed("45206a"), hexed("5a2a78"), "denim"),
    collar=hexed("d8a83a"),
    trousers=Fabric(hexed("3a2a4a"), hexed("2e2040"), hexed("2e2040"), "denim"),
    shoes=hexed("7a3a1e"),
    soles=hexed("2a1a12"),
    bob=True,
    gloves=_BUFF,
)
_RANGER = Wardrobe(
    skin=hexed("6f9fc4"),
    lips=hexed("5a5a8c"),
    hair=hexed("e8e4f0"),
    iris=hexed("d8602a"),
    shirt=Fabric(hexed("d86a1e"), hexed("b8541a"), hexed("2a2a30"), "denim"),
    collar=hexed("2a2a30"),
    trousers=Fabric(hexed("d86a1e"), hexed("b8541a"), hexed("2a2a30"), "denim"),
    shoes=hexed("e0e0e4"),
    soles=hexed("2a2a30"),
    gloves=_BUFF,
)


def character(seed: int) -> Figure:
    """Build a character: a stout goblin wizard for even seeds, a broad blue ranger for odd ones."""
    return _goblin() if seed % 2 == 0 else _ranger()


def standing() -> Act:
    """Stand to the front, arms a little away from the body, open hands."""
    away = ArmKey(0, (0.52, 0.16, -0.78), -75, 0.06)
    return Act(feet={"left": (0.13, 0.0, 12.0), "right": (-0.13, 0.0, -12.0)}, arms={"left": (away,), "right": (away,)})


def portrait(points: Points, width: int, height: int) -> Camera:
    """Place a camera before a figure that shows all its vertices `n 3` with a margin."""
    low, high = points.min(axis=0), points.max(axis=0)
    distance, middle = 5.0, (low + high) / 2
    tall, wide = (high[2] - low[2]) * 1.10, (high[0] - low[0]) * 1.12
    focal_heights = distance / max(tall, wide * height / width)
    return camera_towards(
        (middle[0], -distance, middle[2]), (middle[0], 0.0, middle[2]), focal_heights * height / width
    )


def _goblin() -> Figure:
    build = Build(
        thigh=0.30, shin=0.29, trunk=0.50, girth=1.18, shoulder_half=0.19, neck=0.06, head=1.45, hand=1.30, foot=1.25
    )
    bones = skeleton(build)
    hips = build.hip_height
    purple, gold, red = hexed("5a2a78"), hexed("d8a83a"), hexed("a02838")
    hem = [(hips + 0.10, 0.20, 0.15), (hips - 0.02, 0.24, 0.18), (hips - 0.20, 0.275, 0.215), (hips - 0.37, 0.30, 0.24)]
    costume = [
        _skirt(hem, purple, gold),
        _ring("belt", (0, 0, hips + 0.085), 0.205, 0.155, 0.026, hexed("5a3418")),
        _plain("buckle", ellipsoid((0, -0.175, hips + 0.085), (0.035, 0.02, 0.035)), gold, ("spine",), gloss=0.5),
        _cloak(bones, red, 0.42, 0.09),
        *_long_ears(bones, _GOBLIN.skin),
        *_hat(bones, purple, gold),
    ]
    return assemble(bones, [*body_parts(bones, _GOBLIN), *face_parts(bones, _GOBLIN), *costume])


def _ranger() -> Figure:
    build = Build(
        thigh=0.40, shin=0.40, trunk=0.58, girth=1.32, shoulder_half=0.25, neck=0.08, head=1.12, hand=1.35, foot=1.3,
        upper_arm=0.30, forearm=0.27,
    )  # fmt: skip
    bones = skeleton(build)
    hips, steel, dark = build.hip_height, hexed("d4d8e0"), hexed("2a2a30")
    chest = bones["chest"].head
    plate = ellipsoid(chest + np.array([0, -0.055, 0.07]), (0.205, 0.125, 0.165), segments=48)
    pads = [
        ellipsoid(bones[f"upper_arm.{s}"].head + np.array([SIDES[s] * 0.03, 0, 0.03]), (0.115, 0.105, 0.085))
        for s in SIDES
    ]
    badge = ellipsoid(chest + np.array([0, -0.172, 0.11]), (0.04, 0.012, 0.04))
    costume = [
        _plain("breastplate", plate, steel, ("chest",), gloss=0.35),
        _plain("badge", badge, hexed("3ad0c8"), ("chest",), gloss=0.6),
        *(_plain("pad", pad, steel, ("chest",), gloss=0.35) for pad in pads),
        _ring("belt", (0, 0, hips + 0.05), 0.225, 0.165, 0.035, dark),
        _cloak(bones, hexed("2f6f5a"), 0.50, 0.12),
        *_crest(bones, hexed("c8302a")),
    ]
    return assemble(bones, [*body_parts(bones, _RANGER), *face_parts(bones, _RANGER), *costume])


def _plain(name: str, solid: Solid, colour: Colour, bones: tuple[str, ...], *, gloss: float = 0.04) -> Part:
    return Part(name=name, solid=solid, albedo=skin(solid.vertices, colour, 0.05), bones=bones, gloss=gloss)


def _ring(name: str, centre: Sequence[float], wide: float, deep: float, high: float, colour: Colour) -> Part:
    angle = np.linspace(0, 2 * np.pi, 61)
    line = np.stack([wide * np.cos(angle), deep * np.sin(angle), np.zeros(61)], axis=1) + centre
    solid = tube(line, [(high, 0.014)] * 61, across=(0, 0, 1), segments=12, bulge=None)
    return _plain(name, solid, colour, ("pelvis", "spine"), gloss=0.1)


def _skirt(stations: list[tuple[float, float, float]], colour: Colour, trim: Colour) -> Part:
    """Lay a coat's skirt in folds, with a broad trim at its hem and down the front."""
    levels, angle = np.linspace(0, 1, 60), np.linspace(-np.pi, np.pi, 161)
    table = np.array(stations)
    z, wide, deep = (np.interp(levels, np.linspace(0, 1, len(table)), table[:, i]) for i in range(3))
    fold = 1 + 0.05 * levels[:, None] * np.sin(angle * 11)
    grid = np.stack(
        [
            wide[:, None] * np.sin(angle) * fold,
            -deep[:, None] * np.cos(angle) * fold,
            np.repeat(z[:, None], 161, axis=1),
        ],
        axis=-1,
    )
    solid = sheet(grid[::-1])
    hem = (solid.vertices[:, 2] < z[-1] + 0.05) | np.tile(np.abs(angle) < 0.09, len(levels))
    albedo = (
        np.where(hem[:, None], np.asarray(trim), np.asarray(colour))
        * (1 + 0.06 * waves(solid.vertices, 0.04, 2))[:, None]
    )
    return Part(name="skirt", solid=solid, albedo=np.clip(albedo, 0, 1), bones=("pelvis",))


def _cloak(bones: Skeleton, colour: Colour, half: float, low: float) -> Part:
    """Hang a cloak from the shoulders to near the floor, in folds."""
    top = bones["chest"].tail[2] - 0.03
    down, across = np.linspace(0, 1, 60)[:, None], np.linspace(-1, 1, 121)[None]
    wide = bones.build.shoulder_half * 1.05 + (half - bones.build.shoulder_half) * down**0.8
    fold = 0.018 * down * np.sin(across * 17)
    grid = np.stack(
        [
            wide * across,
            0.11 * bones.build.girth + 0.12 * down - 0.10 * across**2 * (1 - down) + fold,
            top - (top - low) * down + 0 * across,
        ],
        axis=-1,
    )
    solid = sheet(grid[::-1])
    return _plain("cloak", solid, colour, ("chest",))


def _long_ears(bones: Skeleton, colour: Colour) -> list[Part]:
    head = head_of(bones)
    parts = []
    for sign in (1.0, -1.0):
        line = np.array(
            [(0.070, 0.004, -0.012), (0.095, 0.010, 0.002), (0.130, 0.020, 0.022), (0.165, 0.032, 0.048)]
        ) * [sign, 1, 1]
        radii: list[float | tuple[float, float]] = [(0.024, 0.008), (0.024, 0.008), (0.015, 0.006), (0.004, 0.003)]
        ear = tube(line, radii, across=(0, 0.3, 1), segments=16)
        parts.append(_plain("long ear", Solid(head.place(ear.vertices), ear.faces), colour, ("head",)))
    return parts


def _hat(bones: Skeleton, colour: Colour, band: Colour) -> list[Part]:
    """Make a wide brim and a tall cone that leans over at its tip."""
    head = head_of(bones)
    brim = tube([(0, 0.012, 0.076), (0, 0.012, 0.084)], [(0.180, 0.172), (0.175, 0.168)], segments=64, bulge=0.03)
    rise = np.linspace(0, 1, 14)
    centres = np.stack([0.09 * rise**3, 0.012 + 0.05 * rise**2, 0.080 + 0.30 * rise - 0.03 * rise**4], axis=1)
    cone = tube(centres, [float(0.106 * (1 - r) ** 0.9 + 0.008) for r in rise], segments=40, bulge=0.02)
    ring = tube([(0, 0.013, 0.086), (0, 0.014, 0.112)], [0.116, 0.1105], segments=48, bulge=0.02)
    return [
        _plain(name, Solid(head.place(solid.vertices), solid.faces), tint, ("head",))
        for name, solid, tint in (("brim", brim, colour), ("cone", cone, colour), ("band", ring, band))
    ]


def _crest(bones: Skeleton, colour: Colour) -> list[Part]:
    """Raise a fin of stiff hair from forehead to nape."""
    head = head_of(bones)
    angle = np.radians(np.linspace(-35, 115, 15))
    fins = [ellipsoid((0, 0.014 + 0.105 * np.sin(a), 0.035 + 0.105 * np.cos(a)), (0.014, 0.03, 0.045)) for a in angle]
    solid = melt([join(fins)], voxel=0.006, smoothing=3)
    return [_plain("crest", Solid(head.place(solid.vertices), solid.faces), colour, ("head",))]
