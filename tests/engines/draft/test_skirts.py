# SPDX-License-Identifier: GPL-3.0-or-later
"""A figure in a gown and a cape, taken apart: the truth is what was painted over what."""

import cv2
import numpy as np
import pytest

from backend.engines.draft.character import Character, build_character
from backend.performer.still import Still

from .conftest import painted_figure, painted_still

HEM, CAPE_END = 192, 206
GOWN, CAPE, TROUSERS = (60, 180, 190), (120, 20, 120), (30, 30, 90)


@pytest.fixture(scope="module")
def gowned() -> Character:
    rgb, matte = painted_figure()
    figure = (matte > 0.5) & (np.arange(len(matte))[:, None] > 160)
    cape = np.zeros(matte.shape, np.uint8)
    cv2.fillPoly(cape, [np.array(((50, 130), (110, 130), (122, CAPE_END), (38, CAPE_END)))], 1)
    rgb[(cape > 0) & ~figure] = CAPE
    gown = np.zeros_like(cape)
    cv2.fillPoly(gown, [np.array(((60, 110), (100, 110), (110, HEM), (50, HEM)))], 1)
    rgb[gown > 0] = GOWN
    matte = np.maximum(matte, np.maximum(cape, gown).astype(np.float32))
    return build_character(rgb, matte, painted_still(matte), has_background=True)


def shown(character: Character, name: str, row: int, columns: slice) -> np.ndarray:
    """What a layer shows in a row: mean RGB 0..255 and the least alpha."""
    picture = next(layer.picture for layer in character.layers if layer.name == name)
    part = picture[row, columns]
    return np.append(part[:, :3].mean(0) * 255, part[:, 3].min())


def test_a_gowns_hem_stays_in_one_piece_with_the_trunk(gowned: Character) -> None:
    found = shown(gowned, "trunk", HEM - 5, slice(55, 105))
    assert found[3] > 0.95 and np.allclose(found[:3], GOWN, atol=12)


@pytest.mark.parametrize(("leg", "column"), [("left_leg", 93), ("right_leg", 67)])
def test_a_leg_goes_on_behind_the_gown_in_its_own_colour(gowned: Character, leg: str, column: int) -> None:
    found = shown(gowned, leg, HEM - 14, slice(column - 2, column + 3))
    assert found[3] > 0.95 and np.allclose(found[:3], TROUSERS, atol=25)


def test_a_cape_goes_on_behind_the_legs(gowned: Character) -> None:
    found = shown(gowned, "cape", CAPE_END - 6, slice(48, 112))
    assert found[3] > 0.95 and np.allclose(found[:3], CAPE, atol=25)


def test_bare_legs_are_no_skirt(figure: Character, standing: Still) -> None:
    assert not figure.layers[-1].picture[..., 3].any()
    assert figure.layers[3].picture[int(standing.body[25, 1]), int(standing.body[25, 0]), 3] > 0.95
