# SPDX-License-Identifier: GPL-3.0-or-later
"""The skeleton: bones at rest and how a pose moves them. Metres, z up, the figure looks along -y, its left is +x."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.floating[Any]]
Matrix = NDArray[np.floating[Any]]

SIDES = {"left": 1.0, "right": -1.0}
FINGERS = ("thumb", "index", "middle", "ring", "pinky")
ARM_AT_REST_DEG = 40.0
"""Angle of the resting arms from straight down: between hanging and level, so that neither creases the shoulder."""

# Knuckles of a left hand of size 1: towards the thumb, along the hand, out of the palm.
_KNUCKLES = {
    "thumb": ((0.020, 0.022, 0.010), (0.042, 0.048, 0.016), (0.055, 0.076, 0.018), (0.062, 0.100, 0.018)),
    "index": ((0.029, 0.090, 0.0), (0.033, 0.129, 0.002), (0.035, 0.153, 0.003), (0.036, 0.172, 0.003)),
    "middle": ((0.009, 0.095, 0.0), (0.010, 0.139, 0.002), (0.011, 0.166, 0.003), (0.011, 0.187, 0.003)),
    "ring": ((-0.011, 0.091, 0.0), (-0.013, 0.131, 0.002), (-0.014, 0.156, 0.003), (-0.015, 0.175, 0.003)),
    "pinky": ((-0.030, 0.083, 0.0), (-0.035, 0.114, 0.002), (-0.038, 0.132, 0.003), (-0.040, 0.148, 0.003)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """Proportions of a figure in metres; `head`, `hand`, `foot` and `girth` are factors on a grown-up's."""

    ankle_height: float = 0.085
    shin: float = 0.405
    thigh: float = 0.43
    hip_half: float = 0.092
    trunk: float = 0.52
    neck: float = 0.085
    shoulder_half: float = 0.178
    upper_arm: float = 0.285
    forearm: float = 0.25
    head: float = 1.0
    hand: float = 1.0
    foot: float = 1.0
    girth: float = 1.0

    @property
    def hip_height(self) -> float:
        """Height of the hip joints over the floor when standing straight."""
        return self.ankle_height + self.shin + self.thigh


@dataclass(frozen=True, slots=True)
class Bone:
    """A rigid segment at rest, from `head` to `tail`; `parent` is the bone it hangs on, None for the pelvis."""

    name: str
    parent: str | None
    head: Vector
    tail: Vector
    radius: float


@dataclass(frozen=True, slots=True)
class Skeleton:
    """Bones in an order where parents come first."""

    build: Build
    bones: tuple[Bone, ...]
    index: Mapping[str, int] = field(repr=False)

    def __getitem__(self, name: str) -> Bone:
        return self.bones[self.index[name]]

    def direction(self, name: str) -> Vector:
        """Return the unit vector from a bone's head to its tail at rest."""
        bone = self[name]
        return unit(bone.tail - bone.head)


@dataclass(frozen=True, slots=True)
class Pose:
    """Where each bone is: `turn` (bones 3 3) turns its resting geometry, `head` (bones 3) is its head's place."""

    skeleton: Skeleton
    turn: Matrix
    head: Matrix

    def place(self, name: str, resting: Vector) -> Vector:
        """Take points of the resting figure, `... 3`, along with the bone `name`."""
        i = self.skeleton.index[name]
        return (resting - self.skeleton.bones[i].head) @ self.turn[i].T + self.head[i]

    def tail(self, name: str) -> Vector:
        """Place of a bone's tail."""
        return self.place(name, self.skeleton[name].tail)


def unit(v: Vector) -> Vector:
    """Scale a vector to length 1."""
    return v / np.linalg.norm(v)


def rotation(axis: Vector | tuple[float, float, float], angle: float) -> Matrix:
    """Rodrigues' rotation by `angle` radians about `axis`."""
    x, y, z = unit(np.asarray(axis, float))
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    turn: Matrix = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return turn


def frame(along: Vector, normal: Vector) -> Matrix:
    """Right-handed axes in columns: `along`, the part of `normal` across it, and their product."""
    y = unit(along)
    z = unit(normal - y * (normal @ y))
    return np.stack([y, z, np.cross(y, z)], axis=1)


def arm_direction(side: str) -> Vector:
    """Direction of the resting arm, from shoulder to fingertips."""
    angle = np.radians(ARM_AT_REST_DEG)
    return np.array([SIDES[side] * np.sin(angle), 0.0, -np.cos(angle)])


def palm_normal(side: str) -> Vector:
    """Out of the resting palm: towards the thigh."""
    angle = np.radians(ARM_AT_REST_DEG)
    return np.array([-SIDES[side] * np.cos(angle), 0.0, -np.sin(angle)])


def hand_points(side: str, wrist: Vector, size: float, local: Vector) -> Vector:
    """Put points of the hand's own axes (thumb side, along, out of the palm), `... 3`, on a resting wrist."""
    axes = np.stack([np.array([0.0, -1.0, 0.0]), arm_direction(side), palm_normal(side)])
    return wrist + size * np.asarray(local, float) @ axes


def skeleton(build: Build) -> Skeleton:
    """Lay out the bones of a figure at rest."""
    bones = _trunk(build)
    for side in SIDES:
        bones += _leg(build, side) + _arm(build, side)
    return Skeleton(build, tuple(bones), {bone.name: i for i, bone in enumerate(bones)})


def _trunk(b: Build) -> list[Bone]:
    hip, g = b.hip_height, b.girth
    stations = [(0.0, 0.0, hip + z * b.trunk / 0.52) for z in (0.0, 0.13, 0.30, 0.52)]
    neck_top = (0.0, -0.02, hip + b.trunk + b.neck)
    crown = (0.0, -0.02, neck_top[2] + 0.21 * b.head)
    points = [np.array(p) for p in (*stations, neck_top, crown)]
    names, radii = ("pelvis", "spine", "chest", "neck", "head"), (0.15 * g, 0.14 * g, 0.15 * g, 0.06 * g, 0.1 * b.head)
    parents = (None, *names[:-1])
    return [Bone(*row) for row in zip(names, parents, points[:-1], points[1:], radii, strict=True)]


def _leg(b: Build, side: str) -> list[Bone]:
    x, g = SIDES[side] * b.hip_half, b.girth
    hip, knee = np.array([x, 0.0, b.hip_height]), np.array([x, -0.005, b.hip_height - b.thigh])
    ankle, toe = np.array([x, 0.0, b.ankle_height]), np.array([x, -0.175 * b.foot, 0.025])
    return [
        Bone(f"thigh.{side}", "pelvis", hip, knee, 0.08 * g),
        Bone(f"shin.{side}", f"thigh.{side}", knee, ankle, 0.055 * g),
        Bone(f"foot.{side}", f"shin.{side}", ankle, toe, 0.04 * b.foot),
    ]


def _arm(b: Build, side: str) -> list[Bone]:
    along, g = arm_direction(side), b.girth
    shoulder = np.array([SIDES[side] * b.shoulder_half, 0.005, b.hip_height + b.trunk * 0.92])
    elbow = shoulder + along * b.upper_arm
    wrist = elbow + along * b.forearm
    half = (elbow + wrist) / 2
    palm = hand_points(side, wrist, b.hand, np.array(_KNUCKLES["middle"][0]))
    bones = [
        Bone(f"upper_arm.{side}", "chest", shoulder, elbow, 0.05 * g),
        Bone(f"forearm.{side}", f"upper_arm.{side}", elbow, half, 0.042 * g),
        Bone(f"twist.{side}", f"forearm.{side}", half, wrist, 0.035 * g),
        Bone(f"hand.{side}", f"twist.{side}", wrist, palm, 0.035 * b.hand),
    ]
    for finger in FINGERS:
        bones += _finger(b, side, wrist, finger)
    return bones


def _finger(b: Build, side: str, wrist: Vector, finger: str) -> list[Bone]:
    knuckles = hand_points(side, wrist, b.hand, np.array(_KNUCKLES[finger]))
    names = [f"{finger}{n}.{side}" for n in range(3)]
    parents = (f"hand.{side}", *names[:-1])
    radii = (0.0095 * b.hand,) * 3
    return [Bone(*row) for row in zip(names, parents, knuckles[:-1], knuckles[1:], radii, strict=True)]


def two_bones(
    root: Vector, target: Vector, pole: Vector, lengths: tuple[float, float]
) -> tuple[Vector, Vector, Vector]:
    """Bend two bones so that the second ends at `target`, the joint between them pushed towards `pole`.

    Returns the unit directions of both and the normal of their plane. A target out of reach is approached straight.
    """
    upper, lower = lengths
    reach = target - root
    distance = float(np.clip(np.linalg.norm(reach), abs(upper - lower) + 1e-4, (upper + lower) * 0.9995))
    ahead = unit(reach)
    aside = unit(pole - ahead * (pole @ ahead))
    cos = (upper**2 + distance**2 - lower**2) / (2 * upper * distance)
    first = ahead * cos + aside * np.sqrt(max(0.0, 1 - cos**2))
    return first, unit(ahead * distance - first * upper), np.cross(aside, ahead)
