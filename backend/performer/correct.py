# SPDX-License-Identifier: GPL-3.0-or-later
"""Tracks with joints where the artist put them, and the joints told for who wants to put them right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import UnderstudyError
from ..contract.joints import FOLLOWS, Joint, JointFix, Key, TrackedJoint, TrackedPerformer, shift_at
from .points import HEAD, LEFT_HAND, RIGHT_HAND
from .tracks import Presence, Tracks

_POINTS: dict[Joint, tuple[int, ...]] = {
    Joint.HEAD: HEAD,
    Joint.LEFT_SHOULDER: (11,),
    Joint.RIGHT_SHOULDER: (12,),
    Joint.LEFT_ELBOW: (13,),
    Joint.RIGHT_ELBOW: (14,),
    Joint.LEFT_WRIST: LEFT_HAND,
    Joint.RIGHT_WRIST: RIGHT_HAND,
    Joint.LEFT_HIP: (23,),
    Joint.RIGHT_HIP: (24,),
    Joint.LEFT_KNEE: (25,),
    Joint.RIGHT_KNEE: (26,),
    Joint.LEFT_ANKLE: (27, 29, 31),
    Joint.RIGHT_ANKLE: (28, 30, 32),
    Joint.LEFT_HEEL: (29,),
    Joint.RIGHT_HEEL: (30,),
    Joint.LEFT_TOES: (31,),
    Joint.RIGHT_TOES: (32,),
}
"""Points of the body that go with a joint, its own first."""
_MESHES = {Joint.HEAD: "face", Joint.LEFT_WRIST: "left_hand", Joint.RIGHT_WRIST: "right_hand"}
"""Fields of the tracks that go with a joint."""
_DECIMALS = 2


class JointAbsentError(UnderstudyError):
    """A joint was keyed in a frame in which its performer is not seen."""

    hint = "Remove that key, or key the joint in a frame in which the performer is there."

    def __init__(self, joint: Joint, frame: int) -> None:
        super().__init__(f"The performer is not in frame {frame} of the shot, in which the {_words(joint)} is keyed.")
        self.joint, self.frame = joint, frame


def move_joints(tracks: Tracks, fixes: Iterable[JointFix]) -> Tracks:
    """Give tracks with keyed joints moved, what hangs on them too; the box grows with them, scores rise to 1 at keys.

    fixes: frames counted from the tracks' first. Frames in which the performer is absent stay. Raises JointAbsentError.
    """
    keyed: dict[Joint, list[JointFix]] = {}
    for fix in fixes:
        if tracks.presence[fix.frame] == Presence.ABSENT:
            raise JointAbsentError(fix.joint, fix.frame)
        keyed.setdefault(fix.joint, []).append(fix)
    moved = replace(
        tracks,
        body=tracks.body.copy(),
        body_score=tracks.body_score.copy(),
        face=tracks.face.copy(),
        left_hand=tracks.left_hand.copy(),
        right_hand=tracks.right_hand.copy(),
    )
    for joint in sorted(keyed, key=lambda joint: joint in FOLLOWS):  # what leads goes first
        _move(moved, joint, keyed[joint])
    return replace(moved, box=_grown(tracks, moved))


def tell_joints(tracks: Tracks) -> TrackedPerformer:
    """Tell where the joints are, for a reader that knows no arrays."""
    places = np.round(tracks.body[:, :, :2].astype(float), _DECIMALS)
    return TrackedPerformer(
        is_there=tuple((tracks.presence != Presence.ABSENT).tolist()),
        joints=tuple(
            TrackedJoint(joint=joint, x=tuple(places[:, point, 0].tolist()), y=tuple(places[:, point, 1].tolist()))
            for joint, (point, *_) in _POINTS.items()
        ),
    )


def _move(tracks: Tracks, joint: Joint, fixes: list[JointFix]) -> None:
    """Move one joint and what hangs on it, in place."""
    points = list(_POINTS[joint])
    own = tracks.body[:, points[0], :2].astype(float)
    keys = [Key(fix.frame, fix.first, fix.last, fix.x - own[fix.frame, 0], fix.y - own[fix.frame, 1]) for fix in fixes]
    for frame in np.flatnonzero(tracks.presence != Presence.ABSENT).tolist():
        *way, trust = shift_at(keys, frame)
        tracks.body[frame, points, :2] += way
        tracks.body_score[frame, points[0]] += trust * (1 - tracks.body_score[frame, points[0]])
        if joint in _MESHES:
            getattr(tracks, _MESHES[joint])[frame, :, :2] += way


def _grown(before: Tracks, after: Tracks) -> NDArray[np.float32]:
    """Widen the boxes of frames in which points of the body were moved, until they hold these."""
    places = after.body[..., :2]
    is_moved = (places != before.body[..., :2]).any(2, keepdims=True)
    low = np.where(is_moved, places, np.inf).min(1)
    high = np.where(is_moved, places, -np.inf).max(1)
    box = np.concatenate([np.minimum(before.box[:, :2], low), np.maximum(before.box[:, 2:], high)], 1)
    return np.asarray(box, np.float32)


def _words(joint: Joint) -> str:
    return joint.value.replace("_", " ")
