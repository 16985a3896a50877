# SPDX-License-Identifier: GPL-3.0-or-later
"""A change of colour that is made is the change that is measured and undone."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from backend.engines.wan.drift import Drift, drift_from_first, drift_from_plate

GAINS, OFFSETS = st.tuples(*[st.floats(0.7, 1.2)] * 3), st.tuples(*[st.floats(-0.1, 0.1)] * 3)


def clip(seed: int, frames: int = 5) -> Tensor:
    """Noise within a half of full range, so that no change of colour clips it."""
    return torch.rand(3, frames, 24, 32, generator=torch.Generator().manual_seed(seed)) - 0.5


def half() -> Tensor:
    """The model draws in the left half."""
    region = torch.zeros(5, 24, 32, dtype=torch.uint8)
    region[:, :, :16] = 255
    return region


@given(gain=GAINS, offset=OFFSETS)
def test_a_plate_that_was_changed_in_colour_is_brought_back(
    gain: tuple[float, float, float], offset: tuple[float, float, float]
) -> None:
    plate, region = clip(1), half()
    drawn = Drift(gain, offset).corrected(plate)
    drawn[:, region != 0] = 1.0  # whatever the model drew
    drift = drift_from_plate(drawn, plate, region)
    assert drift is not None
    assert drift.gain == pytest.approx([1 / value for value in gain], rel=1e-5)
    assert (drift.corrected(drawn) - plate)[:, region == 0].abs().max() <= 1e-5


def test_grain_that_a_window_lost_or_made_is_not_taken_for_a_loss_of_contrast() -> None:
    plate = clip(1)
    drift = drift_from_plate(plate + 0.02 * torch.randn(plate.shape), plate, torch.zeros(5, 24, 32))
    assert drift is not None
    assert drift.gain == pytest.approx([1, 1, 1], abs=0.01)
    assert drift.largest_levels < 2


def test_a_figure_is_compared_with_that_of_the_first_window_and_not_with_its_surroundings() -> None:
    first, later = clip(1), 0.5 * torch.rand(3, 5, 24, 32)
    figure = half()
    later[:, figure != 0] = first[:, figure != 0] * 0.9 + 0.04
    drift = drift_from_first(later, first, figure, figure)
    assert drift is not None
    assert drift.gain == pytest.approx([1 / 0.9] * 3, rel=1e-4)
    assert drift_from_first(later, first) != drift


def test_what_is_flat_has_an_offset_and_no_gain() -> None:
    drift = drift_from_first(torch.full((3, 1, 24, 32), 0.2), torch.full((3, 1, 24, 32), 0.0))
    assert drift is not None
    assert drift.gain == (1, 1, 1)
    assert drift.offset == pytest.approx([-0.1] * 3)
    assert drift.largest_levels == pytest.approx(25.5)


def test_of_a_few_pixels_nothing_is_said() -> None:
    everywhere = torch.full((5, 24, 32), 255)
    assert drift_from_plate(clip(1), clip(2), everywhere) is None


def test_a_gain_alone_changes_white_the_most() -> None:
    assert Drift((1.0, 1.1, 1.0), (0.0, 0.0, 0.0)).largest_levels == pytest.approx(25.5)
    assert Drift((1.0, 1.0, 0.9), (0.0, 0.0, 0.02)).largest_levels == pytest.approx(0.08 * 255)


def test_what_is_corrected_stays_within_black_and_white() -> None:
    corrected = Drift((1.2, 1.2, 1.2), (0.1, 0.0, -0.1)).corrected(torch.linspace(-1, 1, 16).expand(3, 1, 1, 16))
    assert [float(corrected.min()), float(corrected.max())] == [-1, 1]


@pytest.mark.parametrize(("count", "is_measured"), [(256, False), (257, True)])
def test_a_handful_of_pixels_says_more_of_what_is_shown_than_of_its_colour(count: int, is_measured: bool) -> None:
    region = torch.ones(5 * 24 * 32)
    region[:count] = 0
    assert (drift_from_plate(clip(1), clip(2), region.reshape(5, 24, 32)) is not None) is is_measured
