# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes, letterboxes, masks and face crops: the same bytes as the official preprocessing."""

from typing import Any

import numpy as np
import pytest

from backend.engines.wan.faces import FaceBox, face_box, face_crop
from backend.engines.wan.mask import blocky, grown
from backend.engines.wan.reference import SizeError, letterboxed, target_size
from backend.media.images import read_picture

from .vectors import FOLDER, load

GEOMETRY = FOLDER / "geometry"


def picture(name: str) -> Any:
    return read_picture(GEOMETRY / f"{name}.png")


def rows(case: str) -> list[dict[str, Any]]:
    table = load(f"geometry/{case}")[1]
    return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]


def test_sizes_are_the_official_ones_to_the_block_that_rounding_loses() -> None:
    for row in rows("target_sizes"):
        size = target_size(row["source_width"], row["source_height"], row["area_width"] * row["area_height"])
        assert size == (row["width"], row["height"]), row


def test_a_picture_too_narrow_for_its_area_is_refused() -> None:
    with pytest.raises(SizeError):
        target_size(16, 16384, 4096)


REFERENCES = sorted(path.stem for path in (GEOMETRY / "letterbox").glob("*_reference_*.png"))


@pytest.mark.parametrize("name", REFERENCES)
def test_the_characters_picture_is_fitted_to_the_byte(name: str) -> None:
    source, _, size = name.split("_")
    width, height = map(int, size.split("x"))
    assert np.array_equal(letterboxed(picture(f"letterbox/{source}"), width, height), picture(f"letterbox/{name}"))


def test_frames_brought_to_an_area_are_fitted_to_the_byte() -> None:
    for row in rows("letterbox/areas"):
        fitted = GEOMETRY / "letterbox" / f"{row['source']}_area_{row['area']}.png"
        if fitted.exists():
            source = picture(f"letterbox/{row['source']}")
            assert target_size(source.shape[1], source.shape[0], row["area"]) == (row["width"], row["height"])
            ours = letterboxed(source, row["width"], row["height"], area_filter=True)
            assert np.array_equal(ours, read_picture(fitted))


def test_masks_are_grown_and_made_blocky_to_the_byte() -> None:
    for row in rows("mask/cases"):
        mask = grown(picture(f"mask/{row['mask']}"), row["iterations"])
        name = f"mask/{row['mask']}_grown{row['iterations']}"
        assert np.array_equal(mask, picture(name)), row
        if row["valid"]:
            blocks = picture(f"{name}_blocks{row['w_len']}x{row['h_len']}")
            assert np.array_equal(blocky(mask, row["w_len"], row["h_len"]), blocks), row


def test_an_empty_mask_stays_empty_and_cells_finer_than_a_pixel_change_nothing() -> None:
    empty = np.zeros((20, 30), np.uint8)
    assert not blocky(grown(empty), 4, 4).any()
    dot = empty.copy()
    dot[5:8, 6:9] = 255
    assert np.array_equal(blocky(dot, 100, 100), dot)


def test_face_boxes_are_the_official_ones() -> None:
    cases: Any = load("geometry/face_boxes")[1]
    for case in cases:
        box = face_box(np.array(case["points"]), case["width"], case["height"])
        assert list(box) == case["box_x1_x2_y1_y2"]


@pytest.mark.skipif(not (GEOMETRY / "face_crop_512.png").exists(), reason="the whole set of cases is not there")
def test_a_face_is_cut_out_to_the_byte() -> None:
    box = FaceBox(*load("geometry/face_crop")[1]["box_x1_x2_y1_y2"])
    assert np.array_equal(face_crop(picture("face_crop_source"), box), picture("face_crop_512"))


def test_a_face_keeps_its_corners_and_none_or_one_outside_is_black() -> None:
    frame = np.arange(40 * 60 * 3, dtype=np.uint8).reshape(40, 60, 3)
    assert np.array_equal(face_crop(frame, FaceBox(10, 30, 5, 25))[[0, -1], [0, -1]], frame[[5, 24], [10, 29]])
    assert not face_crop(frame, None).any()
    beyond = face_box(np.array([[70.0, 10.0], [90.0, 30.0]]), 60, 40)
    assert not face_crop(frame, beyond).any()


def test_landmarks_on_a_line_are_no_face() -> None:
    assert not face_crop(np.ones((40, 60, 3), np.uint8), face_box(np.array([[10.0, 20.0], [30.0, 20.0]]), 60, 40)).any()
