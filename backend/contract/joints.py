# SPDX-License-Identifier: GPL-3.0-or-later
"""Joints that the artist put right: what is asked for, and what it means between the frames that are keyed.

Both programs reckon by this file: Blender draws a joint where the worker will have it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

REACH_FRAMES = 6
"""How far to either side a fix reaches where nobody says otherwise."""


class Joint(StrEnum):
    """A joint that can be moved; left is the performer's own left."""

    HEAD = "head"
    """The nose; the whole head goes with it."""
    LEFT_SHOULDER = "left_shoulder"
    RIGHT_SHOULDER = "right_shoulder"
    LEFT_ELBOW = "left_elbow"
    RIGHT_ELBOW = "right_elbow"
    LEFT_WRIST = "left_wrist"
    """The hand goes with it."""
    RIGHT_WRIST = "right_wrist"
    LEFT_HIP = "left_hip"
    RIGHT_HIP = "right_hip"
    LEFT_KNEE = "left_knee"
    RIGHT_KNEE = "right_knee"
    LEFT_ANKLE = "left_ankle"
    """The foot goes with it."""
    RIGHT_ANKLE = "right_ankle"
    LEFT_HEEL = "left_heel"
    RIGHT_HEEL = "right_heel"
    LEFT_TOES = "left_toes"
    RIGHT_TOES = "right_toes"


FOLLOWS: dict[Joint, Joint] = {
    Joint.LEFT_HEEL: Joint.LEFT_ANKLE,
    Joint.RIGHT_HEEL: Joint.RIGHT_ANKLE,
    Joint.LEFT_TOES: Joint.LEFT_ANKLE,
    Joint.RIGHT_TOES: Joint.RIGHT_ANKLE,
}
"""Joint -> the one that it goes with; what is keyed for itself comes on top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JointFix:
    """A joint keyed in one frame: there it is at x y, in pixels of the shot.

    frame, first, last: of the clip, counted from its first. Outside first..last nothing is moved; in between the way
    from the tracked joint to the key and back is eased. Keys of a joint whose ranges meet make one movement.
    """

    joint: Joint
    frame: int
    x: float
    y: float
    first: int
    last: int

    def counted_from(self, first: int) -> JointFix:
        """Count frames from another one."""
        return replace(self, frame=self.frame - first, first=self.first - first, last=self.last - first)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedJoint:
    """Where a joint was tracked: a value a frame, in pixels of the shot."""

    joint: Joint
    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedPerformer:
    """One performer's joints before any fix. is_there: whether the performer is in the frame, a value a frame."""

    is_there: tuple[bool, ...]
    joints: tuple[TrackedJoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedCast:
    """The joints of all that are cast, in the job's order: left in the job's folder for who wants to fix them."""

    performers: tuple[TrackedPerformer, ...]


class Key(NamedTuple):
    """How far a joint is moved in a frame, in pixels, and how far that reaches."""

    frame: int
    first: int
    last: int
    x: float
    y: float


class Shift(NamedTuple):
    """How far a joint is moved, in pixels, and how far the artist vouches for it: 1 at and between keys."""

    x: float
    y: float
    trust: float


def shift_at(keys: Iterable[Key], frame: int) -> Shift:
    """Tell how far a joint is moved in a frame by its keys, one a frame at most.

    Monotone cubics through the keys, and through nothing just outside the range: no shift is larger than those keyed
    beside it (Fritsch and Butland, A method for constructing local monotone piecewise cubic interpolants, 1984).
    """
    run = _run_over(keys, frame)
    if not run:
        return Shift(0.0, 0.0, 0.0)
    start, end = _reach(run)
    frames = [start - 1, *(key.frame for key in run), end + 1]
    values = ([key.x for key in run], [key.y for key in run], [1.0] * len(run))
    return Shift(*(_interpolated(frames, [0.0, *each, 0.0], frame) for each in values))


def fixes_over(fixes: Iterable[JointFix], frame: int) -> tuple[JointFix, ...]:
    """List the fixes on which it depends where joints are in a frame, each with the reach of its whole movement.

    Of a movement these are the key in the frame, or the two nearest to either side: the cubic between two keys takes
    its slopes from the next ones. How far a joint is moved that goes with another depends on where that one takes it in
    the frames that are keyed.
    """
    given = tuple(fixes)
    own = [fix for joint in Joint for fix in _nearest_of(joint, given, frame)]
    leading = [
        near for fix in own if fix.joint in FOLLOWS for near in _nearest_of(FOLLOWS[fix.joint], given, fix.frame)
    ]
    needed = {(fix.joint, fix.frame): fix for fix in (*own, *leading)}
    return tuple(needed[fix.joint, fix.frame] for fix in given if (fix.joint, fix.frame) in needed)


def _nearest_of(joint: Joint, fixes: Iterable[JointFix], frame: int) -> list[JointFix]:
    """Give the fixes that decide over one joint's movement in a frame; each reaches as far as all of that movement."""
    own = {fix.frame: fix for fix in fixes if fix.joint is joint}
    run = _run_over((Key(fix.frame, fix.first, fix.last, 0.0, 0.0) for fix in own.values()), frame)
    if not run:
        return []
    (first, last), keyed = _reach(run), [key.frame for key in run]
    after = bisect_left(keyed, frame)
    near = [frame] if frame in keyed else keyed[max(0, after - 2) : after + 2]
    return [replace(own[at], first=first, last=last) for at in near]


def _run_over(keys: Iterable[Key], frame: int) -> list[Key]:
    """Give the keys of one joint that make the movement in a frame; none where it is not moved."""
    for run in _runs(sorted(keys)):
        first, last = _reach(run)
        if first <= frame <= last:
            return run
    return []


def _reach(run: list[Key]) -> tuple[int, int]:
    return min(key.first for key in run), max(key.last for key in run)


def _runs(keys: list[Key]) -> list[list[Key]]:
    """Join keys, in order of their frames, whose ranges meet; one may reach back over several before it."""
    runs: list[list[Key]] = []
    for key in keys:
        run = [key]
        while runs and key.first <= _reach(runs[-1])[1] + 1:
            run = runs.pop() + run
        runs.append(run)
    return runs


def _interpolated(frames: Sequence[int], values: Sequence[float], frame: int) -> float:
    """Evaluate the monotone cubic through values, flat at both ends; in a frame of theirs exactly these."""
    after = bisect_left(frames, frame)
    if frames[after] == frame:
        return values[after]
    before, width = after - 1, frames[after] - frames[after - 1]
    t, slopes = (frame - frames[before]) / width, _slopes(frames, values)
    risen = t * t * (3 - 2 * t)
    bent = t * (1 - t) * width * ((1 - t) * slopes[before] - t * slopes[after])
    return values[before] + (values[after] - values[before]) * risen + bent


def _slopes(frames: Sequence[int], values: Sequence[float]) -> list[float]:
    widths = [b - a for a, b in pairwise(frames)]
    rises = [(b - a) / width for (a, b), width in zip(pairwise(values), widths, strict=True)]
    inner = (
        _slope(rise, next_rise, 2 * next_width + width, next_width + 2 * width)
        for (rise, next_rise), (width, next_width) in zip(pairwise(rises), pairwise(widths), strict=True)
    )
    return [0.0, *inner, 0.0]


def _slope(rise: float, next_rise: float, weight: int, next_weight: int) -> float:
    """Give the weighted harmonic mean of two slopes; none at a turning point."""
    if rise * next_rise <= 0:
        return 0.0
    return (weight + next_weight) / (weight / rise + next_weight / next_rise)
