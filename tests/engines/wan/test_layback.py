# SPDX-License-Identifier: GPL-3.0-or-later
"""From generated frames to what is delivered: size, depth, straight alpha; and which frame a preview shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from backend.contract.watch import Unwatched
from backend.engines.wan.engine import Listener, _enlarged, _picture, _write
from backend.engines.wan.windows import fitted_plan
from backend.media.images import read_picture

DEPTHS = [np.uint8, np.uint16]


@pytest.mark.parametrize("depth", DEPTHS)
def test_values_become_codes_of_the_shots_depth(depth: type[np.unsignedinteger[Any]]) -> None:
    top = np.iinfo(depth).max
    frame = torch.tensor([-1.0, 0.5, 1.0])[:, None, None].expand(3, 4, 6)
    picture = _picture(frame, np.zeros((4, 6, 3), depth))
    assert picture.dtype == depth
    assert (picture == [0, np.floor(0.75 * top + 0.5), top]).all()


def test_what_is_brought_to_a_larger_size_keeps_its_place_and_never_wraps_round() -> None:
    frame = torch.full((3, 8, 16), -1.0)
    frame[:, :, 8:] = 1.0
    picture = _picture(frame, np.zeros((24, 48, 3), np.uint8))
    assert picture.shape == (24, 48, 3)
    assert (np.diff(picture.astype(int), axis=1) >= 0).all()
    assert (picture[:, 0] == 0).all() and (picture[:, -1] == 255).all()
    assert picture[:, :24].mean() == pytest.approx(255 - picture[:, 24:].mean(), abs=1)


def test_what_is_brought_to_a_smaller_size_is_averaged() -> None:
    frame = torch.full((3, 16, 32), -1.0)
    frame[:, :, ::4] = 1.0
    assert (_picture(frame, np.zeros((4, 8, 3), np.uint8)) == 64).all()


def test_regions_are_enlarged_whole() -> None:
    region = np.zeros((1, 4, 8), np.uint8)
    region[0, 1, 3:5] = 255
    assert np.array_equal(_enlarged(region, (12, 24))[0], region[0].repeat(3, 0).repeat(3, 1))


@pytest.mark.parametrize("depth", DEPTHS)
def test_colour_stays_straight_and_is_nothing_where_nothing_is_covered(
    depth: type[np.unsignedinteger[Any]], tmp_path: Path
) -> None:
    top = np.iinfo(depth).max
    picture, matte = np.full((4, 6, 3), top // 3, depth), np.zeros((4, 6), np.uint8)
    matte[1:, :], matte[2:, :] = 1, 255
    _write([(picture, matte)] * 2, 2, 7, tmp_path, Unwatched())
    for number in (7, 8):
        written = read_picture(tmp_path / f"{number:06d}.png")
        assert written.dtype == depth
        assert (written[0] == 0).all()
        assert (written[1:, :, :3] == top // 3).all()
        assert (written[1, :, 3] == top // 255).all() and (written[2:, :, 3] == top).all()


@dataclass
class Looking(Unwatched):
    """Takes every picture that is offered."""

    folder: Path
    frames: list[int] = field(default_factory=list)

    def show(self, frame: int, write: Callable[[Path], None]) -> None:
        self.frames.append(frame)
        write(self.folder / "shown.png")


class LastMean:
    """Shows the mean of the last latent frame."""

    def last_frame(self, latents: Tensor) -> Tensor:
        return latents[0, -1].mean().expand(3, 2, 2)


@pytest.mark.parametrize(("shot_frames", "overlap", "longest"), [(1, 1, 77), (2, 1, 77), (20, 1, 13), (20, 5, 13)])
def test_a_preview_says_which_frame_of_the_shot_it_shows(
    shot_frames: int, overlap: int, longest: int, tmp_path: Path
) -> None:
    """Each latent frame holds the number of the shot's frame that is the last of those that it stands for."""
    plan, watch = fitted_plan(shot_frames, overlap, longest), Looking(tmp_path)
    for window in plan.windows:
        numbers = plan.source_frames(window)
        latents = torch.tensor(numbers[::4], dtype=torch.float32)[None, :, None, None] / 127.5 - 1
        Listener(watch, LastMean(), numbers).stepped(window, 1, 2, latents.expand(16, -1, 2, 2))
        assert (read_picture(tmp_path / "shown.png") == watch.frames[-1]).all()
    assert set(watch.frames) <= set(range(shot_frames))
