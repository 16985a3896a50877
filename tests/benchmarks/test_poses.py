# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured of poses, on poses that are known."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.joints import boxes_overlap
from benchmarks.poses import (
    correlation,
    distances,
    head_agrees,
    head_yaw_deg,
    height_px,
    mouth_opening,
    share_within,
    slips,
    stretches,
)


def test_height_is_from_the_nose_to_the_middle_of_the_ankles() -> None:
    body = np.zeros((1, 33, 3))
    body[0, 27], body[0, 28] = (-3, 10, 0), (3, 10, 0)
    assert height_px(body) == pytest.approx(10)


def test_distances_are_in_each_frames_own_height() -> None:
    points = np.zeros((2, 1, 2))
    assert distances(points, points + np.array([3, 4]), np.array([50.0, 100.0])).ravel() == pytest.approx([0.1, 0.05])


def test_a_frame_given_up_counts_as_missed_and_an_unseen_joint_not_at_all() -> None:
    errors = np.array([[0.01, 0.9], [0.01, 0.01]])
    visible = np.array([[True, False], [True, True]])
    assert share_within(errors, visible, np.array([False, False]), 0.05) == 1
    assert share_within(errors, visible, np.array([False, True]), 0.05) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("nose", "shoulder_y", "agrees"), [((50, 50), 120, True), ((90, 50), 120, False), ((50, 50), 70, False)]
)
def test_a_head_agrees_with_its_body_when_both_say_so(nose: tuple[int, int], shoulder_y: int, agrees: bool) -> None:
    angle = np.linspace(0, 2 * np.pi, 468)
    face = np.stack([50 + 20 * np.cos(angle), 50 + 30 * np.sin(angle)], axis=1)
    face[152] = (50, 80)
    body = np.zeros((33, 2))
    body[0], body[11], body[12] = nose, (70, 120), (30, shoulder_y)
    assert head_agrees(body, face) is agrees


@pytest.mark.parametrize("yaw_deg", [-40, -10, 0, 25, 45])
@pytest.mark.parametrize("roll_deg", [0, 30])
def test_yaw_is_that_of_a_head_seen_from_afar(yaw_deg: float, roll_deg: float) -> None:
    yaw, roll = np.radians([yaw_deg, roll_deg])
    points = {33: (-1.0, 0.0, 0.0), 263: (1.0, 0.0, 0.0), 1: (0.0, 0.8, -1.1)}
    face = np.zeros((1, 468, 3))
    for index, (x, y, z) in points.items():
        turned = x * np.cos(yaw) - z * np.sin(yaw)
        face[0, index, :2] = (
            turned * np.cos(roll) - y * np.sin(roll),
            turned * np.sin(roll) + y * np.cos(roll),
        )
    assert head_yaw_deg(face) == pytest.approx(yaw_deg)


def test_mouth_opening_is_in_face_heights() -> None:
    face = np.zeros((1, 468, 3))
    face[0, 152, 1], face[0, 13, 1], face[0, 14, 1] = 200, 140, 160
    assert mouth_opening(face) == pytest.approx(0.1)


def test_correlation_is_numpys() -> None:
    one, other = np.random.default_rng(1).normal(size=(2, 50))
    assert correlation(one, other) == pytest.approx(np.corrcoef(one, other)[0, 1])
    assert correlation(one, np.ones(50)) == 0


def test_stretches_are_inclusive_and_long_enough() -> None:
    flags = np.array([1, 1, 0, 1, 1, 1, 0, 1], bool)
    assert stretches(flags, 2) == [(0, 1), (3, 5)]
    assert stretches(flags, 1)[-1] == (7, 7)


def test_a_foot_that_moves_with_the_other_does_not_slip() -> None:
    real = np.cumsum(np.random.default_rng(1).normal(size=(9, 2)), axis=0)
    assert slips(real + np.array([5, -2]), real) == pytest.approx(np.zeros(9))
    drawn = real.copy()
    drawn[4] += (3, 4)
    assert slips(drawn, real)[4] == pytest.approx(5)


def test_boxes_overlap_only_where_they_share_both_directions() -> None:
    one = np.array([[[0, 0], [10, 10]]] * 3, float)
    other = one + np.array([[5, 5], [20, 0], [5, 20]])[:, None]
    assert boxes_overlap(one, other).tolist() == [True, False, False]
