# SPDX-License-Identifier: GPL-3.0-or-later
"""A hat and ears that the networks did not see: the truth is where they were painted."""

from dataclasses import replace

import cv2
import numpy as np

from backend.engines.draft.headgear import with_headgear
from backend.performer.still import Still

from .conftest import HEIGHT, WIDTH, painted_figure

ROOM = 60


def taller(picture: np.ndarray, value: object) -> np.ndarray:
    above = np.empty((ROOM, *picture.shape[1:]), picture.dtype)
    above[:] = value
    return np.concatenate([above, picture])


def seen_before(rgb: np.ndarray, still: Still) -> np.ndarray:
    """Coverage with headgear, of the painted figure lowered to leave room above it."""
    body = still.body + np.array((0, ROOM, 0), np.float32)
    coverage = taller(painted_figure()[1], 0.0)
    return with_headgear(coverage, rgb, replace(still, body=body, coverage=coverage))


def test_a_hat_of_the_clothes_colour_is_added(standing: Still) -> None:
    rgb = taller(painted_figure()[0], (0, 255, 0))
    hat = np.zeros((HEIGHT + ROOM, WIDTH), np.uint8)
    cv2.fillPoly(hat, [np.array(((60, 84), (80, 25), (100, 84)))], 1)
    rgb[hat > 0] = (200, 40, 40)
    added = (seen_before(rgb, standing) > 0.5) & (taller(painted_figure()[1], 0.0) < 0.5)
    missed = (hat > 0) & (taller(painted_figure()[1], 0.0) < 0.5) & ~added
    assert missed.sum() < 0.1 * hat.sum() and (added & (hat == 0)).sum() < 0.1 * hat.sum()


def test_long_ears_of_the_faces_colour_are_added(standing: Still) -> None:
    rgb = taller(painted_figure()[0], (0, 255, 0))
    ears = np.zeros((HEIGHT + ROOM, WIDTH), np.uint8)
    cv2.fillPoly(ears, [np.array(((66, 96), (66, 110), (48, 88))), np.array(((94, 96), (94, 110), (112, 88)))], 1)
    rgb[ears > 0] = (230, 170, 150)
    added = (seen_before(rgb, standing) > 0.5) & (taller(painted_figure()[1], 0.0) < 0.5)
    missed = (ears > 0) & (taller(painted_figure()[1], 0.0) < 0.5) & ~added
    assert missed.sum() < 0.15 * ears.sum() and (added & (ears == 0)).sum() < 0.15 * ears.sum()


def test_a_post_of_that_colour_behind_the_head_is_not(standing: Still) -> None:
    rgb = taller(painted_figure()[0], (0, 255, 0))
    rgb[:80, 70:90] = (200, 40, 40)
    assert np.array_equal(seen_before(rgb, standing), taller(painted_figure()[1], 0.0))
