# SPDX-License-Identifier: GPL-3.0-or-later
"""Edges of the character hold nothing of its picture's background: here saturated green behind a figure without any."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backend.engines.draft import layers
from backend.engines.draft.character import Character, build_character
from backend.engines.draft.cutout import clean_colour, without_pinholes
from backend.performer.still import Still

from .conftest import JOINTS, painted_figure


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
    filled = without_pinholes(mask, 30)
    assert filled[20:24, 20:24].min() == 1 and not filled[35:50, 30:45].any() and not filled[mask == 0].all()


def test_the_edge_of_a_cut_out_shows_no_steps(astronaut: Character) -> None:
    steps = [np.abs(np.diff(astronaut.matte, axis=axis)) for axis in (0, 1)]
    assert max(step.max() for step in steps) < 0.75
    assert astronaut.matte.max() > 0.99


def test_at_a_shoulder_trunk_and_arm_are_one_surface(standing: Still) -> None:
    rgb, matte = (np.repeat(np.repeat(part, 4, 0), 4, 1) for part in painted_figure())
    large = replace(standing, body=4 * standing.body, face=4 * standing.face, coverage=matte)
    trunk = build_character(rgb, matte, large, has_background=True).layers[0].picture
    y, x = np.mgrid[: rgb.shape[0], : rgb.shape[1]]
    shoulder, width = 4 * np.array(JOINTS[11]), 4 * (JOINTS[11][0] - JOINTS[12][0])
    near = (np.hypot(x - shoulder[0], y - shoulder[1]) < 0.27 * width) & (trunk[..., 3] > 0.9) & (matte > 0.99)
    assert np.abs(trunk[near][:, :3] - rgb[near] / 255).max() < 0.1
    assert (rgb[near][:, 2] > 150).sum() > 20


def test_a_speck_that_is_named_a_limb_leaves_no_hole(monkeypatch: pytest.MonkeyPatch, standing: Still) -> None:
    named = layers._labels

    def misnamed(*given: Any) -> Any:
        labels = named(*given)
        labels[100:104, 79:82] = labels[150, 93]
        return labels

    monkeypatch.setattr(layers, "_labels", misnamed)
    rgb, matte = painted_figure()
    trunk = build_character(rgb, matte, standing, has_background=True).layers[0].picture
    assert trunk[95:107, 74:87, 3].min() > 0.95
