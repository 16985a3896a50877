# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import numpy as np

from backend.contract.watch import Unwatched
from backend.media.deliver import deliver
from backend.media.sheet import SheetRow, contact_sheet, over_checker, version_sheet

from .test_deliver import job_of, layers_of, making_of


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


def test_a_delivered_version_is_shown_beside_its_source(tmp_path: Path) -> None:
    for bits in (8, 16):
        layers = layers_of(tmp_path / f"layers{bits}", 6, bits)
        version = deliver(layers, job_of(depth_bits=bits), tmp_path / f"out{bits}", making_of(6), Unwatched())
        page = version_sheet(version, layers.source)
        assert page.dtype == np.uint8
        assert page.std() > 10
