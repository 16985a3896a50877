# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a performer's tracks is drawn into the matte, and what is not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from backend.performer.limbs import draw_hands, draw_limbs
from backend.performer.tracks import Tracks

from .figure import ELBOW, HEIGHT, WIDTH, arm, body, tracks_of

SHAPE = HEIGHT, WIDTH
SHOULDER = 122, 85


def fist(tracks: Tracks, score: float) -> Tracks:
    """Give the left hand 21 points in a blob round (200, 60)."""
    around = np.linspace(0, 2 * np.pi, 21, endpoint=False)
    tracks.left_hand[0, :, :2] = np.stack([200 + 6 * np.cos(around), 60 + 6 * np.sin(around)], 1)
    tracks.left_hand_score[0] = score
    return tracks


def middle_of_arm(drawing: NDArray[np.uint8]) -> int:
    return int(drawing[(SHOULDER[1] + ELBOW[1]) // 2, (SHOULDER[0] + ELBOW[0]) // 2])


def test_seen_limbs_and_torso_are_drawn_inside_the_body() -> None:
    drawing = draw_limbs(tracks_of(1), 0, SHAPE)
    assert middle_of_arm(drawing) == drawing[110, 110] == 255
    assert ((body() | arm())[drawing > 0] > 0).mean() > 0.98


def test_a_limb_with_an_unseen_end_is_not_drawn() -> None:
    tracks = tracks_of(1)
    tracks.body_score[0, 13] = 0.3
    assert middle_of_arm(draw_limbs(tracks, 0, SHAPE)) == 0


def test_a_hand_is_drawn_where_it_was_found_and_only_then() -> None:
    assert draw_hands(fist(tracks_of(1), 0.9), 0, SHAPE)[60, 200] == 255
    assert not draw_hands(fist(tracks_of(1), 0.0), 0, SHAPE).any()


def test_a_hand_that_was_not_found_is_drawn_from_the_bodys_own_points() -> None:
    tracks = tracks_of(1)
    for joint, place in {15: (200, 80), 17: (212, 70), 19: (214, 76), 21: (208, 86)}.items():
        tracks.body[0, joint, :2], tracks.body_score[0, joint] = place, 0.9
    assert draw_hands(tracks, 0, SHAPE)[76, 207] == 255


def test_joints_far_outside_the_frame_draw_nothing_and_do_no_harm() -> None:
    tracks = tracks_of(1)
    tracks.body[0, :, :2] -= 5000
    assert not draw_limbs(tracks, 0, SHAPE).any()
