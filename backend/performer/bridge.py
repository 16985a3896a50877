# SPDX-License-Identifier: GPL-3.0-or-later
"""From one sighting a frame, or none, to tracks: short gaps bridged and marked, the rest told to be absent."""

from __future__ import annotations

from collections.abc import Sequence as Many
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .detect import Hand
from .judge import trunk_shift, turns_over
from .points import FEET, LEFT_WRIST, NOSE, RIGHT_WRIST
from .sighting import Sighting
from .smooth import Track, runs, smoothed
from .tracks import BODY_POINTS, FACE_POINTS, HAND_POINTS, Presence, Tracks
from .window import Box, Points, within

MOST_BRIDGED_FRAMES = 6
"""Longest gap over which points are interpolated."""

MOST_HIDDEN_FRAMES = 12
"""The same for one who passes behind somebody else: that lasts longer than a detection fails."""

_SPEED_FRAMES = 3
"""Over so many frames the speed is taken of who walks out of the frame."""

_STRIDE = 0.15
"""How far a leg or an arm may stay behind the box of who walks on, in heights of the box."""

_BRIDGED_WORTH = 0.5
"""What a bridged point's score is worth of its neighbours'."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is kept of a frame's sighting; pictures are not."""

    body: Points
    body_score: NDArray[np.float32]
    face: Points | None
    left_hand: Hand | None
    right_hand: Hand | None
    box: Box
    consistency: float

    @classmethod
    def of(cls, sighting: Sighting) -> Found:
        """Keep a sighting's points."""
        body = sighting.body
        return cls(
            body.points,
            body.score,
            sighting.face,
            sighting.left_hand,
            sighting.right_hand,
            sighting.box,
            sighting.consistency,
        )

    def moved(self, right_px: float) -> Found:
        """Give the same find farther right; hands swing too much to be carried along."""
        shift = np.array([right_px, 0, 0], np.float32)
        box = self.box + np.array([right_px, 0, right_px, 0], np.float32)
        face = None if self.face is None else self.face + shift
        return replace(self, body=self.body + shift, face=face, box=box, left_hand=None, right_hand=None)


def without_overturned(frames: Many[Found | None]) -> list[Found | None]:
    """Leave out the finds of a few frames between two in which the body is turned over at once, and back again.

    The network may put feet where the head is, sure as ever. Who does a cartwheel turns on the way, and so stays; who
    stands on the hands for longer than a gap is bridged does too. The shortest stretches go first.
    """
    kept = [index for index, frame in enumerate(frames) if frame is not None]
    for most_frames in range(1, MOST_BRIDGED_FRAMES + 1):
        turns = [place for place in range(1, len(kept)) if _turns_over(frames, kept[place - 1], kept[place])]
        stretches = [kept[turn:back] for turn, back in pairwise(turns) if back - turn <= most_frames]
        kept = sorted(set(kept).difference(*stretches))
    return [frame if index in kept else None for index, frame in enumerate(frames)]


def _turns_over(frames: Many[Found | None], index: int, later: int) -> bool:
    before, after = frames[index], frames[later]
    assert before is not None and after is not None
    return turns_over(before.body, after.body, later - index)


def tracks_of(frames: Many[Found | None], frame_area: Box, hidden: NDArray[np.bool_] | None = None) -> Tracks:
    """Turn each frame's find into smooth tracks. At least one frame must have one.

    frame_area: box of the frame. hidden: `f`, where somebody else stands at the person's place.
    """
    frames = without_overturned(frames)
    carried = carried_out(frames, frame_area)
    frames = [carried.get(index, frame) for index, frame in enumerate(frames)]
    found = np.array([frame is not None for frame in frames])
    presence = presences(found, hidden)
    presence[list(carried)] = Presence.BRIDGED
    present = presence != Presence.ABSENT
    body, box, score = _bodies(frames, found)
    raw_nose, raw_left, raw_right = body[:, NOSE, :2], body[:, LEFT_WRIST, :2], body[:, RIGHT_WRIST, :2]
    score[(presence == Presence.BRIDGED) & ~found] *= _BRIDGED_WORTH
    score[~present] = 0
    face, face_score = _ridden([f.face if f else None for f in frames], [1.0] * len(frames), raw_nose, FACE_POINTS)
    hands = []
    for wrist, side in ((raw_left, "left_hand"), (raw_right, "right_hand")):
        marks = [getattr(f, side) if f else None for f in frames]
        points = [mark.points if mark else None for mark in marks]
        hands.append(_ridden(points, [mark.score if mark else 0.0 for mark in marks], wrist, HAND_POINTS))
    return Tracks(
        body=smoothed(body, present, FEET),
        body_score=score,
        face=smoothed(face, present & (face_score > 0)),
        face_score=np.where(present, face_score, 0).astype(np.float32),
        left_hand=smoothed(hands[0][0], present & (hands[0][1] > 0)),
        left_hand_score=np.where(present, hands[0][1], 0).astype(np.float32),
        right_hand=smoothed(hands[1][0], present & (hands[1][1] > 0)),
        right_hand_score=np.where(present, hands[1][1], 0).astype(np.float32),
        box=smoothed(box.reshape(-1, 2, 2), present).reshape(-1, 4),
        presence=presence,
        consistency=np.array([f.consistency if f else 0 for f in frames], np.float32),
    )


def carried_out(frames: Many[Found | None], frame_area: Box) -> dict[int, Found]:
    """Carry on, by index, those who walk through the frame's left or right edge while a part of them is still seen.

    They are moved on as they last were at their last speed, for no longer than a gap is bridged.
    """
    found = np.array([frame is not None for frame in frames])
    inner = inner_gaps(found)
    carried: dict[int, Found] = {}
    for first, last in runs(found):
        for end, step in ((first, -1), (last, 1)):
            back = end - step * _SPEED_FRAMES
            is_bridged = any(gap[0] <= end + step <= gap[1] for gap in inner)
            if first <= back <= last and not is_bridged:
                carried |= _carried(frames, end, back, frame_area)
    return carried


def _carried(frames: Many[Found | None], end: int, back: int, frame_area: Box) -> dict[int, Found]:
    last, earlier = frames[end], frames[back]
    assert last is not None and earlier is not None
    step = 1 if end > back else -1
    speed = float(trunk_shift(earlier.body, last.body)[0]) / _SPEED_FRAMES
    ahead_px = frame_area[2] - last.box[2] if speed > 0 else last.box[0] - frame_area[0]
    carried: dict[int, Found] = {}
    for away in range(1, MOST_BRIDGED_FRAMES + 1):
        index, moved = end + step * away, last.moved(speed * away)
        stride = _STRIDE * float(moved.box[3] - moved.box[1])
        is_out = moved.box[0] - stride >= frame_area[2] or moved.box[2] + stride <= frame_area[0]
        if ahead_px > abs(speed) or is_out or not 0 <= index < len(frames) or frames[index] is not None:
            break
        score = _BRIDGED_WORTH * moved.body_score * within(moved.body, frame_area)
        carried[index] = replace(moved, body_score=score, consistency=0.0)
    return carried


def left_after(presence: NDArray[np.int8], index: int) -> int | None:
    """Tell the nearest frame in which somebody was seen who is carried out of the frame (or into it) at `index`.

    None if the person is seen on both sides of the gap.
    """
    seen = np.flatnonzero(presence == Presence.TRACKED)
    at = int(np.searchsorted(seen, index))
    absent = presence == Presence.ABSENT
    if at == 0:
        return int(seen[0])
    if at == len(seen) or absent[index : seen[at]].any():
        return int(seen[at - 1])
    return int(seen[at]) if absent[seen[at - 1] : index].any() else None


def presences(found: NDArray[np.bool_], hidden: NDArray[np.bool_] | None = None) -> NDArray[np.int8]:
    """Mark short gaps between found frames as bridged, others and those at the ends as absent.

    Longer ones are bridged too where the person is hidden in most of their frames.
    """
    presence = np.where(found, Presence.TRACKED, Presence.ABSENT).astype(np.int8)
    gaps = inner_gaps(found)
    if hidden is not None:
        longer = inner_gaps(found, MOST_HIDDEN_FRAMES)
        gaps += [(first, last) for first, last in longer if 2 * hidden[first : last + 1].sum() > last + 1 - first]
    for first, last in gaps:
        presence[first : last + 1] = Presence.BRIDGED
    return presence


def inner_gaps(found: NDArray[np.bool_], most_frames: int = MOST_BRIDGED_FRAMES) -> list[tuple[int, int]]:
    """Give the gaps, first and last frame inclusive, that are short and have a find on either side."""
    return [
        (first, last)
        for first, last in runs(~found)
        if first > 0 and last < len(found) - 1 and last - first < most_frames
    ]


def interpolated(track: Track, found: NDArray[np.bool_]) -> Track:
    """Fill frames without a find linearly from both sides, beyond the ends by the nearest. track: `f ...`."""
    at, flat = np.flatnonzero(found), track.reshape(len(track), -1)
    every = np.arange(len(track))
    filled = [np.interp(every, at, column[at]) for column in flat.T]
    return np.stack(filled, axis=1).reshape(track.shape).astype(np.float32)


def _bodies(frames: Many[Found | None], found: NDArray[np.bool_]) -> tuple[Track, Track, Track]:
    body = np.stack([f.body if f else np.zeros((BODY_POINTS, 3), np.float32) for f in frames])
    box = np.stack([f.box if f else np.zeros(4, np.float32) for f in frames])
    score = np.stack([f.body_score if f else np.zeros(BODY_POINTS, np.float32) for f in frames])
    return interpolated(body, found), interpolated(box, found), interpolated(score, found)


def _ridden(
    marks: Many[Points | None], scores: Many[float], anchor: Track, count: int
) -> tuple[Track, NDArray[np.float32]]:
    """Fill the gaps of a face or hand as it rides on a joint of the body, `f 2`.

    Returns `f count 3` and scores `f`: lower over short gaps, 0 where nothing is known; points are finite everywhere.
    """
    found = np.array([mark is not None for mark in marks])
    carried = np.zeros((len(marks), count, 3), np.float32)
    carried[..., :2] = anchor[:, None]
    if not found.any():
        return carried, np.zeros(len(marks), np.float32)
    own = np.stack([mark if mark is not None else carried[i] for i, mark in enumerate(marks)]) - carried
    score = np.where(found, np.asarray(scores, np.float32), 0)
    filled = interpolated(score, found)
    for first, last in inner_gaps(found):
        score[first : last + 1] = _BRIDGED_WORTH * filled[first : last + 1]
    return interpolated(own, found) + carried, score.astype(np.float32)
