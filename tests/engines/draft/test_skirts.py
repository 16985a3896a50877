# SPDX-License-Identifier: GPL-3.0-or-later
"""A figure in a gown and a cape, taken apart: the truth is what was painted over what."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from backend.engines.draft.character import Character, build_character
from backend.performer.still import Still

from .conftest import JOINTS, painted_figure, painted_still

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


def test_shorts_over_a_leg_held_aside_are_no_skirt() -> None:
    rgb, matte = painted_figure()
    rgb[140:], matte[140:] = (0, 255, 0), 0
    held = JOINTS | {25: (136, 150), 27: (152, 186), 29: (152, 190), 31: (156, 194)}
    for leg in ((23, 25, 27), (24, 26, 28)):
        line = np.array([held[joint] for joint in leg])
        for canvas, value in ((rgb, TROUSERS), (matte, 1.0)):
            cv2.polylines(canvas, [line], False, value, 16)
    shorts = np.array(((60, 130), (100, 130), (140, 152), (118, 172), (70, 182), (58, 170)))
    for canvas, value in ((rgb, GOWN), (matte, 1.0)):
        cv2.fillPoly(canvas, [shorts], value)
    still = painted_still(matte)
    body = still.body.copy()
    body[list(held), :2] = list(held.values())
    found = build_character(rgb, matte, replace(still, body=body), has_background=True)
    assert not found.layers[-1].picture[..., 3].any()
    shin = shown(found, "left_leg", 168, slice(142, 147))
    assert shin[3] > 0.95 and np.allclose(shin[:3], TROUSERS, atol=12)
