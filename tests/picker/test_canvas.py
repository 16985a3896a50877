# SPDX-License-Identifier: GPL-3.0-or-later
"""From pixels to the canvas and back, and who stands where."""

from __future__ import annotations

from math import pi

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy.backend.contract.events import FoundPerson, PersonAt
from understudy.picker.canvas import Placement, box_between
from understudy.picker.people import box_at, person_at_or_none

_NUMBERS = st.floats(-500, 500)
_SCALES = st.floats(0.05, 20)
PLACEMENTS = st.builds(
    Placement,
    width=st.integers(1, 4000),
    height=st.integers(1, 4000),
    scale=st.tuples(_SCALES, _SCALES),
    offset=st.tuples(_NUMBERS, _NUMBERS),
    rotation=st.floats(-pi, pi),
    origin=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    flip=st.tuples(st.booleans(), st.booleans()),
)


def person(number: int, *seen: tuple[int, float]) -> FoundPerson:
    """Somebody 10 wide and 20 high, whose left edge is at x in each frame."""
    places = (PersonAt(frame=frame, x=x, y=0.0, x1=x + 10, y1=20.0, score=1.0) for frame, x in seen)
    return FoundPerson(id=number, seen=tuple(places))


@given(PLACEMENTS, st.tuples(_NUMBERS, _NUMBERS))
def test_the_way_back_is_the_inverse(placement: Placement, pixel: tuple[float, float]) -> None:
    assert placement.to_pixel(placement.to_canvas(pixel)) == pytest.approx(pixel, abs=1e-6)


def test_a_picture_of_the_canvas_size_lies_on_it_from_corner_to_corner() -> None:
    placement = Placement(width=640, height=360)
    assert placement.to_canvas((0, 0)) == (-320, 180)
    assert placement.to_canvas((640, 360)) == (320, -180)


def test_a_quarter_turn_is_counter_clockwise() -> None:
    assert Placement(width=100, height=100, rotation=pi / 2).to_canvas((100, 50)) == pytest.approx((0, 50))


def test_a_box_may_be_drawn_from_any_corner() -> None:
    assert box_between((5, 1), (2, 7)) == (2, 1, 5, 7)


@pytest.mark.parametrize(("frame", "left"), [(0, 100.0), (10, 100.0), (15, 150.0), (20, 200.0), (99, 200.0)])
def test_a_person_is_believed_between_where_it_was_seen(frame: int, left: float) -> None:
    assert box_at(person(1, (10, 100.0), (20, 200.0)), frame)[0] == left


def test_a_click_means_whose_box_it_hits_and_nobody_elsewhere() -> None:
    people = (person(1, (0, 0.0)), person(2, (0, 100.0)))
    hit = person_at_or_none(people, 0, (105.0, 5.0))
    assert hit is not None
    assert hit.id == 2
    assert person_at_or_none(people, 0, (50.0, 5.0)) is None
