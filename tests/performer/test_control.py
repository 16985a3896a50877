# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest

from backend.media.colour import to_depth
from backend.performer.control import draw_control
from backend.performer.tracks import BODY_POINTS, FACE_POINTS, HAND_POINTS, Presence, Tracks

SIZE = (240, 320)


def standing(presence: Presence = Presence.TRACKED, score: float = 1.0) -> Tracks:
    """One frame of somebody of whom only the left forearm (elbow 13 to wrist 15) has a score."""
    body = np.full((1, BODY_POINTS, 3), 40, np.float32)
    body[0, 13, :2], body[0, 15, :2] = (100, 120), (200, 120)
    body_score = np.zeros((1, BODY_POINTS), np.float32)
    body_score[0, [13, 15]] = score
    hand = np.zeros((1, HAND_POINTS, 3), np.float32)
    nothing = np.zeros(1, np.float32)
    return Tracks(
        body=body,
        body_score=body_score,
        face=np.zeros((1, FACE_POINTS, 3), np.float32),
        face_score=nothing,
        left_hand=hand,
        left_hand_score=nothing,
        right_hand=hand,
        right_hand_score=nothing,
        box=np.array([[0, 0, 320, 240]], np.float32),
        presence=np.array([presence], np.int8),
        consistency=np.ones(1, np.float32),
    )


def changed(tracks: Tracks) -> np.ndarray:
    """How much each pixel of a flat plate, 100 dimmed to 50, was drawn upon."""
    plate = np.full((*SIZE, 3), 100, np.uint8)
    return np.abs(draw_control(plate, [tracks], 0).astype(int) - 50).max(2)


def test_what_has_a_score_is_drawn_where_it_is_and_nothing_else() -> None:
    rows, columns = np.nonzero(changed(standing()))
    assert abs(rows.mean() - 120) < 0.5
    assert abs(columns.mean() - 150) < 0.5
    assert columns.min() >= 94
    assert columns.max() <= 206


def test_the_less_sure_the_fainter() -> None:
    sure, half, bridged, unseen = (
        changed(tracks)[120, 150]
        for tracks in (standing(), standing(score=0.5), standing(Presence.BRIDGED, 0.5), standing(score=0.0))
    )
    assert sure > half > bridged > unseen == 0


def test_nobody_is_drawn_where_absent() -> None:
    assert changed(standing(Presence.ABSENT)).max() == 0


def test_points_invented_far_outside_do_no_harm() -> None:
    tracks = standing()
    tracks.body[0, 15, :2] = 1e9, -1e9
    assert changed(tracks).shape == SIZE


@pytest.mark.parametrize("bits", [8, 16])
def test_the_drawing_has_the_plates_depth(bits: int) -> None:
    plate = to_depth(np.full((*SIZE, 3), 100, np.uint8), bits)
    assert draw_control(plate, [standing()], 0).dtype == plate.dtype
