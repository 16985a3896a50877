# SPDX-License-Identifier: GPL-3.0-or-later
"""A performer's joints in the frame that is shown, as tracked and as the artist has moved them. No bpy."""

from __future__ import annotations

from collections.abc import Iterable
from math import dist

from ..backend.contract.joints import FOLLOWS, Joint, JointFix, Key, TrackedPerformer, shift_at
from .canvas import Point

BONES = (
    (Joint.LEFT_SHOULDER, Joint.RIGHT_SHOULDER),
    (Joint.LEFT_SHOULDER, Joint.LEFT_HIP),
    (Joint.RIGHT_SHOULDER, Joint.RIGHT_HIP),
    (Joint.LEFT_HIP, Joint.RIGHT_HIP),
    (Joint.LEFT_SHOULDER, Joint.LEFT_ELBOW),
    (Joint.LEFT_ELBOW, Joint.LEFT_WRIST),
    (Joint.RIGHT_SHOULDER, Joint.RIGHT_ELBOW),
    (Joint.RIGHT_ELBOW, Joint.RIGHT_WRIST),
    (Joint.LEFT_HIP, Joint.LEFT_KNEE),
    (Joint.LEFT_KNEE, Joint.LEFT_ANKLE),
    (Joint.LEFT_ANKLE, Joint.LEFT_HEEL),
    (Joint.LEFT_HEEL, Joint.LEFT_TOES),
    (Joint.RIGHT_HIP, Joint.RIGHT_KNEE),
    (Joint.RIGHT_KNEE, Joint.RIGHT_ANKLE),
    (Joint.RIGHT_ANKLE, Joint.RIGHT_HEEL),
    (Joint.RIGHT_HEEL, Joint.RIGHT_TOES),
)
"""What is drawn between joints."""


class Skeleton:
    """One performer's joints and what is keyed of them. Frames are counted from the shot's first."""

    def __init__(self, performer: TrackedPerformer, fixes: Iterable[JointFix]) -> None:
        self._is_there = performer.is_there
        self._tracked = {each.joint: each for each in performer.joints}
        keyed: dict[Joint, list[JointFix]] = {}
        for fix in fixes:
            if 0 <= fix.frame < len(self._is_there):
                keyed.setdefault(fix.joint, []).append(fix)
        self._keys: dict[Joint, list[Key]] = {}
        for joint in sorted(keyed, key=lambda joint: joint in FOLLOWS):  # what leads goes first
            self._keys[joint] = [self._key(fix) for fix in keyed[joint]]

    def places(self, frame: int) -> dict[Joint, Point]:
        """Tell where all joints are in a frame; none where the performer is absent."""
        if not 0 <= frame < len(self._is_there) or not self._is_there[frame]:
            return {}
        return {joint: self._place(joint, frame) for joint in self._tracked}

    def _place(self, joint: Joint, frame: int) -> Point:
        x, y = self._tracked[joint].x[frame], self._tracked[joint].y[frame]
        for mover in (FOLLOWS.get(joint), joint):
            shift = shift_at(self._keys.get(mover, ()) if mover else (), frame)
            x, y = x + shift.x, y + shift.y
        return x, y

    def _key(self, fix: JointFix) -> Key:
        x, y = self._place(fix.joint, fix.frame)
        return Key(fix.frame, fix.first, fix.last, fix.x - x, fix.y - y)


def nearest_or_none(places: dict[Joint, Point], at: Point, reach_px: float) -> Joint | None:
    """Tell which joint is nearest to a point, if one is as near as that."""
    nearest = min(places, key=lambda joint: dist(places[joint], at), default=None)
    return nearest if nearest is not None and dist(places[nearest], at) <= reach_px else None
