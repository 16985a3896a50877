# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine as the pipeline meets it: files in, files out, and what it announces."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from backend.contract.job import Mode
from backend.engines.base import ShotSize
from backend.engines.draft.character import Character
from backend.engines.draft.engine import DraftEngine
from backend.engines.draft.foresight import warn_of_performer, warn_of_picture
from backend.media.images import read_picture, write_picture
from backend.media.sequence import frame_name
from backend.performer.still import NobodyInPictureError, Still
from backend.performer.tracks import Tracks

from .conftest import HEIGHT, WIDTH, MakeInputs, Told, moved, tracks_of

COUNT = 9


@pytest.fixture
def walk(standing: Still) -> Tracks:
    return moved(tracks_of(standing, COUNT), np.stack([np.arange(COUNT), np.sin(np.arange(COUNT))], 1))


def test_a_plan_covers_each_frame_once() -> None:
    plan = DraftEngine().plan(ShotSize(width_px=64, height_px=64, frame_count=101), Mode.REPLACE)
    assert [index for first, last in plan.windows for index in range(first, last + 1)] == list(range(101))


def test_windows_do_not_depend_on_one_another(shot: MakeInputs, walk: Tracks, tmp_path: Path) -> None:
    inputs = shot(walk)
    for first, last, folder in ((0, COUNT - 1, "whole"), (5, 7, "part")):
        DraftEngine().generate(inputs, first, last, tmp_path / folder, Told())
    for index in range(5, 8):
        whole, part = (tmp_path / folder / frame_name(index) for folder in ("whole", "part"))
        assert whole.read_bytes() == part.read_bytes()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_result_has_the_frames_depth_and_no_colour_where_it_is_clear(
    shot: MakeInputs, walk: Tracks, tmp_path: Path, dtype: type
) -> None:
    DraftEngine().generate(shot(walk, dtype), 4, 4, tmp_path / "out", Told())
    result = read_picture(tmp_path / "out" / frame_name(4))
    assert result.dtype == dtype and result.shape == (HEIGHT, WIDTH, 4)
    assert result[..., 3].max() == np.iinfo(dtype).max
    assert not result[result[..., 3] == 0].any()


def test_the_drawn_matte_does_not_flicker(shot: MakeInputs, walk: Tracks, tmp_path: Path) -> None:
    DraftEngine().generate(shot(walk), 0, COUNT - 1, tmp_path / "out", Told())
    alphas = [read_picture(tmp_path / "out" / frame_name(i))[..., 3] / 255 for i in range(COUNT)]
    for index in range(1, COUNT):
        step = walk.body[index, 0, :2] - walk.body[index - 1, 0, :2]
        shift = np.array(((1, 0, step[0]), (0, 1, step[1])), np.float32)
        before = cv2.warpAffine(alphas[index - 1], shift, (WIDTH, HEIGHT))
        assert np.minimum(before, alphas[index]).sum() / np.maximum(before, alphas[index]).sum() > 0.97


def test_a_picture_without_people_is_refused(tmp_path: Path) -> None:
    write_picture(tmp_path / "empty.png", np.full((200, 300, 3), 120, np.uint8))
    with pytest.raises(NobodyInPictureError):
        DraftEngine().prepare(tmp_path / "empty.png", False, tmp_path / "character", Told())


def test_a_picture_cropped_above_the_legs_is_announced(
    astronaut_picture: np.ndarray, tmp_path: Path, standing: Still
) -> None:
    write_picture(tmp_path / "astronaut.png", astronaut_picture)
    told = Told()
    DraftEngine().prepare(tmp_path / "astronaut.png", False, tmp_path / "character", told)
    assert "character_legs_cropped" in told.codes
    warn_of_performer(Character.load(tmp_path / "character"), tracks_of(standing, 5), told)
    assert "legs_needed" in told.codes


def test_a_full_figure_is_not_complained_of(figure: Character, standing: Still) -> None:
    told = Told()
    warn_of_performer(figure, tracks_of(standing, 5), told)
    assert not told.codes


def test_a_performer_seen_from_behind_is_announced(figure: Character, standing: Still) -> None:
    told, tracks = Told(), tracks_of(standing, 12)
    body = tracks.body.copy()
    body[..., 0] = WIDTH - body[..., 0]
    warn_of_performer(figure, replace(tracks, body=body), told)
    assert told.codes == ["back_view"]


def test_a_character_without_a_face_is_announced(figure: Character) -> None:
    told = Told()
    warn_of_picture(figure, told)
    assert told.codes == ["character_face_unseen"]


def test_what_is_saved_is_what_is_loaded(figure: Character, tmp_path: Path) -> None:
    figure.save(tmp_path / "kept")
    again = Character.load(tmp_path / "kept")
    assert np.array_equal(again.points.joints, figure.points.joints)
    for layer, kept in zip(figure.layers, again.layers, strict=True):
        assert np.abs(np.clip(layer.picture, 0, 1) - kept.picture).max() <= 0.5 / 255 + 1e-6
