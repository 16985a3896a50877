# SPDX-License-Identifier: GPL-3.0-or-later
"""Window plans: the official ones to the frame, ours by what a plan must be, and what either generates for nothing."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from backend.engines.wan.windows import (
    OVERLAPS,
    WindowError,
    WindowPlan,
    fitted_plan,
    official_plan,
    there_and_back,
)

from .vectors import cases, load

SHOTS = range(24, 301)
Plan = Callable[[int, int], WindowPlan]
BOTH = pytest.mark.parametrize("plan", [official_plan, fitted_plan])


def overhead(plans: list[WindowPlan]) -> float:
    """Generated frames, those drawn twice among them, to frames asked for, on average."""
    return sum(plan.generated_frames / plan.shot_frames for plan in plans) / len(plans)


@pytest.mark.parametrize("case", cases("geometry/windows_*"))
def test_the_official_plan_is_the_official_one(case: str) -> None:
    facts = load(case)[1]
    for row in facts["rows"]:
        plan = official_plan(row["frames"], facts["overlap"], facts["window"])
        if row["starts"]:  # none where the official system can't draw the shot; ours gets one window
            assert plan.padded_frames == row["padded"]
            assert [window.start for window in plan.windows] == row["starts"]
        if row["indices"]:
            assert [there_and_back(index, row["frames"]) for index in range(row["padded"])] == row["indices"]


def resampled(frames: int, source_fps: Fraction, fps: Fraction) -> list[int]:
    """Give the source frame for each frame of a clip that the official preprocessing brings to another rate."""
    wanted = int(frames / float(source_fps) * float(fps))
    return [min(max(round(index / float(fps) * float(source_fps)), 0), frames - 1) for index in range(wanted)]


def test_how_the_official_preprocessing_resamples_is_known_though_the_engine_never_does() -> None:
    rows: Any = load("geometry/resample")[1]
    for row in rows:
        chosen = resampled(row["frames"], Fraction(row["source_fps"]), Fraction(row["fps"]))
        assert chosen == row["indices"], row


@BOTH
@pytest.mark.parametrize("overlap", OVERLAPS)
def test_each_frame_of_a_shot_is_delivered_once_and_under_its_own_number(plan: Plan, overlap: int) -> None:
    for frames in range(1, 320):
        windows = plan(frames, overlap)
        delivered = [frame for window in windows.windows for frame in windows.delivered(window)]
        assert delivered == list(range(frames))
        for window in windows.windows:
            sources = windows.source_frames(window)
            assert len(sources) == window.length_frames
            assert sources[window.carried_frames :][: len(windows.delivered(window))] == list(windows.delivered(window))


@BOTH
@pytest.mark.parametrize("overlap", OVERLAPS)
def test_windows_are_what_the_vae_takes_and_carry_the_overlap(plan: Plan, overlap: int) -> None:
    for frames in range(1, 320):
        first, *others = plan(frames, overlap).windows
        assert first.carried_frames == 0
        assert all(window.carried_frames == overlap for window in others)
        assert all(window.length_frames % 4 == 1 and 5 <= window.length_frames <= 77 for window in (first, *others))
        assert all(window.length_frames > overlap for window in others)


@pytest.mark.parametrize("longest", [9, 13, 33, 77])
@pytest.mark.parametrize("overlap", OVERLAPS)
def test_fitted_windows_are_equal_as_far_as_they_can_be_and_no_more_than_official_ones(
    overlap: int, longest: int
) -> None:
    for frames in range(1, 320):
        plan = fitted_plan(frames, overlap, longest)
        lengths = [window.length_frames for window in plan.windows]
        assert max(lengths) - min(lengths) <= 4
        assert max(lengths) <= longest
        assert len(lengths) == len(official_plan(frames, overlap, longest).windows)
        assert plan.padded_frames - frames <= 3 or len(lengths) == 1 or min(lengths) == overlap + 4


def test_fitted_windows_generate_little_for_nothing_and_official_ones_a_third_more() -> None:
    assert overhead([fitted_plan(frames, 1) for frames in SHOTS]) <= 1.05
    assert overhead([fitted_plan(frames, 5) for frames in SHOTS]) <= 1.08
    assert overhead([official_plan(frames, 1) for frames in SHOTS]) > 1.3


@pytest.mark.parametrize(("window", "overlap"), [(76, 1), (77, 3), (5, 5), (1, 1)])
def test_what_the_model_was_not_trained_with_is_refused(window: int, overlap: int) -> None:
    with pytest.raises(WindowError):
        official_plan(100, overlap, window)
    with pytest.raises(WindowError):
        fitted_plan(100, overlap, window)
