# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of a figure below its head: shirt, trousers, shoes, hands, as parts on a skeleton."""

from __future__ import annotations

import numpy as np

from .anatomy import FINGERS, SIDES, Skeleton, arm_direction, hand_points, palm_normal
from .dress import Wardrobe, cloth, shoe, skin
from .figure import Part
from .sculpt import melt
from .solid import Points, Solid, ellipsoid, join, tube

_CLOTH_VOXEL = 0.010
_SHOE_VOXEL = 0.006

# Height over the hips (for a trunk of 0.52 m), half width, half depth, forward shift.
_SHIRT = (
    (-0.075, 0.196, 0.142, 0.0),
    (0.00, 0.184, 0.134, 0.0),
    (0.08, 0.163, 0.120, 0.0),
    (0.16, 0.149, 0.109, 0.0),
    (0.24, 0.156, 0.113, 0.005),
    (0.33, 0.166, 0.118, 0.008),
    (0.41, 0.160, 0.106, 0.0),
    (0.46, 0.135, 0.088, -0.008),
    (0.50, 0.090, 0.070, -0.012),
    (0.525, 0.062, 0.058, -0.012),
)
_HIPS = ((0.05, 0.142, 0.102, 0.0), (-0.02, 0.156, 0.114, 0.0), (-0.07, 0.150, 0.112, -0.006), (-0.10, 0.12, 0.09, 0.0))


def body_parts(skeleton: Skeleton, wardrobe: Wardrobe) -> list[Part]:
    """Everything but the head."""
    parts = [_shirt(skeleton, wardrobe), _collar(skeleton, wardrobe), _trousers(skeleton, wardrobe)]
    for side in SIDES:
        parts += [_shoe(skeleton, wardrobe, side), _hand(skeleton, wardrobe, side), _wrist(skeleton, wardrobe, side)]
    return parts


def _loft(skeleton: Skeleton, table: tuple[tuple[float, float, float, float], ...]) -> Solid:
    build = skeleton.build
    tall, girth = build.trunk / 0.52, build.girth
    centres = [(0.0, -forward, build.hip_height + z * tall) for z, _, _, forward in table]
    return tube(centres, [(wide * girth, deep * girth) for _, wide, deep, _ in table], segments=32, bulge=0.12)


def _limb(skeleton: Skeleton, names: tuple[str, ...], radii: list[tuple[float, float]]) -> Solid:
    """Run a tube along a chain of bones; each radius sits at a share of the chain's length, 0 to 1."""
    stops = np.array([skeleton[names[0]].head, *(skeleton[name].tail for name in names)])
    lengths = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(stops, axis=0), axis=1))])
    at = np.array([share for share, _ in radii]) * lengths[-1]
    line = np.stack([np.interp(at, lengths, stops[:, i]) for i in range(3)], axis=1)
    return tube(line, [radius * skeleton.build.girth for _, radius in radii], across=(0, 1, 0))


def _arm_bones(side: str) -> tuple[str, ...]:
    return f"upper_arm.{side}", f"forearm.{side}", f"twist.{side}"


def _shirt(skeleton: Skeleton, wardrobe: Wardrobe) -> Part:
    solids = [_loft(skeleton, _SHIRT)]
    girth = skeleton.build.girth
    for side, sign in SIDES.items():
        shoulder = skeleton[f"upper_arm.{side}"].head
        yoke = shoulder + np.array([-sign * 0.09, 0.0, 0.012])
        out = shoulder + arm_direction(side) * 0.05
        solids.append(tube([yoke, shoulder, out], [0.060 * girth, 0.057 * girth, 0.055 * girth], across=(0, 1, 0)))
        sleeve = [(0.0, 0.055), (0.25, 0.053), (0.5, 0.047), (0.55, 0.046), (0.75, 0.045), (0.90, 0.040), (0.93, 0.041)]
        solids.append(_limb(skeleton, _arm_bones(side), sleeve))
    solid = melt(solids, voxel=_CLOTH_VOXEL, smoothing=8)
    arms = tuple(name for side in SIDES for name in _arm_bones(side))
    bones = ("pelvis", "spine", "chest", *arms)
    return Part(
        name="shirt", solid=solid, albedo=cloth(solid.vertices, wardrobe.shirt, skeleton), bones=bones, gloss=0.02
    )


def _collar(skeleton: Skeleton, wardrobe: Wardrobe) -> Part:
    neck = skeleton["neck"].head
    angle = np.linspace(-np.pi, np.pi, 33)
    ring = np.stack([0.064 * np.sin(angle), -0.062 * np.cos(angle) + 0.012, 0.012 - 0.03 * np.cos(angle)], axis=1)
    girth = skeleton.build.girth
    solid = tube(neck + ring * [girth, girth, 1.0], [(0.010, 0.018)] * len(ring), across=(0, 0, 1), segments=10)
    return Part(name="collar", solid=solid, albedo=skin(solid.vertices, wardrobe.collar, 0.05), bones=("chest", "neck"))


def _trousers(skeleton: Skeleton, wardrobe: Wardrobe) -> Part:
    solids = [_loft(skeleton, _HIPS)]
    for side in SIDES:
        leg = [(0.0, 0.082), (0.12, 0.084), (0.3, 0.077), (0.5, 0.062), (0.65, 0.060), (0.85, 0.054), (1.0, 0.056)]
        solids.append(_limb(skeleton, (f"thigh.{side}", f"shin.{side}"), leg))
    solid = melt(solids, voxel=_CLOTH_VOXEL, smoothing=6)
    bones = ("pelvis", *(f"{name}.{side}" for side in SIDES for name in ("thigh", "shin")))
    return Part(
        name="trousers", solid=solid, albedo=cloth(solid.vertices, wardrobe.trousers, skeleton), bones=bones, gloss=0.02
    )


def _shoe(skeleton: Skeleton, wardrobe: Wardrobe, side: str) -> Part:
    ankle, size = skeleton[f"foot.{side}"].head, skeleton.build.foot
    floor = ankle * [1, 1, 0]
    lumps = (
        ((0, 0.035, 0.036), (0.037, 0.040, 0.036)),
        ((0, -0.045, 0.040), (0.042, 0.085, 0.036)),
        ((SIDES[side] * -0.004, -0.125, 0.032), (0.045, 0.062, 0.030)),
        ((0, 0.008, 0.075), (0.041, 0.045, 0.040)),
    )
    solids = [ellipsoid(np.array(at) * size + floor, np.array(radii) * size, segments=24) for at, radii in lumps]
    melted = melt(solids, voxel=_SHOE_VOXEL, smoothing=4)
    flat = melted.vertices.copy()
    flat[:, 2] = np.maximum(flat[:, 2], 0.004)
    height = flat[:, 2] / size
    return Part(
        name="shoe", solid=Solid(flat, melted.faces), albedo=shoe(height, wardrobe), bones=(f"foot.{side}",), gloss=0.12
    )


def _wrist(skeleton: Skeleton, wardrobe: Wardrobe, side: str) -> Part:
    """Bare skin from inside the sleeve to inside the hand, so that neither shows a gap."""
    bone, size = skeleton[f"twist.{side}"], skeleton.build.hand
    along = arm_direction(side)
    line = [bone.tail - along * 0.07, bone.tail - along * 0.02, bone.tail + along * 0.02 * size]
    radii = [(0.030 * size, 0.026 * size), (0.027 * size, 0.021 * size), (0.028 * size, 0.019 * size)]
    solid = tube(line, radii, across=(0, 1, 0))
    bones = (f"twist.{side}", f"hand.{side}")
    return Part(name="wrist", solid=solid, albedo=skin(solid.vertices, wardrobe.hands), bones=bones)


def _hand(skeleton: Skeleton, wardrobe: Wardrobe, side: str) -> Part:
    wrist, size = skeleton[f"hand.{side}"].head, skeleton.build.hand
    palm_line = np.array([(0.0, 0.004, 0.0), (0.004, 0.035, 0.0), (0.003, 0.07, 0.0), (0.0, 0.09, 0.0)])
    palm_radii = [(0.027, 0.018), (0.037, 0.018), (0.041, 0.016), (0.040, 0.012)]
    thumb_side = (0, -1, 0)
    solids = [_flesh(side, wrist, size, palm_line, palm_radii, thumb_side)]
    for finger in FINGERS:
        first = skeleton[f"{finger}0.{side}"]
        line = [first.head, *(skeleton[f"{finger}{n}.{side}"].tail for n in range(3))]
        thick = 1.15 if finger == "thumb" else 0.85 if finger == "pinky" else 1.0
        radii = [r * thick * size for r in (0.0098, 0.0092, 0.0084, 0.0068)]
        solids.append(
            tube(_denser(np.array(line)), list(np.repeat(radii, 3))[1:-1], across=palm_normal(side), segments=12)
        )
    solid = join(solids)
    bones = (f"hand.{side}", *(f"{finger}{n}.{side}" for finger in FINGERS for n in range(3)))
    return Part(name="hand", solid=solid, albedo=skin(solid.vertices, wardrobe.hands), bones=bones, is_hand=True)


def _flesh(
    side: str, wrist: Points, size: float, line: Points, radii: list[tuple[float, float]], across: tuple[int, int, int]
) -> Solid:
    scaled: list[float | tuple[float, float]] = [(a * size, b * size) for a, b in radii]
    return tube(hand_points(side, wrist, size, line), scaled, across=across, segments=20)


def _denser(line: Points) -> Points:
    """Ten points along a line of four, so that knuckles bend round."""
    at = np.linspace(0, 3, 10)
    return np.stack([np.interp(at, np.arange(4), line[:, i]) for i in range(3)], axis=1)
