# SPDX-License-Identifier: GPL-3.0-or-later
"""Animate mode: the driver's motion in the character's own picture."""

from dataclasses import replace

import numpy as np
import pytest

from backend.engines.draft.animate import canvas_size, retarget
from backend.engines.draft.background import fill_background
from backend.engines.draft.character import Character
from backend.performer.still import Still

from .conftest import moved, painted_figure, tracks_of


@pytest.mark.parametrize(("size", "wanted"), [((4000, 3000), (1280, 960)), ((333, 501), (332, 502)), ((1, 1), (2, 2))])
def test_the_canvas_is_the_picture_even_and_at_most_1280(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    width, height = canvas_size(*size)
    assert (width % 2, height % 2) == (0, 0)
    assert abs(width - wanted[0]) <= 2 and abs(height - wanted[1]) <= 2


def test_a_driver_of_another_size_and_place_lands_on_the_character(figure: Character, standing: Still) -> None:
    driver = tracks_of(standing, 7)
    far = replace(driver, body=driver.body * 2.5 + np.array((300, 90, 0), np.float32))
    assert np.allclose(retarget(far, figure.points).body[..., :2], driver.body[..., :2], atol=1.0)


def test_a_drivers_step_keeps_its_measure_beside_the_body(figure: Character, standing: Still) -> None:
    driver = tracks_of(standing, 9)
    steps = np.zeros((9, 2))
    steps[4, 0] = 10
    twice = moved(replace(driver, body=driver.body * 2), 2 * steps)
    result = retarget(twice, figure.points).body
    assert result[4, 11, 0] - result[0, 11, 0] == pytest.approx(10, abs=1)


def test_the_figure_is_gone_and_the_rest_keeps_its_bits() -> None:
    rgb, matte = painted_figure()
    filled = fill_background(rgb, matte)
    assert np.abs(filled[matte > 0].astype(int) - (0, 255, 0)).max() <= 12
    assert np.array_equal(filled[:8], rgb[:8])


def test_what_lies_level_beside_the_figure_goes_on_behind_it() -> None:
    sky, ground = (120, 170, 250), (90, 80, 60)
    picture = np.full((200, 300, 3), sky, np.uint8)
    picture[100:] = ground
    figure = np.zeros((200, 300), np.float32)
    figure[40:, 120:180] = 1
    picture[figure > 0] = (255, 0, 0)
    filled = fill_background(picture, figure).astype(int)
    assert np.abs(filled[45:80, 120:180] - sky).max() < 25
    assert np.abs(filled[120:, 120:180] - ground).max() < 25


def test_a_driver_who_walks_up_to_the_camera_leaves_the_characters_size(figure: Character, standing: Still) -> None:
    driver = tracks_of(standing, 60)
    grows = np.linspace(1, 2.5, 60, dtype=np.float32)[:, None, None]
    result = retarget(replace(driver, body=driver.body * grows), figure.points).body
    shoulders = np.linalg.norm(result[:, 11, :2] - result[:, 12, :2], axis=1)
    assert np.abs(shoulders / 36 - 1).max() < 0.2
