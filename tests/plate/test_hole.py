# SPDX-License-Identifier: GPL-3.0-or-later
"""The hole holds the performer and keeps its distance."""

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from backend.plate.hole import MATTE_FLOOR, hole_of, margin_px


@pytest.mark.parametrize("height_px", [20, 40, 60, 120, 400, 720, 2000])
def test_the_hole_stays_within_five_percent_of_the_performers_height(height_px: int) -> None:
    matte = np.zeros((160, 240), np.uint8)
    matte[60:100, 100:130] = 255
    away = distance_transform_edt(matte == 0)
    hole = hole_of([matte], height_px)
    assert away[hole].max() <= max(1, 0.05 * height_px)
    assert away[~hole].min() > margin_px(height_px)


def test_faint_hair_is_in_the_hole_and_noise_is_not() -> None:
    matte = np.zeros((60, 60), np.uint8)
    matte[20, 20], matte[50, 50] = MATTE_FLOOR + 1, MATTE_FLOOR
    hole = hole_of([matte], 200)
    assert hole[20, 20]
    assert not hole[50, 50]


def test_three_percent_of_coverage_is_the_performers_already() -> None:
    matte = np.zeros((60, 60), np.uint8)
    matte[20, 20], matte[50, 50] = 9, 7  # 3 % of 255 is 7.65
    hole = hole_of([matte], 200)
    assert hole[20, 20] and not hole[50, 50]


def test_several_mattes_make_one_hole() -> None:
    mattes = np.zeros((2, 60, 60), np.uint8)
    mattes[0, 10, 10] = mattes[1, 40, 40] = 255
    hole = hole_of(list(mattes), 200)
    assert hole[10, 10]
    assert hole[40, 40]


def test_no_performer_makes_no_hole() -> None:
    assert not hole_of([np.zeros((9, 9), np.uint8)], 200).any()
