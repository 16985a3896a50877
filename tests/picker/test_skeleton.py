# SPDX-License-Identifier: GPL-3.0-or-later
"""Joints as Blender draws them are where the worker moves them to, and the nearest one is taken hold of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from understudy.backend.contract.joints import Joint, JointFix, TrackedPerformer
from understudy.backend.contract.wire import from_json, to_json
from understudy.picker.skeleton import BONES, Skeleton, nearest_or_none

from backend.contract import joints as workers
from backend.performer.correct import move_joints, tell_joints
from backend.performer.tracks import Presence, Tracks
from tests.performer.figure import tracks_of

COUNT = 24
FIXES = (
    JointFix(joint=Joint.LEFT_HEEL, frame=6, x=50.0, y=70.0, first=4, last=9),
    JointFix(joint=Joint.LEFT_ANKLE, frame=5, x=40.0, y=60.0, first=2, last=8),
    JointFix(joint=Joint.LEFT_ANKLE, frame=12, x=45.0, y=66.0, first=8, last=14),
    JointFix(joint=Joint.RIGHT_WRIST, frame=20, x=4.5, y=6.5, first=18, last=30),
)


def told_over(tracks: Tracks) -> TrackedPerformer:
    """What Blender hears of tracks."""
    return from_json(TrackedPerformer, to_json(tell_joints(tracks)), "told")


@pytest.fixture
def tracks() -> Tracks:
    """Joints that wander, and a performer who is gone for two frames."""
    still = tracks_of(COUNT)
    wandering = np.random.default_rng(3).normal(0, 4, (COUNT, 33, 3)).cumsum(0).astype(np.float32)
    presence = still.presence.copy()
    presence[15:17] = Presence.ABSENT
    return replace(still, body=still.body + wandering, presence=presence)


def test_every_joint_is_drawn_where_the_worker_has_it(tracks: Tracks) -> None:
    asked = [workers.JointFix(**{**to_json(fix), "joint": workers.Joint(fix.joint)}) for fix in FIXES]  # type: ignore[arg-type]
    moved, skeleton = told_over(move_joints(tracks, asked)), Skeleton(told_over(tracks), FIXES)
    for frame in set(range(COUNT)) - {15, 16}:
        places = skeleton.places(frame)
        for joint in moved.joints:
            assert places[joint.joint] == pytest.approx((joint.x[frame], joint.y[frame]), abs=0.03)


def test_nothing_is_drawn_where_nobody_is_or_outside_the_shot(tracks: Tracks) -> None:
    skeleton = Skeleton(told_over(tracks), FIXES)
    assert [len(skeleton.places(frame)) for frame in (-1, 0, 15, 16, 17, COUNT)] == [0, 17, 0, 0, 17, 0]


def test_a_key_outside_the_shot_moves_nothing(tracks: Tracks) -> None:
    told, stray = told_over(tracks), replace(FIXES[0], frame=COUNT, first=0, last=COUNT)
    assert Skeleton(told, [stray]).places(COUNT - 1) == Skeleton(told, []).places(COUNT - 1)


def test_the_nearest_joint_is_taken_hold_of_if_it_is_near() -> None:
    places = {Joint.HEAD: (10.0, 10.0), Joint.LEFT_ELBOW: (13.0, 14.0)}
    assert nearest_or_none(places, (11.0, 11.0), 5.0) is Joint.HEAD
    assert nearest_or_none(places, (13.0, 19.0), 5.0) is Joint.LEFT_ELBOW
    assert nearest_or_none(places, (13.0, 19.1), 5.0) is None
    assert nearest_or_none({}, (0.0, 0.0), 5.0) is None


def test_every_joint_but_the_head_hangs_on_a_bone() -> None:
    assert {joint for bone in BONES for joint in bone} == set(Joint) - {Joint.HEAD}
