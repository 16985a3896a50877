# SPDX-License-Identifier: GPL-3.0-or-later
"""Edges of the character hold nothing of its picture's background: here saturated green behind a figure without any."""

import numpy as np

from backend.engines.draft.character import Character
from backend.engines.draft.cutout import _without_pinholes, clean_colour

from .conftest import painted_figure


def green_excess(colour: np.ndarray) -> np.ndarray:
    """How far green stands over the larger of red and blue; below 0 everywhere on the painted figure."""
    return np.asarray(colour[..., 1] - np.maximum(colour[..., 0], colour[..., 2]))


def test_clean_colour_takes_the_background_out_of_the_edge() -> None:
    rgb, matte = painted_figure()
    soft = (matte > 0.1) & (matte < 0.9)
    unit = rgb.astype(np.float32) / 255
    assert (green_excess(unit)[soft] > 0.05).mean() > 0.3
    assert (green_excess(clean_colour(unit, matte))[soft] > 0.05).mean() < 0.03


def test_no_layer_shows_the_old_background(figure: Character) -> None:
    for layer in figure.layers:
        seen = layer.picture[..., 3] > 0.02
        assert (green_excess(layer.picture[..., :3])[seen] > 0.05).sum() <= 0.03 * seen.sum(), layer.name


def test_solid_pixels_keep_their_colour() -> None:
    rgb, matte = painted_figure()
    unit = rgb.astype(np.float32) / 255
    assert np.array_equal(clean_colour(unit, matte)[matte == 1], unit[matte == 1])


def test_a_pinhole_is_filled_and_the_room_beside_an_arm_is_not() -> None:
    mask = np.zeros((60, 60), np.float32)
    mask[5:55, 5:55] = 1
    mask[20:24, 20:24] = mask[35:50, 30:45] = 0
    filled = _without_pinholes(mask, 30)
    assert filled[20:24, 20:24].min() == 1 and not filled[35:50, 30:45].any() and not filled[mask == 0].all()
