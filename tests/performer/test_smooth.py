# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.performer.smooth import REACH_FRAMES, SIGMA_FRAMES, Track, runs, smoothed, without_jumps

FRAMES = np.arange(30, dtype=np.float32)
ALL = np.ones(30, bool)

HEIGHT_PX = 240
SHOT = np.arange(60)
WHOLE_SHOT = np.ones(len(SHOT), bool)


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


def test_a_hand_that_turns_back_within_a_few_frames_has_not_jumped() -> None:
    wave = points(60 * np.exp(-0.5 * np.square((FRAMES - 15) / 1.8)))
    np.testing.assert_array_equal(without_jumps(wave), wave)


def test_each_frame_has_its_neighbourhoods_weighted_parabola_to_the_ends_of_a_run() -> None:
    measured = np.random.default_rng(2).normal(0, 1, 30)
    ours = smoothed(points(measured), ALL)[:, 0, 0]
    for frame in range(30):
        offsets = np.arange(-min(frame, REACH_FRAMES), min(29 - frame, REACH_FRAMES) + 1)
        weights = np.exp(-0.25 * np.square(offsets / SIGMA_FRAMES))  # polyfit squares them
        assert ours[frame] == pytest.approx(np.polyfit(offsets, measured[frame + offsets], 2, w=weights)[2], abs=1e-3)


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


def stepping(noise_px: float) -> tuple[Track, Track]:
    """A figure of three foot points and a head under a panning camera, measured and true, `60 4 3`.

    The foot stands for 30 frames, makes a step of a third of the height within 12, and stands again.
    """
    phase = np.clip((SHOT - 29) / 12, 0, 1)
    step = HEIGHT_PX / 3 * (phase - np.sin(2 * np.pi * phase) / (2 * np.pi))
    lift = -HEIGHT_PX / 10 * np.sin(np.pi * phase) ** 2
    foot = np.stack([1.5 * SHOT + step, HEIGHT_PX + lift, 0 * step], 1)
    parts = np.array([(0, -10, 0), (-5, 0, 0), (15, 0, 0)])
    head = np.stack([1.5 * SHOT, 0 * step, 0 * step], 1)
    true = np.concatenate([foot[:, None] + parts, head[:, None]], 1).astype(np.float32)
    # trackers waver: what they err by in a frame they err by in the next too
    wave = np.random.default_rng(3).normal(0, 1, (len(SHOT) + 2, 4, 2))
    wave = (wave[:-2] + wave[1:-1] + wave[2:]) / np.sqrt(3)
    measured = true.copy()
    measured[..., :2] += noise_px * wave
    return measured, true


def test_a_standing_foot_stays_in_its_place_under_a_panning_camera() -> None:
    measured, true = stepping(noise_px=1.2)
    held = smoothed(measured, WHOLE_SHOT, [(0, 1, 2)])
    stands = (SHOT < 28) | (SHOT > 43)

    def slip(track: Track) -> float:
        return float(np.linalg.norm((track - true)[stands, :3, :2].mean(1), axis=-1).mean())

    assert slip(held) < 0.6 * slip(measured)
    assert slip(held) < 0.7 * slip(smoothed(measured, WHOLE_SHOT))


@pytest.mark.parametrize("noise_px", [0.0, 1.2])
def test_a_held_foot_starts_and_ends_its_step_when_the_true_one_does(noise_px: float) -> None:
    measured, true = stepping(noise_px)
    held = smoothed(measured, WHOLE_SHOT, [(0, 1, 2)])
    off = np.linalg.norm((held - true)[25:46, :3, :2].mean(1), axis=-1)
    assert off.max() < 0.01 * HEIGHT_PX
    third = HEIGHT_PX / 9
    gone, really_gone = ((track[:, 0, 0] - 1.5 * SHOT > third).argmax() for track in (held, true))
    assert abs(int(gone) - int(really_gone)) <= 1


def test_only_feet_are_held() -> None:
    measured, _ = stepping(noise_px=1.2)
    held = smoothed(measured, WHOLE_SHOT, [(0, 1, 2)])
    np.testing.assert_array_equal(held[:, 3], smoothed(measured, WHOLE_SHOT)[:, 3])


def test_a_foot_seen_for_a_few_frames_only_is_smoothed_as_any_point() -> None:
    measured, _ = stepping(noise_px=1.2)
    few = SHOT < 8
    np.testing.assert_array_equal(smoothed(measured, few, [(0, 1, 2)]), smoothed(measured, few))
