# SPDX-License-Identifier: GPL-3.0-or-later
"""The invention, where there is a right answer: pictures that repeat themselves."""

import cv2
import numpy as np
import pytest
from skimage import data

from backend.plate.fill import fill, spread

from .shots import psnr


def striped() -> np.ndarray:
    rows, columns = np.mgrid[:160, :200]
    grey = 128 + 60 * np.sin(2 * np.pi * columns / 16) + 40 * np.sin(2 * np.pi * rows / 20)
    return np.repeat(grey[..., None], 3, 2).astype(np.float32)


def a_hole() -> np.ndarray:
    hole = np.zeros((160, 200), np.uint8)
    cv2.ellipse(hole, (100, 80), (18, 42), 0, 0, 360, 1, -1)
    return hole > 0


def test_a_pattern_runs_on_through_the_hole() -> None:
    hole, true = a_hole(), striped()
    broken = np.where(hole[..., None], 0, true).astype(np.float32)
    ours = fill(broken, hole, ~hole)
    inpainted = cv2.inpaint(broken.astype(np.uint8), hole.astype(np.uint8), 5, cv2.INPAINT_TELEA)
    quantised = np.rint(ours).astype(np.uint8)
    assert psnr(quantised, np.rint(true).astype(np.uint8), hole) > 6 + psnr(inpainted, true.astype(np.uint8), hole)


def test_what_is_known_is_not_touched() -> None:
    hole, true = a_hole(), striped()
    assert np.array_equal(fill(true, hole, ~hole)[~hole], true[~hole])


def test_the_texture_is_as_rough_as_round_it() -> None:
    picture = np.repeat(data.grass()[:160, :200, None], 3, 2).astype(np.float32)
    hole = a_hole()
    ours = fill(np.where(hole[..., None], 0, picture).astype(np.float32), hole, ~hole)
    roughness = np.abs(cv2.Laplacian(ours[..., 0], cv2.CV_32F))
    inner = cv2.erode(hole.astype(np.uint8), np.ones((5, 5))) > 0
    assert roughness[inner].mean() == pytest.approx(roughness[~hole].mean(), rel=0.35)


def test_without_any_source_a_hole_is_filled_smoothly() -> None:
    picture = np.full((40, 40, 3), 90, np.float32)
    known = np.zeros((40, 40), bool)
    known[0] = True
    assert np.abs(fill(np.where(known[..., None], picture, 0).astype(np.float32), ~known, known) - 90).max() < 1


def test_spreading_keeps_a_plain_colour() -> None:
    known = np.random.default_rng(1).random((37, 53)) < 0.02
    assert np.abs(spread(np.full((37, 53, 3), 77, np.float32), known) - 77).max() < 0.01
