# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from backend.performer.bridge import MOST_BRIDGED_FRAMES, Found, left_after, tracks_of
from backend.performer.detect import Hand
from backend.performer.tracks import Presence, Tracks

SPEED_PX = 4.0
FRAME = np.array([-50, -50, 1000, 1000], np.float32)


def found(frame: int) -> Found:
    """A stiff figure that moves steadily to the right."""
    rng = np.random.default_rng(7)
    shift = np.array([SPEED_PX * frame, 0, 0], np.float32)
    body, face, hand = (rng.uniform(0, 300, (n, 3)).astype(np.float32) + shift for n in (33, 468, 21))
    box = np.array([0, 0, 300, 300], np.float32) + np.array([1, 0, 1, 0], np.float32) * shift[0]
    return Found(body, np.full(33, 0.9, np.float32), face, Hand(hand, 0.8), Hand(hand, 0.8), box, 0.95)


def with_gap(first: int, last: int, count: int = 20) -> Tracks:
    return tracks_of([None if first <= frame <= last else found(frame) for frame in range(count)], FRAME)


@pytest.mark.parametrize("length", [1, 3, MOST_BRIDGED_FRAMES])
def test_a_short_gap_is_bridged_along_the_motion_marked_and_trusted_less(length: int) -> None:
    tracks, whole = with_gap(8, 7 + length), tracks_of([found(frame) for frame in range(20)], FRAME)
    gap = slice(8, 8 + length)
    assert (tracks.presence[gap] == Presence.BRIDGED).all()
    assert (np.delete(tracks.presence, np.r_[gap]) == Presence.TRACKED).all()
    np.testing.assert_allclose(tracks.body, whole.body, atol=0.01)
    np.testing.assert_allclose(tracks.face, whole.face, atol=0.01)
    assert (tracks.body_score[gap] < 0.5).all() and (tracks.consistency[gap] == 0).all()


def test_a_long_gap_is_absence() -> None:
    tracks = with_gap(8, 8 + MOST_BRIDGED_FRAMES)
    assert (tracks.presence[8 : 9 + MOST_BRIDGED_FRAMES] == Presence.ABSENT).all()
    assert (tracks.body_score[8 : 9 + MOST_BRIDGED_FRAMES] == 0).all()


@pytest.mark.parametrize("gap", [(0, 2), (17, 19)])
def test_who_is_not_there_yet_or_any_more_is_not_invented(gap: tuple[int, int]) -> None:
    tracks = with_gap(*gap)
    assert (tracks.presence[gap[0] : gap[1] + 1] == Presence.ABSENT).all()
    assert (tracks.face_score[gap[0] : gap[1] + 1] == 0).all()


def test_all_is_finite_everywhere() -> None:
    tracks = tracks_of([None, *[replace(found(f), face=None, left_hand=None) for f in range(3)], None], FRAME)
    assert all(np.isfinite(getattr(tracks, field.name)).all() for field in fields(tracks))


def test_a_face_and_a_hand_lost_for_a_moment_ride_on_the_body() -> None:
    frames = [replace(found(f), face=None, left_hand=None) if 8 <= f <= 10 else found(f) for f in range(20)]
    tracks, whole = tracks_of(frames, FRAME), tracks_of([found(frame) for frame in range(20)], FRAME)
    np.testing.assert_allclose(tracks.face, whole.face, atol=0.01)
    np.testing.assert_allclose(tracks.left_hand, whole.left_hand, atol=0.01)
    assert (tracks.presence == Presence.TRACKED).all()
    assert (tracks.face_score[8:11] > 0).all() and (tracks.face_score[8:11] < 1).all()


def test_a_face_lost_for_long_has_no_score() -> None:
    frames = [replace(found(f), face=None) if 5 <= f <= 15 else found(f) for f in range(20)]
    assert (tracks_of(frames, FRAME).face_score[5:16] == 0).all()


def test_who_walks_through_the_edge_is_carried_on_while_seen() -> None:
    """The figure's right side meets the edge at frame 10 and is lost there; 6 frames later most of it is still in."""
    edge = np.array([-50, -50, 300 + 10 * SPEED_PX, 1000], np.float32)
    tracks = tracks_of([found(frame) if frame < 10 else None for frame in range(20)], edge)
    assert tracks.presence.tolist() == [Presence.TRACKED] * 10 + [Presence.BRIDGED] * 6 + [Presence.ABSENT] * 4
    whole = tracks_of([found(frame) for frame in range(20)], edge)
    np.testing.assert_allclose(tracks.body[:16], whole.body[:16], atol=0.01)
    outside = tracks.body[12, :, 0] > edge[2]
    assert (tracks.body_score[12, outside] == 0).all() and (tracks.body_score[12, ~outside] > 0).all()


def turned(frame: int, by_deg: float) -> Found:
    """The figure upright, shoulders at its top and ankles at its foot, turned round its middle in the picture."""
    what = found(frame)
    body = what.body.copy()
    body[[11, 12, 27, 28], 1] = [50, 50, 250, 250]
    body[[11, 12, 27, 28], 0] = np.array([100, 200, 120, 180]) + SPEED_PX * frame
    middle = np.array([150 + SPEED_PX * frame, 150])
    cosine, sine = np.cos(np.radians(by_deg)), np.sin(np.radians(by_deg))
    body[:, :2] = (body[:, :2] - middle) @ np.array([[cosine, sine], [-sine, cosine]]) + middle
    return replace(what, body=body.astype(np.float32))


@pytest.mark.parametrize(
    "wrong",
    [[10], [10, 11, 12], list(range(10, 16)), [8, 9, 13, 14], [8, 10, 12]],
    ids=str,
)
def test_a_pose_that_stands_on_its_head_at_once_and_back_is_bridged(wrong: list[int]) -> None:
    tracks = tracks_of([turned(f, 175 if f in wrong else 3) for f in range(24)], FRAME)
    assert set(wrong) <= set(np.flatnonzero(tracks.presence == Presence.BRIDGED).tolist()) <= set(range(8, 16))
    assert (tracks.presence != Presence.ABSENT).all()
    truth = tracks_of([turned(f, 3) for f in range(24)], FRAME)
    np.testing.assert_allclose(tracks.body, truth.body, atol=0.01)


@pytest.mark.parametrize("by_deg", [15, 30, -45])
def test_who_turns_over_on_the_way_stays(by_deg: float) -> None:
    """A cartwheel and somersaults, once round or more, seen in every frame and in two of three."""
    whole: list[Found | None] = [turned(f, by_deg * min(max(f - 5, 0), 360 // abs(by_deg))) for f in range(40)]
    assert (tracks_of(whole, FRAME).presence == Presence.TRACKED).all()
    seen = [frame if index % 3 else None for index, frame in enumerate(whole)]
    presence = tracks_of(seen, FRAME).presence
    assert all(presence[index] == Presence.TRACKED for index, frame in enumerate(seen) if frame)


def test_who_is_found_on_the_hands_for_long_is_believed() -> None:
    frames = [turned(f, 180 if 8 <= f <= 8 + MOST_BRIDGED_FRAMES else 0) for f in range(30)]
    assert (tracks_of(frames, FRAME).presence == Presence.TRACKED).all()


@pytest.mark.parametrize(("length", "expected"), [(12, Presence.BRIDGED), (13, Presence.ABSENT)])
def test_who_passes_behind_somebody_is_bridged_for_longer(length: int, expected: Presence) -> None:
    frames = [None if 8 <= frame < 8 + length else found(frame) for frame in range(30)]
    hidden = np.array([frame is None for frame in frames])
    tracks = tracks_of(frames, FRAME, hidden)
    assert (tracks.presence[8 : 8 + length] == expected).all()


def test_it_is_known_when_one_who_left_the_frame_was_last_seen() -> None:
    presence = np.array([0, 2, 1, 1, 2, 1, 2, 2, 0], np.int8)
    assert [left_after(presence, index) for index in (1, 4, 6, 7)] == [2, None, 5, 5]


def test_either_hand_is_kept_as_its_own() -> None:
    other = np.random.default_rng(8).uniform(0, 300, (21, 3)).astype(np.float32)
    shifts = [np.array([SPEED_PX * frame, 0, 0], np.float32) for frame in range(20)]
    frames = [replace(found(frame), right_hand=Hand(other + shift, 0.6)) for frame, shift in enumerate(shifts)]
    tracks = tracks_of(frames, FRAME)
    left = np.stack([what.left_hand.points for what in frames if what.left_hand])
    np.testing.assert_allclose(tracks.left_hand, left, atol=0.01)
    np.testing.assert_allclose(tracks.right_hand, np.stack([other + shift for shift in shifts]), atol=0.01)
    assert tracks.left_hand_score == pytest.approx(0.8) and tracks.right_hand_score == pytest.approx(0.6)


def test_who_walks_in_through_the_edge_is_carried_back_while_seen_with_the_face_and_without_hands() -> None:
    """The figure's left side leaves the edge at frame 10, where it is found; 6 frames earlier most of it is in."""
    edge = np.array([10 * SPEED_PX, -50, 1000, 1000], np.float32)
    tracks = tracks_of([found(frame) if frame >= 10 else None for frame in range(20)], edge)
    assert tracks.presence.tolist() == [Presence.ABSENT] * 4 + [Presence.BRIDGED] * 6 + [Presence.TRACKED] * 10
    whole = tracks_of([found(frame) for frame in range(20)], edge)
    for name in ("body", "face", "box"):
        np.testing.assert_allclose(getattr(tracks, name)[4:], getattr(whole, name)[4:], atol=0.01)
    assert (tracks.left_hand_score[4:10] == 0).all() and (tracks.right_hand_score[4:10] == 0).all()
    inside = tracks.body[6, :, 0] > edge[0]
    assert tracks.body_score[6, inside] == pytest.approx(0.9 / 2)


@pytest.mark.parametrize(("hidden_frames", "expected"), [(5, Presence.BRIDGED), (4, Presence.ABSENT)])
def test_who_is_hidden_in_less_than_most_of_a_long_gap_is_absent(hidden_frames: int, expected: Presence) -> None:
    frames = [None if 8 <= frame < 16 else found(frame) for frame in range(30)]
    hidden = np.zeros(30, np.bool_)
    hidden[8 : 8 + hidden_frames] = True
    assert (tracks_of(frames, FRAME, hidden).presence[8:16] == expected).all()


def test_a_face_that_comes_back_elsewhere_after_long_pulls_at_nothing_that_was_seen() -> None:
    turned_away = np.array([80, 0, 0], np.float32)
    frames = [found(frame) for frame in range(20)]
    frames = [
        replace(what, face=None if 5 <= at <= 15 or what.face is None else what.face + turned_away * (at > 15))
        for at, what in enumerate(frames)
    ]
    seen = [at for at, what in enumerate(frames) if what.face is not None]
    measured = np.stack([what.face for what in frames if what.face is not None])
    np.testing.assert_allclose(tracks_of(frames, FRAME).face[seen], measured, atol=0.01)
