# SPDX-License-Identifier: GPL-3.0-or-later
"""Two people who pass each other, in painted clothes: whose a candidate is."""

from __future__ import annotations

import numpy as np
import pytest

from backend.performer.appearance import Appearance, leaning, share_hidden
from backend.performer.detect import Body
from backend.performer.people import Person, Seen
from backend.performer.points import LEFT_HIP, LEFT_SHOULDER, RIGHT_HIP, RIGHT_SHOULDER
from backend.performer.rivals import Course, is_doubtful, is_off_course, without
from backend.performer.window import Picture, Window

HERE, ELSEWHERE = np.array([0, 0, 50, 100], np.float32), np.array([300, 0, 350, 100], np.float32)


def clothes(red: float) -> Appearance:
    """So much red; the rest is blue, but for half of all, which is the same grey."""
    parts = np.zeros(512, np.float32)
    parts[:3] = red / 2, (1 - red) / 2, 0.5
    return np.sqrt(parts)


def person(number: int, red: float, box: np.ndarray = HERE) -> Person:
    return Person(number, (Seen(0, box, 1.0),), clothes(red))


def body_at(left: int, right: int) -> Body:
    """Somebody whose trunk and coverage lie between two columns of a frame of 100 by 200."""
    points = np.zeros((33, 3), np.float32)
    for joint, x, y in ((LEFT_SHOULDER, right, 20), (RIGHT_SHOULDER, left, 20), (LEFT_HIP, right, 80)):
        points[joint, :2] = x, y
    points[RIGHT_HIP, :2] = left, 80
    mask = np.zeros((100, 200), np.uint8)
    mask[20:80, left:right] = 255
    frame: Picture = np.full((100, 200, 3), 90, np.uint8)
    return Body(points, np.ones(33, np.float32), mask, Window.cut(frame, np.array([0, 0, 200, 100], np.float32), 512))


@pytest.mark.parametrize(("red", "is_refused"), [(1.0, False), (0.8, False), (0.2, True), (0.0, True)])
def test_who_wears_the_rivals_clothes_is_refused_though_at_the_persons_place(red: float, is_refused: bool) -> None:
    assert is_doubtful(clothes(red), HERE, 0, person(1, 1.0), [person(2, 0.0)]) == is_refused


def test_a_rival_who_is_elsewhere_is_not_to_be_mistaken() -> None:
    assert not is_doubtful(clothes(0.0), HERE, 0, person(1, 1.0), [person(2, 0.0, ELSEWHERE)])


def test_equal_clothes_tell_nothing() -> None:
    assert leaning(clothes(0.0), clothes(1.0), clothes(1.0)) == 0


def test_who_is_painted_over_is_gone_and_the_rest_stands() -> None:
    frame = np.random.default_rng(0).integers(0, 255, (100, 200, 3)).astype(np.uint8)
    painted = without(frame, body_at(40, 80))
    assert np.ptp(painted[22:78, 42:78].reshape(-1, 3), axis=0).max() == 0
    np.testing.assert_array_equal(painted[:, 90:], frame[:, 90:])


def test_a_trunk_is_hidden_by_as_much_as_lies_behind_somebody() -> None:
    hidden = np.zeros((100, 200), np.bool_)
    hidden[:, :60] = True
    assert share_hidden(body_at(10, 50), hidden) == 1
    assert share_hidden(body_at(40, 80), hidden) == pytest.approx(0.5, abs=0.1)
    assert share_hidden(body_at(80, 120), hidden) == 0


def test_who_walks_evenly_is_expected_where_the_course_leads_and_nobody_else_is() -> None:
    course = Course()
    for frame in range(6):
        course.add(frame, body_at(20 + 8 * frame, 40 + 8 * frame))
    expected = course.leads_to(9)
    assert expected is not None and expected == pytest.approx((102, 50), abs=0.1)
    assert not is_off_course(body_at(92, 112), expected, 60, 0)
    assert is_off_course(body_at(112, 132), expected, 60, 0)
    assert not is_off_course(body_at(112, 132), expected, 60, 10)


def test_a_course_that_is_old_or_short_leads_nowhere() -> None:
    course = Course()
    course.add(0, body_at(20, 40))
    assert course.leads_to(1) is None
    for frame in range(1, 6):
        course.add(frame, body_at(20, 40))
    assert course.leads_to(40) is None
