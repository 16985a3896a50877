# SPDX-License-Identifier: GPL-3.0-or-later
"""What other frames tell of the set, on painted pictures of it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from backend.performer.behind import median_of_known, odds_of_other
from backend.performer.set_motion import SetMotion

Bytes = NDArray[np.uint8]
NEAR = np.ones((3, 3), np.uint8)


def painted_set(height: int = 90, width: int = 160) -> Bytes:
    noise = np.random.default_rng(3).random((height, width, 3)).astype(np.float32)
    mottled = np.asarray(cv2.GaussianBlur(noise, (0, 0), 3))
    return np.asarray(60 + 140 * (mottled - mottled.min()) / np.ptp(mottled), np.uint8)


def test_the_set_is_told_from_what_stands_before_it() -> None:
    there = painted_set()
    here = there.copy()
    here[20:70, 60:90] = 20, 30, 250
    odds = odds_of_other(here, there, NEAR)
    assert (odds[25:65, 65:85] > 2).all()
    assert (odds[:, :50] <= 0).all() and (odds[:, :50] < -0.5).mean() > 0.5


def test_the_set_a_pixel_beside_its_place_is_still_the_set() -> None:
    there = painted_set()
    assert (odds_of_other(np.roll(there, 1, axis=1), there, NEAR)[:, 2:-2] <= 0).all()


def test_a_shadow_is_not_taken_for_somebody() -> None:
    there = painted_set()
    here = there.copy()
    here[20:70, 60:120] = np.round(0.6 * here[20:70, 60:120]).astype(np.uint8)
    assert (odds_of_other(here, there, NEAR)[26:64, 66:114] <= 0).all()


@pytest.mark.parametrize("shift", [(0, 0), (3, -2)])
def test_frames_of_a_moved_camera_are_laid_over_each_other(shift: tuple[int, int]) -> None:
    picture, motion = painted_set(240, 320), SetMotion()
    for frame in range(3):
        moved = np.array([[1, 0, frame * shift[0]], [0, 1, frame * shift[1]]], np.float64)
        seen = cv2.warpAffine(picture, moved, (320, 240), borderMode=cv2.BORDER_REFLECT)
        motion.add(np.asarray(seen, np.uint8), np.zeros((240, 320), np.uint8))
    found = motion.between(0, 2)
    assert found is not None
    point = found @ (160, 120, 1)
    np.testing.assert_allclose(point[:2] / point[2], (160 + 2 * shift[0], 120 + 2 * shift[1]), atol=0.3)


def test_nothing_leads_across_a_cut() -> None:
    motion = SetMotion()
    for picture in (painted_set(240, 320), np.zeros((240, 320, 3), np.uint8)):
        motion.add(picture, np.zeros((240, 320), np.uint8))
    assert motion.between(0, 1) is None


def test_the_lower_median_is_of_those_that_know_something() -> None:
    maps = np.random.default_rng(5).normal(size=(4, 6, 50)).astype(np.float32)
    maps[np.random.default_rng(6).random(maps.shape) < 0.4] = np.inf
    found = median_of_known(list(maps))
    for place in np.ndindex(found.shape):
        known = sorted(value for value in maps[:, *place] if np.isfinite(value))
        assert found[place] == (known[(len(known) - 1) // 2] if known else np.inf)
