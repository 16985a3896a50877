# SPDX-License-Identifier: GPL-3.0-or-later
"""From tracks, mattes and plate to what drives the model: sizes, places and regions, against what is known of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.contract.job import Fit, Mode
from backend.engines.base import Inputs
from backend.engines.wan.driving import Driving, OverrideCountError, Size, fitted_points, generated_size, scaled_points
from backend.engines.wan.settings import WanSettings
from backend.media.images import write_picture
from backend.media.sequence import Sequence, SequenceWriter
from backend.performer.tracks import Presence, Tracks

COUNT, WIDTH, HEIGHT = 4, 320, 192
SIZE = Size(160, 96)
BOX = (120.0, 40.0, 180.0, 160.0)


def written(folder: Path, pictures: list[NDArray[np.uint8]]) -> Sequence:
    with SequenceWriter(folder) as writer:
        for index, picture in enumerate(pictures):
            writer.write(index, picture)
    return Sequence(folder, len(pictures))


def tracks() -> Tracks:
    """Make a performer whose points all lie in the middle of the box, and who leaves in the last frame."""
    middle = np.array([(BOX[0] + BOX[2]) / 2, (BOX[1] + BOX[3]) / 2, 0], np.float32)

    def points(number: int) -> NDArray[np.float32]:
        return np.broadcast_to(middle, (COUNT, number, 3)).copy()

    ones = np.ones(COUNT, np.float32)
    return Tracks(
        body=points(33),
        body_score=np.ones((COUNT, 33), np.float32),
        face=points(468),
        face_score=ones,
        left_hand=points(21),
        left_hand_score=ones,
        right_hand=points(21),
        right_hand_score=ones,
        box=np.tile(np.array(BOX, np.float32), (COUNT, 1)),
        presence=np.array([Presence.TRACKED] * (COUNT - 1) + [Presence.ABSENT], np.int8),
        consistency=ones,
    )


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    frames = [np.full((HEIGHT, WIDTH, 3), 40 * index, np.uint8) for index in range(COUNT)]
    plate = [np.full((HEIGHT, WIDTH, 3), 200 + index, np.uint8) for index in range(COUNT)]
    mattes = [np.zeros((HEIGHT, WIDTH), np.uint8) for _ in range(COUNT)]
    for matte in mattes[:-1]:
        matte[40:160, 120:180] = 255
    return Inputs(
        mode=Mode.REPLACE,
        frames=written(tmp_path / "frames", frames),
        plate=written(tmp_path / "plate", plate),
        performer_matte=written(tmp_path / "matte", mattes),
        tracks=tracks(),
        character=tmp_path,
        fit=Fit(),
        seed=0,
    )


def driving(inputs: Inputs, settings: WanSettings | None = None) -> Driving:
    return Driving(inputs, SIZE, settings or WanSettings(), 64)


def test_the_generated_size_keeps_the_shots_aspect_in_blocks_of_16(inputs: Inputs) -> None:
    assert generated_size(inputs, SIZE.width_px * SIZE.height_px) == SIZE


def test_pictures_and_points_are_brought_to_a_size_alike() -> None:
    ramp = np.tile(np.arange(0, 240, 1.5), (96, 1)).astype(np.uint8)
    small = Size(80, 48).scaled(ramp)
    points = np.array([[[39.5, 20.0, 1.0]]])
    x = float(scaled_points(points, Size(160, 96), Size(80, 48))[0, 0, 0])
    assert x == 19.5
    row = small[20].astype(float)
    assert (row[19] + row[20]) / 2 == pytest.approx(39.5 * 1.5, abs=1.0)


def test_a_fit_scales_on_the_ground_and_moves_in_heights(inputs: Inputs) -> None:
    ground = np.array([[(BOX[0] + BOX[2]) / 2, BOX[3], 1.0], [BOX[0], BOX[1], 1.0]])
    points = np.broadcast_to(ground, (COUNT, 2, 3)).copy()
    fitted = fitted_points(points, replace(inputs, fit=Fit(scale=2.0, offset_x=0.5, ground_offset=0.25)))
    height = BOX[3] - BOX[1]
    assert fitted[0, 0, :2] == pytest.approx(ground[0, :2] + [0.5 * height, 0.25 * height])
    assert fitted[0, 1, :2] == pytest.approx(ground[0, :2] + 2 * (ground[1, :2] - ground[0, :2]) + [60.0, 30.0])


def test_the_region_is_the_grown_box_and_the_plate_is_black_in_it(inputs: Inputs) -> None:
    window = driving(inputs).window([0, 1, 3])
    assert window.plate is not None
    region = window.plate.region[0] > 0
    rows, columns = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
    # the matte halves to 20..79 and 60..89; three rounds of 3 pixels; the last row and column are left, as officially
    assert (rows[0], rows[-1], columns[0], columns[-1]) == (11, 88, 51, 98)
    assert region[11:88, 51:98].all()
    assert (window.plate.frames[0][region] == 0).all()
    assert (window.plate.frames[0][~region] == 200).all()
    assert (window.plate.frames[1][~region] == 201).all()


def test_where_the_performer_is_absent_nothing_is_drawn_anew(inputs: Inputs) -> None:
    window = driving(inputs).window([3])
    assert window.plate is not None
    assert not window.plate.region.any()
    assert not window.pose.any()
    assert (window.plate.frames == 203).all()


def test_a_window_may_show_a_frame_again(inputs: Inputs) -> None:
    window = driving(inputs).window([2, 1, 2])
    assert np.array_equal(window.faces[0], window.faces[2])
    assert window.faces.shape == (3, 64, 64, 3)


def test_clips_of_the_official_preprocessing_stand_in(inputs: Inputs, tmp_path: Path) -> None:
    for index in range(COUNT):
        (tmp_path / "pose").mkdir(exist_ok=True)
        write_picture(tmp_path / "pose" / f"p.{index:04d}.png", np.full((96, 160, 3), 10 * index + 5, np.uint8))
    window = driving(inputs, WanSettings(pose=str(tmp_path / "pose"))).window([2, 0])
    assert [int(frame[0, 0, 0]) for frame in window.pose] == [25, 5]
    (tmp_path / "pose" / "p.0003.png").unlink()
    with pytest.raises(OverrideCountError, match="3 frames; the shot has 4"):
        driving(inputs, WanSettings(pose=str(tmp_path / "pose"))).window([0])
