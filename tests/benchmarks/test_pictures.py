# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured of pictures, against OpenCV, SciPy and what is known."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import cv2
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift
from scipy.stats import spearmanr

from backend.media.images import write_picture
from backend.media.sequence import Sequence, frame_name
from backend.performer.tracks import Tracks
from benchmarks.feet import Stand, drawn_slips, follow
from benchmarks.matte import steadiness
from benchmarks.pictures import carried, overlap, peak_of, psnr_db, rank_correlation, soft_overlap


def square(x: int, side: int = 20, size: int = 100, value: int = 255) -> np.ndarray:
    matte = np.zeros((size, size), np.uint8)
    matte[40 : 40 + side, x : x + side] = value
    return matte


def textured(seed: int, size: int = 100) -> np.ndarray:
    grain = gaussian_filter(np.random.default_rng(seed).normal(size=(size, size, 3)), (2, 2, 0))
    return np.clip(128 + 500 * grain, 0, 255).astype(np.uint8)


def test_overlap_of_squares_is_that_of_their_areas() -> None:
    assert overlap(square(10), square(20)) == pytest.approx(200 / 600)
    assert overlap(square(10), square(10, value=127)) == 0
    assert overlap(square(10, value=0), square(10, value=0)) == 1


def test_soft_overlap_counts_partial_coverage() -> None:
    assert soft_overlap(square(10), square(10, value=51)) == pytest.approx(0.2)


def test_psnr_is_opencvs_and_looks_only_where_told() -> None:
    one, other = textured(1), textured(2)
    where = np.zeros((100, 100), bool)
    where[:50] = True
    assert psnr_db(one, other, where) == pytest.approx(cv2.PSNR(one[:50], other[:50]))


def test_rank_correlation_is_scipys_with_ties_too() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.integers(0, 9, 200), rng.integers(0, 9, 200)
    assert rank_correlation(one, other) == pytest.approx(spearmanr(one, other).statistic)


def test_a_matte_is_carried_where_the_picture_moves() -> None:
    picture = textured(3)
    moved = np.roll(picture, 4, axis=1)
    assert overlap(carried(square(30), picture, moved), square(34)) > 0.95


def test_a_matte_that_flickers_is_less_steady_than_one_that_holds(tmp_path) -> None:  # type: ignore[no-untyped-def]
    for index in range(4):
        write_picture(tmp_path / frame_name(index), textured(3))
        for name, side in (("still", 20), ("flickers", 20 + index % 2)):
            (tmp_path / name).mkdir(exist_ok=True)
            write_picture(tmp_path / name / frame_name(index), square(30, side))
    still, flickers = (
        steadiness(Sequence(tmp_path, 4), Sequence(tmp_path / name, 4)) for name in ("still", "flickers")
    )
    assert still == pytest.approx(1, abs=1e-3)
    assert flickers == pytest.approx(400 / 441, abs=1e-3)


def test_a_peak_is_found_between_pixels() -> None:
    y, x = np.mgrid[:20, :20]
    assert peak_of(100 - (x - 7.3) ** 2 - (y - 11.8) ** 2) == pytest.approx((7.3, 11.8))


def test_a_piece_of_picture_is_followed_to_a_fifth_of_a_pixel() -> None:
    picture = textured(4).astype(np.float32)
    moves = np.array([(0.0, 0.0), (1.5, -0.5), (3.25, 1.0)])
    frames = [shift(picture, (dy, dx, 0), order=3, mode="nearest").astype(np.uint8) for dx, dy in moves]
    stand = Stand(0, 0, np.zeros((3, 2)), 150.0)
    found = follow(lambda index: frames[index], stand, np.array([50.0, 50.0]))
    assert found - found[0] == pytest.approx(moves, abs=0.2)


@pytest.mark.parametrize("tracked", [(50.0, 60.0), (10.0, 10.0)])
def test_a_drawn_foot_is_measured_also_where_a_tracker_has_lost_it(
    tracked: tuple[float, float], tmp_path: Path
) -> None:
    for index, moved in enumerate((0, 0, 0, 2, 0)):
        foot = np.zeros((100, 100, 4), np.uint8)
        foot[50:70, 40 + moved : 60 + moved] = np.dstack([textured(5, 20), np.full((20, 20), 255)])
        write_picture(tmp_path / frame_name(index), foot)
    stand = Stand(0, 0, np.full((5, 2), (50.0, 60.0)), 100.0)
    body = np.zeros((5, 33, 3), np.float32)
    body[:, [29, 31], :2] = tracked
    found = drawn_slips(Sequence(tmp_path, 5), cast(Tracks, SimpleNamespace(body=body)), [stand])
    assert found == pytest.approx([0, 0, 0, 0.02, 0], abs=0.003)
