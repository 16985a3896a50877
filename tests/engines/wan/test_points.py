# SPDX-License-Identifier: GPL-3.0-or-later
"""Our tracks as the 133 points: each point is what mediapipe itself calls by that name."""

from typing import Any

import numpy as np
import pytest

from backend.engines.wan.body import FACE, LEFT_HAND, RIGHT_HAND, Figure, draw_figure
from backend.engines.wan.points import FACE_MESH, whole_body
from backend.performer.networks import mediapipe
from backend.performer.tracks import Presence, Tracks

vision: Any = mediapipe().tasks.vision

BODY = (
    "NOSE LEFT_EYE RIGHT_EYE LEFT_EAR RIGHT_EAR LEFT_SHOULDER RIGHT_SHOULDER LEFT_ELBOW RIGHT_ELBOW LEFT_WRIST "
    "RIGHT_WRIST LEFT_HIP RIGHT_HIP LEFT_KNEE RIGHT_KNEE LEFT_ANKLE RIGHT_ANKLE LEFT_FOOT_INDEX LEFT_FOOT_INDEX "
    "LEFT_HEEL RIGHT_FOOT_INDEX RIGHT_FOOT_INDEX RIGHT_HEEL"
)
"""COCO-WholeBody's order of body and feet."""
FACE_PARTS = (
    (range(17), "FACE_OVAL"),
    (range(18, 22), "RIGHT_EYEBROW"),
    (range(22, 26), "LEFT_EYEBROW"),
    (range(36, 42), "RIGHT_EYE"),
    (range(42, 48), "LEFT_EYE"),
    (range(48, 68), "LIPS"),
)
"""Which of the 68 landmarks lie on which part; the outer end of either brow lies beside mediapipe's line."""


def tracks_of(frames: int, score: float = 1.0) -> Tracks:
    """Every point's x is its number, plus a thousand for each kind after the body, and its y the frame's."""

    def points(kind: int, count: int) -> np.ndarray:
        x, y = np.meshgrid(1000.0 * kind + np.arange(count), np.arange(frames))
        return np.stack([x, y, x], axis=-1).astype(np.float32)

    scores = np.full(frames, score, np.float32)
    return Tracks(
        body=points(0, 33),
        body_score=np.linspace(0, 1, 33 * frames, dtype=np.float32).reshape(frames, 33),
        face=points(1, 468),
        face_score=scores,
        left_hand=points(2, 21),
        left_hand_score=scores,
        right_hand=points(3, 21),
        right_hand_score=scores * np.float32(0.5),
        box=np.zeros((frames, 4), np.float32),
        presence=np.full(frames, Presence.TRACKED, np.int8),
        consistency=scores,
    )


def test_body_points_are_those_of_the_same_name() -> None:
    points = whole_body(tracks_of(3, score=0.0))
    assert " ".join(vision.PoseLandmark(int(x)).name for x in points[2, :23, 0]) == BODY
    assert np.allclose(points[:, :23, 2], tracks_of(3).body_score[:, points[0, :23, 0].astype(int)])
    assert (points[1, :, 1] == 1).all()


@pytest.mark.parametrize(("rows", "part"), FACE_PARTS, ids=[part for _, part in FACE_PARTS])
def test_face_points_lie_on_the_part_that_they_name(rows: range, part: str) -> None:
    edges = getattr(vision.FaceLandmarksConnections, f"FACE_LANDMARKS_{part}")
    line = {end for edge in edges for end in (edge.start, edge.end)}
    assert {FACE_MESH[row] for row in rows} <= line
    assert len(set(FACE_MESH)) == 68


def test_nose_and_eyes_come_from_the_mesh_where_a_face_is_seen() -> None:
    nose, left_eye, right_eye = whole_body(tracks_of(1))[0, :3, 0]
    line = {edge.start for edge in vision.FaceLandmarksConnections.FACE_LANDMARKS_LEFT_EYE}
    assert nose == 1004
    assert 1000 + min(line) < left_eye < 1000 + max(line)
    assert right_eye < 1200


def test_hands_are_the_performers_own_left_and_right() -> None:
    points = whole_body(tracks_of(2))
    assert (points[0, LEFT_HAND, 0] == 2000 + np.arange(21)).all()
    assert (points[0, RIGHT_HAND, 0] == 3000 + np.arange(21)).all()
    assert (points[0, RIGHT_HAND, 2] == 0.5).all()
    assert (points[0, FACE, 2] == 1).all()


def test_who_is_not_there_is_not_drawn() -> None:
    tracks = tracks_of(2)
    tracks.presence[1] = Presence.ABSENT
    there, absent = whole_body(tracks)
    assert draw_figure(Figure.of(there), 4000, 64).any()
    assert not draw_figure(Figure.of(absent), 4000, 64).any()
