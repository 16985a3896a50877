# SPDX-License-Identifier: GPL-3.0-or-later
"""The matte of generated frames: found where somebody is, the region's own where nobody is, nothing outside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from skimage import data

from backend.contract.watch import Unwatched
from backend.engines.wan.silhouette import StopOnly, silhouettes, softened
from backend.media.sequence import Sequence, SequenceWriter

FRAMES = 3


def kept(folder: Path, picture: np.ndarray) -> Sequence:
    with SequenceWriter(folder) as writer:
        for index in range(FRAMES):
            writer.write(index, picture)
    return Sequence(folder, FRAMES)


def regions(shape: tuple[int, ...]) -> np.ndarray:
    drawn = np.zeros((FRAMES, *shape[:2]), np.uint8)
    drawn[:, :, 60:420] = 255
    return drawn


def test_a_person_in_the_generated_frames_is_found_and_nothing_outside_the_region(tmp_path: Path) -> None:
    picture = data.astronaut()
    drawn = regions(picture.shape)
    found = list(silhouettes(kept(tmp_path / "frames", picture), drawn, tmp_path, StopOnly(Unwatched())))
    assert [was_found for _, was_found in found] == [True] * FRAMES
    for matte, _ in found:
        assert (matte[drawn[0] == 0] == 0).all()
        assert matte[100:160, 200:250].min() == 255  # the face
        assert matte[20:60, 70:120].max() == 0  # the flag beside her


def test_where_nobody_is_found_the_softened_region_stands_in(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (256, 480, 3), np.uint8)
    drawn = regions(noise.shape)
    drawn[-1] = 0
    found = list(silhouettes(kept(tmp_path / "frames", noise), drawn, tmp_path, StopOnly(Unwatched())))
    assert [was_found for _, was_found in found] == [False, False, True]
    assert np.array_equal(found[0][0], softened(drawn[0]))
    assert not found[-1][0].any()


def test_of_two_people_the_one_in_the_region_is_the_figure_though_it_enters_late(tmp_path: Path) -> None:
    one = np.asarray(data.astronaut()[::2, 40:420:2], np.uint8)
    picture = np.concatenate([one, one[:, ::-1]], axis=1)
    drawn = np.zeros((FRAMES, *picture.shape[:2]), np.uint8)
    drawn[1:, :, 190:] = 255
    found = list(silhouettes(kept(tmp_path / "frames", picture), drawn, tmp_path, StopOnly(Unwatched())))
    assert [was_found for _, was_found in found] == [True] * FRAMES
    assert not found[0][0].any()
    face = np.s_[55:75, 285:300]
    for matte, _ in found[1:]:
        assert matte[face].min() > 200
        assert matte[20:60, 350:375].max() == 0  # the flag behind


def test_a_person_of_whom_next_to_nothing_is_in_the_region_is_not_the_figure(tmp_path: Path) -> None:
    picture = data.astronaut()
    drawn = np.zeros((FRAMES, *picture.shape[:2]), np.uint8)
    drawn[:, 20:200, 30:130] = 255  # the flag; her box reaches in, she does not
    found = list(silhouettes(kept(tmp_path / "frames", picture), drawn, tmp_path, StopOnly(Unwatched())))
    assert [was_found for _, was_found in found] == [False] * FRAMES
    assert all(np.array_equal(matte, softened(drawn[0])) for matte, _ in found)


def test_a_region_is_softened_inwards_and_stays_whole_at_the_pictures_border() -> None:
    region = np.zeros((200, 200), np.uint8)
    region[:, 50:150] = 255
    soft = softened(region)
    assert (soft[region == 0] == 0).all()
    assert (soft[:, 60:140] == 255).all()
    assert soft[0, 100] == 255
    ramp = soft[100, 50:53].astype(int)
    assert list(ramp) == sorted(ramp)
    assert ramp[0] == pytest.approx(255 / 2, abs=8)
