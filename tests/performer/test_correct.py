# SPDX-License-Identifier: GPL-3.0-or-later
"""Joints that the artist has keyed, on tracks whose every point is known."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.contract.joints import Joint, JointFix, fixes_over
from backend.performer.correct import JointAbsentError, move_joints, tell_joints
from backend.performer.points import HEAD
from backend.performer.tracks import Presence, Tracks

from .figure import ELBOW, tracks_of

COUNT = 20
FIX = JointFix(joint=Joint.LEFT_ELBOW, frame=8, x=190.0, y=100.0, first=6, last=12)


@pytest.fixture
def tracks() -> Tracks:
    """The painted figure's, drifting 2 pixels a frame to the right, unsure of everything."""
    still = tracks_of(COUNT)
    body = still.body + np.arange(COUNT, dtype=np.float32)[:, None, None] * np.array((2, 0, 0), np.float32)
    return replace(still, body=body, body_score=np.full_like(still.body_score, 0.25))


def test_the_joint_is_where_it_was_keyed_and_surely_so(tracks: Tracks) -> None:
    moved = move_joints(tracks, [FIX])
    assert moved.body[8, 13, :2] == pytest.approx((190, 100))
    assert moved.body_score[8, 13] == 1


def test_the_way_there_and_back_is_eased_on_top_of_the_joints_own_motion(tracks: Tracks) -> None:
    moved = move_joints(tracks, [FIX])
    whole = np.array((190, 100)) - (ELBOW[0] + 16, ELBOW[1])
    half = 3 * (2 / 3) ** 2 - 2 * (2 / 3) ** 3  # two thirds of the way from frame 5 to frame 8
    np.testing.assert_allclose(moved.body[7, 13, :2] - tracks.body[7, 13, :2], whole * half, rtol=1e-5)
    assert moved.body_score[7, 13] == pytest.approx(0.25 + 0.75 * half)
    np.testing.assert_array_equal(moved.body[:, 13, 2], tracks.body[:, 13, 2])


def test_nothing_else_changes_and_nothing_outside_the_range(tracks: Tracks) -> None:
    moved = move_joints(tracks, [FIX])
    outside = [*range(6), *range(13, COUNT)]
    for field in fields(Tracks):
        before, after = getattr(tracks, field.name), getattr(moved, field.name)
        np.testing.assert_array_equal(before[outside], after[outside])
        assert before.dtype == after.dtype
    others = [point for point in range(33) if point != 13]
    np.testing.assert_array_equal(moved.body[:, others], tracks.body[:, others])
    np.testing.assert_array_equal(moved.body_score[:, others], tracks.body_score[:, others])


def test_the_hand_goes_with_its_wrist_and_the_head_with_its_nose(tracks: Tracks) -> None:
    wrist, head = (
        JointFix(joint=joint, frame=3, x=float(at[0]) + 5, y=float(at[1]) - 7, first=3, last=3)
        for joint, at in ((Joint.RIGHT_WRIST, tracks.body[3, 16]), (Joint.HEAD, tracks.body[3, 0]))
    )
    moved = move_joints(tracks, [wrist, head])
    for before, after in (
        (tracks.right_hand, moved.right_hand),
        (tracks.face, moved.face),
        (tracks.body[:, [16, 18, 20, 22]], moved.body[:, [16, 18, 20, 22]]),
        (tracks.body[:, list(HEAD)], moved.body[:, list(HEAD)]),
    ):
        np.testing.assert_allclose(after[3] - before[3], np.broadcast_to((5, -7, 0), after[3].shape), atol=1e-4)
        np.testing.assert_array_equal(after[4], before[4])
    np.testing.assert_array_equal(moved.left_hand, tracks.left_hand)


def test_a_heel_goes_with_its_ankle_and_is_where_it_was_keyed_all_the_same(tracks: Tracks) -> None:
    ankle = JointFix(joint=Joint.LEFT_ANKLE, frame=5, x=60.0, y=160.0, first=5, last=9)
    heel = JointFix(joint=Joint.LEFT_HEEL, frame=5, x=55.0, y=170.0, first=5, last=5)
    moved = move_joints(tracks, [heel, ankle])
    assert moved.body[5, 27, :2] == pytest.approx((60, 160))
    assert moved.body[5, 29, :2] == pytest.approx((55, 170))
    np.testing.assert_allclose(
        moved.body[7, 29] - tracks.body[7, 29], moved.body[7, 27] - tracks.body[7, 27], atol=1e-4
    )


@st.composite
def _fixes(draw: st.DrawFn) -> list[JointFix]:
    """Keys of a foot's joints and a wrist, here and there, some of which reach over several others."""
    joints = st.sampled_from((Joint.LEFT_ANKLE, Joint.LEFT_HEEL, Joint.LEFT_TOES, Joint.LEFT_WRIST))
    keyed = draw(st.sets(st.tuples(joints, st.integers(0, COUNT - 1)), min_size=2, max_size=24))
    reach, place = st.integers(0, 12), st.floats(-200, 200)

    def fix(joint: Joint, frame: int) -> JointFix:
        first, last = frame - draw(reach), frame + draw(reach)
        return JointFix(joint=joint, frame=frame, x=draw(place), y=draw(place), first=first, last=last)

    return [fix(*key) for key in sorted(keyed)]


@given(_fixes(), st.integers(0, COUNT - 1))
def test_the_fixes_over_a_frame_alone_move_its_joints_as_all_do_to_the_bit(fixes: list[JointFix], frame: int) -> None:
    wandering = tracks_of(COUNT)
    wandering.body[:] += np.random.default_rng(5).normal(0, 4, wandering.body.shape).cumsum(0)
    low, high = wandering.body[..., :2].min(1), wandering.body[..., :2].max(1)
    wandering = replace(wandering, box=np.concatenate([low, high], 1))
    needed = fixes_over(fixes, frame)
    alone, among_all = move_joints(wandering, needed), move_joints(wandering, fixes)
    for field in fields(Tracks):
        np.testing.assert_array_equal(getattr(alone, field.name)[frame], getattr(among_all, field.name)[frame])
    of_wrist = [fix.frame for fix in needed if fix.joint is Joint.LEFT_WRIST]
    assert of_wrist == [frame] or sum(at < frame for at in of_wrist) <= 2 >= sum(at > frame for at in of_wrist)


def test_of_many_keys_two_to_either_side_are_over_a_frame_and_in_a_keyed_one_that_key_alone() -> None:
    fixes = [replace(FIX, frame=frame, first=frame - 6, last=frame + 6) for frame in range(0, 160, 8)]
    assert [fix.frame for fix in fixes_over(fixes, 82)] == [72, 80, 88, 96]
    assert [fix.frame for fix in fixes_over(fixes, 1)] == [0, 8, 16]
    assert [fix.frame for fix in fixes_over(fixes, 80)] == [80]
    assert {(fix.first, fix.last) for fix in fixes_over(fixes, 82)} == {(-6, 158)}


def test_over_a_frame_are_a_heels_key_and_what_moves_its_ankle_where_that_is_keyed() -> None:
    heel = JointFix(joint=Joint.LEFT_HEEL, frame=10, x=55.0, y=170.0, first=5, last=15)
    ankle = JointFix(joint=Joint.LEFT_ANKLE, frame=9, x=60.0, y=160.0, first=8, last=11)
    elsewhere = replace(ankle, frame=17, first=17, last=17)
    assert fixes_over([ankle, heel, elsewhere, FIX], 5) == (ankle, heel)
    assert fixes_over([ankle, elsewhere], 5) == ()
    assert fixes_over([ankle, heel, elsewhere, FIX], 6) == (ankle, heel, FIX)


def test_the_box_grows_with_a_joint_that_leaves_it_and_only_then(tracks: Tracks) -> None:
    inside, outside = move_joints(tracks, [FIX]), move_joints(tracks, [replace(FIX, x=300.0, y=5.0)])
    np.testing.assert_array_equal(inside.box, tracks.box)
    assert outside.box[8] == pytest.approx((82, 5, 300, 172))
    np.testing.assert_array_equal(outside.box[[5, 13]], tracks.box[[5, 13]])


def test_the_box_grows_with_what_goes_with_a_joint_whether_or_not_that_is_keyed_elsewhere(tracks: Tracks) -> None:
    ankle = JointFix(joint=Joint.LEFT_ANKLE, frame=5, x=250.0, y=160.0, first=5, last=5)
    ankle_at = tracks.body[5, 27, :2]
    tracks.body[5, 29, :2] = ankle_at[0] + 20, ankle_at[1] + 30
    heel = JointFix(joint=Joint.LEFT_HEEL, frame=15, x=55.0, y=170.0, first=15, last=15)
    for fixes in ([ankle], [ankle, heel]):
        assert move_joints(tracks, fixes).box[5] == pytest.approx((82, 22, 270, 190))


def test_where_the_performer_is_absent_nothing_is_moved_and_nothing_can_be_keyed(tracks: Tracks) -> None:
    presence = tracks.presence.copy()
    presence[9:] = Presence.ABSENT
    gone = replace(tracks, presence=presence)
    np.testing.assert_array_equal(move_joints(gone, [FIX]).body[9:], tracks.body[9:])
    with pytest.raises(JointAbsentError, match="frame 9 of the shot, in which the left elbow is keyed"):
        move_joints(gone, [replace(FIX, frame=9)])


def test_what_is_told_of_the_joints_is_where_they_are(tracks: Tracks) -> None:
    told = tell_joints(tracks)
    elbow = next(joint for joint in told.joints if joint.joint is Joint.LEFT_ELBOW)
    np.testing.assert_allclose(np.stack([elbow.x, elbow.y], 1), tracks.body[:, 13, :2], atol=0.006)
    assert {joint.joint for joint in told.joints} == set(Joint)
    assert told.is_there == (True,) * COUNT
