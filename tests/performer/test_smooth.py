# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.performer.smooth import Track, runs, smoothed

FRAMES = np.arange(30, dtype=np.float32)
ALL = np.ones(30, bool)


def points(x: np.ndarray[tuple[int, ...], np.dtype[np.floating]]) -> Track:
    """Two points 100 px apart that move alike."""
    return np.stack([np.stack([x, 0 * x], 1), np.stack([x + 100, 0 * x + 100], 1)], 1).astype(np.float32)


@given(st.floats(-20, 20), st.floats(-2, 2))
def test_steady_speed_and_acceleration_are_kept_to_the_ends(speed: float, acceleration: float) -> None:
    track = points(speed * FRAMES + acceleration * FRAMES**2 / 2)
    np.testing.assert_allclose(smoothed(track, ALL), track, atol=0.02)


def test_a_fast_swing_keeps_its_height_and_does_not_lag() -> None:
    swing = 60 * np.sin(2 * np.pi * FRAMES / 15)
    result = smoothed(points(swing), ALL)[:, 0, 0]
    assert result.max() > 0.93 * 60
    shifts = [float(np.sum(result[5:-5] * np.roll(swing, shift)[5:-5])) for shift in (-1, 0, 1)]
    assert int(np.argmax(shifts)) == 1


def test_jitter_is_calmed() -> None:
    noise = np.random.default_rng(1).normal(0, 1, 30)
    result = smoothed(points(noise), ALL)[:, 0, 0]
    assert np.diff(result, 2).std() < 0.5 * np.diff(noise, 2).std()


def test_a_jump_of_one_frame_is_dropped() -> None:
    track = points(3 * FRAMES)
    jumped = track.copy()
    jumped[14, 1] += 40
    np.testing.assert_allclose(smoothed(jumped, ALL), track, atol=0.5)


def test_nothing_crosses_a_gap() -> None:
    track = points(np.where(FRAMES < 15, 0, 500).astype(np.float32))
    valid = (FRAMES < 13) | (FRAMES > 16)
    result = smoothed(track, valid)
    np.testing.assert_allclose(result, track, atol=0.01)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_short_tracks_stay_what_they_are_where_there_is_nothing_to_tell_noise_by(count: int) -> None:
    track = points(7 * FRAMES[:count])
    np.testing.assert_allclose(smoothed(track, np.ones(count, bool)), track, atol=0.01)


def test_runs_are_inclusive() -> None:
    assert runs(np.array([True, True, False, True])) == [(0, 1), (3, 3)]
    assert runs(np.zeros(3, bool)) == []
