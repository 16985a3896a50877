# SPDX-License-Identifier: GPL-3.0-or-later
"""The shots: who does what in front of which camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .acting import Act, ArmKey, Shake, Step, ease
from .anatomy import Build
from .truth import Camera, camera_towards

FPS = 24
_SENSOR_MM = 36.0
_HANG = (0.16, 0.10, -0.955)
_SIDE = {"left": 1.0, "right": -1.0}


@dataclass(frozen=True, slots=True)
class Role:
    """One performer: how it is built, which wardrobe it wears (counted from the shot's seed), what it does."""

    build: Build
    wardrobe: int
    act: Act


@dataclass(frozen=True, slots=True)
class Shot:
    """A shot of `frames` frames: its roles, and the camera at any frame."""

    frames: int
    roles: tuple[Role, ...]
    camera: Callable[[float], Camera]


def shot(variant: str, seed: int) -> Shot:
    """Write a shot by its name in VARIANTS. The seed changes build and timing, beside clothes, light and room."""
    return VARIANTS[variant](seed)


def _person(seed: int) -> Build:
    if seed % 2 == 0:
        return Build(head=1.06)
    return Build(
        thigh=0.405,
        shin=0.385,
        trunk=0.50,
        shoulder_half=0.165,
        girth=0.94,
        upper_arm=0.27,
        forearm=0.235,
        hand=0.94,
        head=1.04,
    )


def _standing(x: float, y: float, yaw_deg: float = 0.0) -> dict[str, tuple[float, float, float]]:
    turn = np.radians(yaw_deg)
    across = 0.125 * np.array([np.cos(turn), np.sin(turn)])
    return {side: (x + sign * across[0], y + sign * across[1], yaw_deg + sign * 9) for side, sign in _SIDE.items()}


def _walk(
    start: tuple[float, float], end: tuple[float, float], first: float, steps: int, frames_each: float, lead: str
) -> list[Step]:
    """Plan steps along a line, the feet in turn, ending on the way; the feet face the way they go."""
    way = np.subtract(end, start)
    yaw = float(np.degrees(np.arctan2(way[0], -way[1])))
    across = 0.075 * np.array([-way[1], way[0]]) / np.hypot(*way)
    sides = [lead, "right" if lead == "left" else "left"]
    result = []
    for i in range(steps):
        side = sides[i % 2]
        x, y = start + way * (i + 1) / steps + _SIDE[side] * across
        begins = first + i * frames_each
        result.append(Step(side, begins, begins + frames_each * 1.08, float(x), float(y), yaw))
    return result


def _talking(first: int, last: int, seed: int) -> tuple[tuple[float, float], ...]:
    """Syllables: the mouth opens by different amounts every few frames."""
    rng = np.random.default_rng(seed)
    keys, at = [(float(first), 0.0)], float(first)
    while at < last - 8:
        keys += [(at + 3, float(rng.uniform(0.45, 1.0))), (at + 6, float(rng.uniform(0.0, 0.2)))]
        at += float(rng.uniform(6, 9))
    return (*keys, (float(last), 0.0))


def _solo_act(seed: int) -> Act:
    """Talk, turn away by 45 degrees and back, an arm across the body, fast hands, and off to the right."""
    late = float(seed % 2)
    right = (
        ArmKey(0, _HANG),
        ArmKey(38, _HANG),
        ArmKey(45 + late, (-0.42, 0.55, -0.13), 35, 0.15),
        ArmKey(51, (-0.40, 0.55, -0.16), 35, 0.2),
        ArmKey(57, (0.35, 0.62, 0.10), -55, 0.05),
        ArmKey(74, (0.35, 0.60, 0.06), -55, 0.05),
        ArmKey(82, _HANG),
    )
    left = (
        ArmKey(0, _HANG),
        ArmKey(8, (0.22, 0.62, -0.35), 30, 0.1),
        ArmKey(14, (0.34, 0.52, -0.40), -50, 0.15),
        ArmKey(22, _HANG),
        ArmKey(49, _HANG),
        ArmKey(55 + late, (0.62, 0.42, 0.32), -50, 0.05),
        ArmKey(73, (0.62, 0.42, 0.32), -50, 0.05),
        ArmKey(80, _HANG),
    )
    steps = [
        Step("left", 14, 21, 0.15, 0.05, 46),
        Step("right", 19, 26, -0.07, 0.09, 30),
        Step("right", 34, 40, -0.13, 0.0, -9),
        Step("left", 38, 45, 0.13, 0.0, 9),
        *_walk((0.0, 0.0), (3.3, -0.75), 76, 6, 6.2, "left"),
    ]
    return Act(
        feet=_standing(0.0, 0.0),
        steps=tuple(steps),
        arms={"left": left, "right": right},
        shakes=(Shake("left", 53, 72, 0.30, 0.06, 7.0), Shake("right", 58, 75, 0.05, 0.26, 8.0)),
        chest_deg=((0, 0), (14, 0), (24, 7), (34, 7), (42, -3), (56, -6), (64, 4), (76, 0)),
        head_deg=((0, 8), (9, -10), (15, -4), (24, 4), (34, 2), (42, 6), (52, 14), (62, -12), (74, 0), (84, 6)),
        nod_deg=((0, 0), (10, 5), (16, -3), (30, 2), (46, 8), (58, -4), (74, 0)),
        mouth=_talking(2, 40, 5 + seed) + _talking(54, 76, 9 + seed),
        blinks=(11, 31, 60, 79),
    )


def _loose(mouth_seed: int, frames: int) -> Act:
    """Be someone at ease who talks with one hand."""
    keys = (
        ArmKey(0, _HANG),
        ArmKey(10, (0.2, 0.6, -0.3), 40, 0.1),
        ArmKey(18, (0.3, 0.5, -0.4), -30, 0.2),
        ArmKey(26, _HANG),
    )
    return Act(
        feet=_standing(0.0, 0.0),
        arms={"left": (ArmKey(0, _HANG),), "right": keys},
        head_deg=((0, -6), (12, 8), (24, -4), (36, 4)),
        mouth=_talking(2, frames, mouth_seed),
        blinks=(9, 29, 50),
    )


def _pair_acts() -> tuple[Act, Act]:
    """Let two side by side talk, then walk past each other and stand."""
    near = [
        *_walk((-0.62, 0.0), (0.75, -0.32), 32, 4, 7.5, "left"),
        Step("left", 64, 70, 0.875, -0.32, 9),
        Step("right", 62, 66, 0.625, -0.32, -9),
    ]
    far = [
        *_walk((0.62, 0.0), (-0.75, 0.38), 33, 4, 7.5, "right"),
        Step("right", 65, 71, -0.875, 0.38, -9),
        Step("left", 63, 67, -0.625, 0.38, 9),
    ]
    one, other = _loose(31, 32), _loose(32, 32)
    swapped = {"left": other.arms["right"], "right": other.arms["left"]}
    return (
        replace(one, feet=_standing(-0.62, 0.0, 8), steps=tuple(near)),
        replace(other, feet=_standing(0.62, 0.0, -8), steps=tuple(far), arms=swapped),
    )


def _visit_act(seed: int) -> Act:
    """Start with nobody; then someone walks in from the left, greets, and leaves to the right."""
    steps = [
        *_walk((-2.9, -0.1), (0.0, 0.0), 6, 5, 7, "right"),
        Step("left", 42, 47, 0.13, 0.0, 9),
        Step("right", 40, 44, -0.13, 0.0, -9),
        *_walk((0.0, 0.0), (3.2, -0.3), 62, 6, 6, "left"),
    ]
    wave = (
        ArmKey(0, _HANG),
        ArmKey(44, _HANG),
        ArmKey(50, (0.55, 0.4, 0.35), -50, 0.05),
        ArmKey(58, (0.55, 0.4, 0.35), -50, 0.05),
        ArmKey(64, _HANG),
    )
    return Act(
        feet=_standing(-2.9, -0.1, 88),
        steps=tuple(steps),
        arms={"left": (ArmKey(0, _HANG),), "right": wave},
        shakes=(Shake("right", 49, 60, 0.22, 0.03, 8.0),),
        mouth=_talking(44, 62, 3 + seed),
        blinks=(46, 61),
    )


def _moving(
    frames: int, *, lens_mm: float, low: float, aim: float, distance: float, travel: float, leave: float = 0.0
) -> Callable[[float], Camera]:
    """Move the camera to the right with a slight push in and an unsteady hand; late, pan away by `leave` metres."""

    def camera(t: float) -> Camera:
        u = t / max(1, frames - 1)
        sway = np.array([np.sin(t / 7.3), np.sin(t / 5.1 + 1), np.sin(t / 6.2 + 2)]) * [0.012, 0.008, 0.010]
        x = -travel / 2 + travel * ease(((0, 0), (1, 1)), u)
        location = np.array([x, -distance + 0.30 * u, low]) + sway
        return camera_towards(
            location.tolist(),
            (0.30 * x - leave * ease(((0.77, 0), (0.97, 1)), u), 0.0, aim + 0.006 * float(np.sin(t / 4.3))),
            lens_mm / _SENSOR_MM,
        )

    return camera


def _solo(seed: int) -> Shot:
    camera = _moving(108, lens_mm=38, low=1.30, aim=0.93, distance=4.25, travel=1.1, leave=0.75)
    return Shot(108, (Role(_person(seed), seed, _solo_act(seed)),), camera)


def _medium(seed: int) -> Shot:
    """Shoot the solo act from the hips up."""
    camera = _moving(108, lens_mm=50, low=1.50, aim=1.30, distance=2.75, travel=0.5, leave=0.5)
    return Shot(108, (Role(_person(seed), seed, _solo_act(seed)),), camera)


def _pair(seed: int) -> Shot:
    near, far = _pair_acts()
    camera = _moving(72, lens_mm=36, low=1.30, aim=0.93, distance=4.5, travel=0.6)
    return Shot(72, (Role(_person(seed), seed, near), Role(_person(seed + 1), seed + 1, far)), camera)


def _visit(seed: int) -> Shot:
    camera = _moving(108, lens_mm=38, low=1.30, aim=0.93, distance=4.25, travel=0.7)
    return Shot(108, (Role(_person(seed), seed, _visit_act(seed)),), camera)


VARIANTS: dict[str, Callable[[int], Shot]] = {"solo": _solo, "medium": _medium, "pair": _pair, "visit": _visit}
"""solo: the exam, 108 frames. medium: the same from the hips up. pair: two who cross, 72. visit: in and out, 108."""
