# SPDX-License-Identifier: GPL-3.0-or-later
"""From one sighting a frame, or none, to tracks: short gaps bridged and marked, the rest told to be absent."""

from __future__ import annotations

from collections.abc import Sequence as Many
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .detect import Hand
from .points import LEFT_WRIST, NOSE, RIGHT_WRIST
from .sighting import Sighting
from .smooth import Track, runs, smoothed
from .tracks import BODY_POINTS, FACE_POINTS, HAND_POINTS, Presence, Tracks
from .window import Box, Points

MOST_BRIDGED_FRAMES = 6
"""Longest gap over which points are interpolated."""

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


def tracks_of(frames: Many[Found | None]) -> Tracks:
    """Turn each frame's find into smooth tracks. At least one frame must have one."""
    found = np.array([frame is not None for frame in frames])
    presence = presences(found)
    present = presence != Presence.ABSENT
    body, box, score = _bodies(frames, found)
    raw_nose, raw_left, raw_right = body[:, NOSE, :2], body[:, LEFT_WRIST, :2], body[:, RIGHT_WRIST, :2]
    score[presence == Presence.BRIDGED] *= _BRIDGED_WORTH
    score[~present] = 0
    face, face_score = _ridden([f.face if f else None for f in frames], [1.0] * len(frames), raw_nose, FACE_POINTS)
    hands = []
    for wrist, side in ((raw_left, "left_hand"), (raw_right, "right_hand")):
        marks = [getattr(f, side) if f else None for f in frames]
        points = [mark.points if mark else None for mark in marks]
        hands.append(_ridden(points, [mark.score if mark else 0.0 for mark in marks], wrist, HAND_POINTS))
    return Tracks(
        body=smoothed(body, present),
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


def presences(found: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Mark short gaps between found frames as bridged, others and those at the ends as absent."""
    presence = np.where(found, Presence.TRACKED, Presence.ABSENT).astype(np.int8)
    for first, last in inner_gaps(found):
        presence[first : last + 1] = Presence.BRIDGED
    return presence


def inner_gaps(found: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Give the gaps, first and last frame inclusive, that are short and have a find on either side."""
    return [
        (first, last)
        for first, last in runs(~found)
        if first > 0 and last < len(found) - 1 and last - first < MOST_BRIDGED_FRAMES
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
