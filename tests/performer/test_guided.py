# SPDX-License-Identifier: GPL-3.0-or-later
"""The guided filter against its definition: a least squares fit in each window, one window at a time."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.performer.guided import guided_filter

RADIUS_PX, EPSILON = 2, 0.02**2


def window_at(y: int, x: int) -> tuple[slice, slice]:
    return slice(max(0, y - RADIUS_PX), y + RADIUS_PX + 1), slice(max(0, x - RADIUS_PX), x + RADIUS_PX + 1)


def by_definition(guide: NDArray[np.float64], image: NDArray[np.float64]) -> NDArray[np.float64]:
    """He et al. 2013, equations 5 and 8, with ridge regression written out as extra rows of a least squares problem."""
    height, width = image.shape
    slopes, offsets = np.zeros((height, width, 3)), np.zeros((height, width))
    for y, x in np.ndindex(height, width):
        colours, values = guide[window_at(y, x)].reshape(-1, 3), image[window_at(y, x)].ravel()
        ridge = np.sqrt(EPSILON * len(values)) * np.eye(3)
        rows = np.vstack([colours - colours.mean(0), ridge])
        slopes[y, x] = np.linalg.lstsq(rows, np.append(values - values.mean(), np.zeros(3)), rcond=None)[0]
        offsets[y, x] = values.mean() - slopes[y, x] @ colours.mean(0)
    result = np.zeros_like(image)
    for y, x in np.ndindex(height, width):
        near = window_at(y, x)
        result[y, x] = slopes[near].reshape(-1, 3).mean(0) @ guide[y, x] + offsets[near].mean()
    return result


def test_it_is_the_mean_of_the_least_squares_fits_of_all_windows() -> None:
    random = np.random.default_rng(1)
    guide, image = random.random((17, 23, 3)), random.random((17, 23))
    filtered = guided_filter(guide.astype(np.float32), image.astype(np.float32), RADIUS_PX, EPSILON)
    np.testing.assert_allclose(filtered, by_definition(guide, image), atol=1e-4)


def test_an_edge_of_the_guide_pulls_a_blurred_edge_into_place() -> None:
    guide = np.zeros((40, 40, 3), np.float32)
    guide[:, 20:] = (0.2, 0.6, 0.4)
    blurred = np.broadcast_to(np.clip((np.arange(40) - 16) / 8, 0, 1), (40, 40)).astype(np.float32)
    filtered = guided_filter(guide, blurred, 6, EPSILON)
    assert filtered[20, 19] < 0.3 < 0.7 < filtered[20, 20]


@pytest.mark.parametrize("constant", [0.0, 0.3, 1.0])
def test_a_constant_map_stays(constant: float) -> None:
    guide = np.random.default_rng(2).random((12, 12, 3)).astype(np.float32)
    filtered = guided_filter(guide, np.full((12, 12), constant, np.float32), 3, EPSILON)
    np.testing.assert_allclose(filtered, constant, atol=1e-4)


def test_nothing_comes_of_nothing_three_radii_away_and_what_lies_beyond_is_not_asked() -> None:
    random = np.random.default_rng(4)
    guide, image = random.random((40, 50, 3)).astype(np.float32), np.zeros((40, 50), np.float32)
    image[16:22, 20:30] = random.random((6, 10))
    near = slice(16 - 3 * RADIUS_PX, 22 + 3 * RADIUS_PX), slice(20 - 3 * RADIUS_PX, 30 + 3 * RADIUS_PX)
    whole = guided_filter(guide, image, RADIUS_PX, EPSILON)
    cut_out = guided_filter(guide[near], image[near], RADIUS_PX, EPSILON)
    np.testing.assert_allclose(cut_out, whole[near], rtol=0, atol=1e-5)
    whole[near] = 0
    np.testing.assert_allclose(whole, 0, atol=1e-6)
