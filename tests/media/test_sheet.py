# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest

from backend.media.sheet import SheetRow, contact_sheet, over_checker


def test_each_picture_stands_in_its_column_and_row() -> None:
    colours = [np.full((90, 160, 3), colour, np.uint8) for colour in ((250, 0, 0), (0, 250, 0), (0, 0, 250))]
    rows = [SheetRow("first", tuple(colours[:2])), SheetRow("second", (colours[2],))]
    page = contact_sheet("a title", ["one", "two"], rows, cell_width_px=160)
    places = [np.argwhere((page == colour[0, 0]).all(2)) for colour in colours]
    assert [len(place) for place in places] == [90 * 160] * 3
    (red, green, blue) = (place.min(0) for place in places)
    assert red[0] == green[0] < blue[0]
    assert red[1] == blue[1] < green[1]


def test_labels_are_written_whatever_they_hold() -> None:
    blank = contact_sheet("", [""], [SheetRow("", ())])
    assert (contact_sheet("shot ünï 人", [""], [SheetRow("", ())]) != blank).any()
    assert (contact_sheet("a very long title " * 50, [""], [SheetRow("", ())]) != blank).any()


def test_half_coverage_over_the_checker_is_half_its_light() -> None:
    black = np.zeros((24, 24, 4), np.uint8)
    black[..., 3] = 128
    board, half = over_checker(np.zeros((24, 24, 4), np.uint8)), over_checker(black)
    assert len(np.unique(board)) == 2
    light = [np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) for c in (board / 255, half / 255)]
    assert np.abs(light[1] / light[0] - (1 - 128 / 255)).max() < 0.02


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(40, 60), (40, 60, 3), (40, 60, 4)])
def test_a_picture_of_any_kind_is_shown(shape: tuple[int, ...], kind: type[np.uint8]) -> None:
    white = np.full(shape, np.iinfo(kind).max, kind)
    page = contact_sheet("", ["one"], [SheetRow("", (white,))], cell_width_px=90)
    assert (page == 255).all(2).sum() == 90 * 60
