# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a joint is moved between its keys: against SciPy's interpolant and cases that can be worked out by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from backend.contract.joints import Key, Shift, shift_at

NOTHING = Shift(0, 0, 0)


@st.composite
def _runs(draw: st.DrawFn) -> list[Key]:
    """Keys of one movement, each at least a frame from the next, with one range for all."""
    frames = sorted(draw(st.sets(st.integers(0, 60), min_size=1, max_size=6)))
    first, last = frames[0] - draw(st.integers(0, 9)), frames[-1] + draw(st.integers(0, 9))
    place = st.integers(-300_000, 300_000).map(lambda thousandths: thousandths / 1000)
    return [Key(frame, first, last, draw(place), draw(place)) for frame in frames]


@given(_runs())
def test_it_is_scipys_monotone_cubic_through_the_keys_and_through_nothing_outside(keys: list[Key]) -> None:
    start, end = keys[0].first - 1, keys[0].last + 1
    nodes = [start - 1, start, *(key.frame for key in keys), end, end + 1]  # two nothings: flat at the range's ends
    for axis in ("x", "y"):
        true = PchipInterpolator(nodes, [0, 0, *(getattr(key, axis) for key in keys), 0, 0])
        for frame in range(start - 1, end + 2):
            assert getattr(shift_at(keys, frame), axis) == pytest.approx(float(true(frame)), abs=1e-6)


@given(_runs())
def test_no_shift_is_larger_than_the_keys_beside_it_and_trust_is_whole_between_keys(keys: list[Key]) -> None:
    for before, after in pairwise(keys):
        low, high = sorted((before.x, after.x))
        for frame in range(before.frame, after.frame + 1):
            assert low - 1e-9 <= shift_at(keys, frame).x <= high + 1e-9
            assert shift_at(keys, frame).trust == pytest.approx(1)


def test_one_key_rises_and_falls_as_a_smooth_step() -> None:
    key = Key(10, 7, 19, 40.0, -8.0)  # nothing at 6 and 20
    for frame in range(25):
        t = np.clip((frame - 6) / 4 if frame <= 10 else (20 - frame) / 10, 0, 1)
        step = float(t * t * (3 - 2 * t))
        assert shift_at([key], frame) == pytest.approx(Shift(40 * step, -8 * step, step))


def test_a_key_at_the_edge_of_its_range_is_whole_at_once() -> None:
    keys = [Key(3, 3, 8, 5.0, 1.0), Key(8, 3, 8, 5.0, 1.0)]
    assert [shift_at(keys, frame) for frame in range(2, 10)] == [NOTHING, *[Shift(5, 1, 1)] * 6, NOTHING]


def test_keys_whose_ranges_meet_are_one_movement_and_others_are_not() -> None:
    near = [Key(5, 3, 7, 10.0, 0.0), Key(10, 8, 12, 10.0, 0.0)]
    far = [near[0], Key(11, 9, 13, 10.0, 0.0)]
    assert [shift_at(near, frame).x for frame in range(5, 11)] == [pytest.approx(10)] * 6
    assert shift_at(far, 8) == NOTHING
    assert shift_at(reversed(far), 11).x == 10


def test_a_key_that_reaches_back_over_others_makes_one_movement_of_all() -> None:
    keys = [Key(5, 3, 7, 10.0, 0.0), Key(20, 18, 22, 10.0, 0.0), Key(30, 0, 32, 10.0, 0.0)]
    assert [shift_at(keys, frame).x for frame in range(5, 31)] == [pytest.approx(10)] * 26
    assert shift_at(keys, 0).x > 0
    assert shift_at(keys, -1) == NOTHING


@given(_runs())
def test_in_a_keyed_frame_the_shift_is_the_key_to_the_bit(keys: list[Key]) -> None:
    for key in keys:
        assert shift_at(keys, key.frame) == Shift(key.x, key.y, 1)


def test_without_keys_nothing_moves() -> None:
    assert shift_at([], 3) == NOTHING
