# SPDX-License-Identifier: GPL-3.0-or-later
"""A painted performer on a painted set: body, arm and a hand that flies about, with true mattes and true tracks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.media.sequence import Sequence, SequenceWriter
from backend.performer.tracks import Presence, Tracks

WIDTH, HEIGHT = 240, 180
SHIRT, SKIN = (40, 70, 150), (215, 160, 130)
ELBOW, FLIGHT_PX = (180, 92), 30
"""The hand is a blob that jumps `FLIGHT_PX` a frame, two and a half times its own width."""

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Shot:
    """Frames, coarse coverage and tracks as the tracker hands them over, and what they should lead to."""

    frames: Sequence
    coverage: Sequence
    tracks: Tracks
    truth: list[Bytes]
    hands: list[Bytes]


def paint_shot(folder: Path, count: int = 5, *, blind: frozenset[int] = frozenset()) -> Shot:
    """Paint a shot; in the frames `blind` the coverage misses the arm."""
    truth, hands = [truth_of(frame) for frame in range(count)], [hand_of(frame) for frame in range(count)]
    with SequenceWriter(folder / "frames") as frames, SequenceWriter(folder / "coverage") as coverage:
        for frame in range(count):
            frames.write(frame, picture_of(frame))
            seen = body() | hands[frame] if frame in blind else truth[frame]
            coverage.write(frame, coarse(seen))
    sequences = Sequence(folder / "frames", count), Sequence(folder / "coverage", count)
    return Shot(*sequences, tracks_of(count), truth, hands)


def truth_of(frame: int) -> Bytes:
    return body() | arm() | hand_of(frame)


def body() -> Bytes:
    drawing = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(drawing, (110, 110), (28, 60), 0, 0, 360, 255, -1)
    return np.asarray(cv2.circle(drawing, (110, 40), 18, 255, -1), np.uint8)


def arm() -> Bytes:
    return np.asarray(cv2.line(np.zeros((HEIGHT, WIDTH), np.uint8), (120, 85), ELBOW, 255, 12), np.uint8)


def hand_of(frame: int) -> Bytes:
    """The hand and a thin forearm."""
    place = 215, 45 + FLIGHT_PX * (frame % 4)
    drawing = cv2.line(np.zeros((HEIGHT, WIDTH), np.uint8), ELBOW, place, 255, 5)
    return np.asarray(cv2.circle(drawing, place, 6, 255, -1), np.uint8)


def picture_of(frame: int) -> Bytes:
    """RGB `h w 3`: a mottled green set, a blue shirt, skin."""
    noise = np.random.default_rng(5).random((HEIGHT, WIDTH, 3))
    picture = np.array((60.0, 110.0, 60.0)) + 60 * (cv2.GaussianBlur(noise, (0, 0), 2) - 0.5)
    picture[(body() | arm()) > 0] = SHIRT
    picture[hand_of(frame) > 0] = SKIN
    return np.clip(picture, 0, 255).astype(np.uint8)


def coarse(matte: Bytes) -> Bytes:
    """What a segmentation network would see: blurred and a little too wide."""
    return np.asarray(cv2.GaussianBlur(cv2.dilate(matte, np.ones((3, 3))), (0, 0), 2.0), np.uint8)


def tracks_of(count: int) -> Tracks:
    """Tracks of a performer of whom shoulders, hips and the left arm down to the elbow are seen, and no hand."""
    points, score = np.zeros((count, 33, 3), np.float32), np.zeros((count, 33), np.float32)
    for joint, place in {11: (122, 85), 12: (98, 85), 13: ELBOW, 23: (120, 140), 24: (100, 140)}.items():
        points[:, joint, :2], score[:, joint] = place, 1
    nothing = np.zeros(count, np.float32)
    return Tracks(
        body=points,
        body_score=score,
        face=np.zeros((count, 468, 3), np.float32),
        face_score=nothing,
        left_hand=np.zeros((count, 21, 3), np.float32),
        left_hand_score=nothing,
        right_hand=np.zeros((count, 21, 3), np.float32),
        right_hand_score=nothing,
        box=np.tile(np.array((82, 22, 222, 172), np.float32), (count, 1)),
        presence=np.full(count, Presence.TRACKED, np.int8),
        consistency=np.ones(count, np.float32),
    )
