# SPDX-License-Identifier: GPL-3.0-or-later
"""Acting: what a performer does, as a few keys, turned into a pose for any frame. Feet that stand do not slip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .anatomy import (
    FINGERS,
    SIDES,
    Matrix,
    Pose,
    Skeleton,
    Vector,
    arm_direction,
    frame,
    palm_normal,
    rotation,
    two_bones,
)

_FOLLOW_FRAMES = 5
"""The pelvis follows the middle of the feet, averaged over so many frames before and after."""
_LIFT = 0.085
_ARM_SWING = 0.45


@dataclass(frozen=True, slots=True)
class Step:
    """One foot leaves the floor at frame `first` and stands at x, y (the ankle) with its yaw from `last` on."""

    side: str
    first: float
    last: float
    x: float
    y: float
    yaw_deg: float


@dataclass(frozen=True, slots=True)
class ArmKey:
    """Where a wrist is at a frame.

    wrist: outward, forward and upward of the shoulder, in lengths of the arm, along the chest's axes.
    palm_deg: how far the hand is turned about itself; at 0 the thumb points away from the elbow, below 0 more inward.
    curl: 0 flat hand, 1 fist.
    """

    frame: float
    wrist: tuple[float, float, float]
    palm_deg: float = 0.0
    curl: float = 0.25


@dataclass(frozen=True, slots=True)
class Shake:
    """A fast swing of one wrist between two frames: so far outward and upward, in lengths of the arm."""

    side: str
    first: float
    last: float
    out: float
    up: float
    cycle_frames: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Everything one performer does. Keys are (frame, value), in order of frames."""

    feet: dict[str, tuple[float, float, float]]
    """x, y, yaw in degrees of each foot at the start."""
    steps: tuple[Step, ...] = ()
    arms: dict[str, tuple[ArmKey, ...]]
    shakes: tuple[Shake, ...] = ()
    chest_deg: tuple[tuple[float, float], ...] = ((0, 0),)
    head_deg: tuple[tuple[float, float], ...] = ((0, 0),)
    nod_deg: tuple[tuple[float, float], ...] = ((0, 0),)
    mouth: tuple[tuple[float, float], ...] = ((0, 0),)
    blinks: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Performance:
    """One performer in one frame: its pose, what its face does (0..1 each), and which feet stand."""

    pose: Pose
    mouth_open: float
    eyes_shut: float
    planted: dict[str, bool]


def perform(skeleton: Skeleton, act: Act, t: float) -> Performance:
    """Pose a figure at frame `t`, which need not be whole."""
    poser = _Poser(skeleton)
    chest = _trunk(poser, act, t)
    for side in SIDES:
        _leg(poser, side, foot_at(act, side, t))
        _arm(poser, side, _wrist(act, side, t), chest)
    shut = max((1 - abs(t - blink) / 3 for blink in act.blinks), default=0.0)
    planted = {side: _swing(act, side, t) is None for side in SIDES}
    return Performance(poser.pose(), ease(act.mouth, t), float(np.clip(shut, 0, 1)), planted)


def ease(keys: Sequence[tuple[float, float]], t: float) -> float:
    """Value of keys at `t`, held at both ends, slow at every key."""
    frames = [key[0] for key in keys]
    values = [key[1] for key in keys]
    i = int(np.clip(np.searchsorted(frames, t) - 1, 0, max(0, len(keys) - 2)))
    j = min(i + 1, len(keys) - 1)
    return values[i] + (values[j] - values[i]) * smooth((t - frames[i]) / max(1e-9, frames[j] - frames[i]))


def smooth(u: float) -> float:
    """Smoothstep of `u`, held outside 0..1."""
    u = float(np.clip(u, 0, 1))
    return u * u * (3 - 2 * u)


@dataclass(frozen=True, slots=True)
class Foot:
    """A foot at some time: its ankle's x and y over the floor, how far it is lifted, how far its toes point down."""

    at: Vector
    yaw: float
    lift: float
    dip: float


def foot_at(act: Act, side: str, t: float) -> Foot:
    """Follow one foot through its steps."""
    x, y, yaw = act.feet[side]
    for step in (s for s in act.steps if s.side == side and s.first < t):
        u = (t - step.first) / (step.last - step.first)
        if u < 1:
            k = smooth(u)
            here = np.array([x, y]) * (1 - k) + np.array([step.x, step.y]) * k
            heading = np.radians(yaw + (step.yaw_deg - yaw) * k)
            return Foot(
                here,
                heading,
                _LIFT * float(np.sin(np.pi * u)) ** 1.5,
                0.5 * float(np.sin(2 * np.pi * u)) * (1 - u * 0.5),
            )
        x, y, yaw = step.x, step.y, step.yaw_deg
    return Foot(np.array([x, y]), float(np.radians(yaw)), 0.0, 0.0)


def _swing(act: Act, side: str, t: float) -> Step | None:
    return next((s for s in act.steps if s.side == side and s.first < t < s.last), None)


class _Poser:
    """Collects the turns and places of bones, parents first."""

    def __init__(self, skeleton: Skeleton) -> None:
        self.skeleton = skeleton
        self.turn: dict[str, Matrix] = {}
        self.head: dict[str, Vector] = {}

    def put(self, name: str, turn: Matrix, head: Vector | None = None) -> None:
        """Turn a bone; its head goes where its parent takes it unless told."""
        bone = self.skeleton[name]
        if head is None:
            assert bone.parent is not None
            parent = self.skeleton[bone.parent]
            head = self.turn[bone.parent] @ (bone.head - parent.head) + self.head[bone.parent]
        self.turn[name], self.head[name] = turn, head

    def pose(self) -> Pose:
        names = [bone.name for bone in self.skeleton.bones]
        return Pose(self.skeleton, np.stack([self.turn[n] for n in names]), np.stack([self.head[n] for n in names]))


def _trunk(poser: _Poser, act: Act, t: float) -> Matrix:
    """Place pelvis, spine, chest, neck and head; returns the chest's turn."""
    at, yaw = _ground(act, t)
    breath = float(np.sin(2 * np.pi * t / 72))
    pelvis = rotation((0, 0, 1), yaw) @ rotation((0, 1, 0), 0.012 * breath)
    poser.put("pelvis", pelvis, np.array([*at, _pelvis_height(poser.skeleton, act, t, at, yaw)]))
    twist = np.radians(ease(act.chest_deg, t))
    lean = rotation((1, 0, 0), 0.03 + 0.008 * breath)
    spine = pelvis @ rotation((0, 0, 1), twist * 0.5) @ lean
    chest = spine @ rotation((0, 0, 1), twist * 0.5) @ rotation((1, 0, 0), -0.03)
    look, nod = np.radians(ease(act.head_deg, t)), np.radians(ease(act.nod_deg, t))
    poser.put("spine", spine)
    poser.put("chest", chest)
    poser.put("neck", chest @ rotation((0, 0, 1), look * 0.4) @ rotation((1, 0, 0), nod * 0.4))
    poser.put("head", chest @ rotation((0, 0, 1), look) @ rotation((1, 0, 0), nod))
    return chest


def _ground(act: Act, t: float) -> tuple[Vector, float]:
    times = t + np.linspace(-_FOLLOW_FRAMES, _FOLLOW_FRAMES, 7)
    feet = [foot_at(act, side, float(time)) for time in times for side in SIDES]
    return np.mean([foot.at for foot in feet], axis=0), float(np.mean([foot.yaw for foot in feet]))


def _pelvis_height(skeleton: Skeleton, act: Act, t: float, at: Vector, yaw: float) -> float:
    """Stand as high as both legs reach, a little short of straight."""
    build = skeleton.build
    leg = (build.thigh + build.shin) * 0.997
    heights = [build.hip_height * 0.994]
    for side, sign in SIDES.items():
        foot = foot_at(act, side, t)
        hip = at + sign * build.hip_half * np.array([np.cos(yaw), np.sin(yaw)])
        across = float(np.linalg.norm(foot.at - hip))
        heights.append(build.ankle_height + foot.lift + float(np.sqrt(max(0.01, leg**2 - across**2))))
    return min(heights)


def _leg(poser: _Poser, side: str, foot: Foot) -> None:
    skeleton, build = poser.skeleton, poser.skeleton.build
    heading = rotation((0, 0, 1), foot.yaw)
    ankle = np.array([*foot.at, build.ankle_height + foot.lift])
    poser.put(f"thigh.{side}", np.eye(3))
    hip = poser.head[f"thigh.{side}"]
    pole = heading @ np.array([SIDES[side] * 0.12, -1.0, 0.0])
    upper, lower, normal = two_bones(hip, ankle, pole, (build.thigh, build.shin))
    forward = np.array([0.0, -1.0, 0.0])
    for name, along in (("thigh", upper), ("shin", lower)):
        resting = skeleton.direction(f"{name}.{side}")
        poser.put(f"{name}.{side}", frame(along, normal) @ frame(resting, np.cross(forward, resting)).T)
    poser.put(f"foot.{side}", heading @ rotation((1, 0, 0), foot.dip), ankle)


@dataclass(frozen=True, slots=True)
class _Wrist:
    reach: Vector
    palm: float
    curl: float


def _wrist(act: Act, side: str, t: float) -> _Wrist:
    keys = act.arms[side]
    values = [ease([(k.frame, k.wrist[i]) for k in keys], t) for i in range(3)]
    palm, curl = (ease([(k.frame, getattr(k, name)) for k in keys], t) for name in ("palm_deg", "curl"))
    reach = np.array(values) + _shaken(act, side, t)
    reach[1] += _walking_swing(act, side, t) * (1 if values[2] < -0.7 else 0.3)
    return _Wrist(reach, float(np.radians(palm)), curl)


def _shaken(act: Act, side: str, t: float) -> Vector:
    total = np.zeros(3)
    for shake in (s for s in act.shakes if s.side == side and s.first < t < s.last):
        fade = smooth((t - shake.first) / 3) * smooth((shake.last - t) / 3)
        total += fade * np.sin(2 * np.pi * (t - shake.first) / shake.cycle_frames) * np.array([shake.out, 0, shake.up])
    return total


def _walking_swing(act: Act, side: str, t: float) -> float:
    """Arms swing against the legs: how far forward of the middle the other side's foot is."""
    other = next(s for s in SIDES if s != side)
    mine, its = foot_at(act, side, t), foot_at(act, other, t)
    facing = np.array([np.sin(mine.yaw), -np.cos(mine.yaw)])
    return _ARM_SWING * float((its.at - mine.at) @ facing)


def _arm(poser: _Poser, side: str, wrist: _Wrist, chest: Matrix) -> None:
    build, sign = poser.skeleton.build, SIDES[side]
    poser.put(f"upper_arm.{side}", np.eye(3))
    shoulder = poser.head[f"upper_arm.{side}"]
    out, ahead, up = wrist.reach * (build.upper_arm + build.forearm)
    pole = chest @ np.array([sign * 0.55, 0.75, -0.45])
    target = shoulder + chest @ np.array([sign * out, -ahead, up])
    upper, lower, normal = two_bones(shoulder, target, pole, (build.upper_arm, build.forearm))
    along = arm_direction(side)
    resting = frame(along, np.cross(np.array([0.0, 1.0, 0.0]), along)).T
    forearm = frame(lower, normal) @ resting
    poser.put(f"upper_arm.{side}", frame(upper, normal) @ resting)
    poser.put(f"forearm.{side}", forearm)
    poser.put(f"twist.{side}", forearm @ rotation(along, sign * wrist.palm * 0.6))
    poser.put(f"hand.{side}", forearm @ rotation(along, sign * wrist.palm))
    _fingers(poser, side, wrist.curl)


def _fingers(poser: _Poser, side: str, curl: float) -> None:
    """Close the hand: each knuckle turns towards the palm, the thumb less, and across it."""
    palm, thumb_side = palm_normal(side), np.array([0.0, -1.0, 0.0])
    for finger in FINGERS:
        is_thumb = finger == "thumb"
        towards = palm - thumb_side if is_thumb else palm
        axis = np.cross(poser.skeleton.direction(f"{finger}0.{side}"), towards)
        turn = poser.turn[f"hand.{side}"]
        for n in range(3):
            turn = turn @ rotation(axis, curl * (0.5 if is_thumb else 1.45))
            poser.put(f"{finger}{n}.{side}", turn)
