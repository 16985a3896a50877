# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours of windows: a made drift is measured, told, recorded and, when asked, taken back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.contract.watch import Unwatched
from backend.engines.wan.colours import follow_colours
from backend.engines.wan.conditioning import Plate, WindowFrames, signed


@dataclass
class Told(Unwatched):
    codes: list[str] = field(default_factory=list)

    def notice(self, code: str, text: str) -> None:
        self.codes.append(code)


def driven() -> WindowFrames:
    """Give a window over a plate of noise, the region in its middle."""
    generator = np.random.default_rng(0)
    frames = generator.integers(40, 216, (5, 192, 256, 3), np.uint8)
    region = np.zeros((5, 192, 256), np.uint8)
    region[:, 16:176, 16:240] = 255
    return WindowFrames(pose=frames, faces=frames, plate=Plate(frames=frames, region=region))


def test_a_drift_from_the_plate_is_told_recorded_and_taken_back(tmp_path: Path) -> None:
    window, watch = driven(), Told()
    assert window.plate is not None
    plate = signed(window.plate.frames)
    gain = torch.tensor([1.02, 1.0, 0.97])[:, None, None, None]
    drifted = (plate + 1) * gain + 0.02 - 1
    colours = follow_colours(drifted, window, None, tmp_path, watch)
    assert watch.codes == ["colour_drift"]
    record = json.loads((tmp_path / "drift.json").read_text())
    assert record["plate"]["gain"] == pytest.approx([1 / 1.02, 1.0, 1 / 0.97], rel=1e-4)
    assert record["first_window"] is None
    outside = torch.from_numpy(window.plate.region) == 0
    assert torch.allclose(colours.corrected(drifted)[:, outside], plate[:, outside], atol=1e-4)


def test_a_window_without_drift_is_not_told_of(tmp_path: Path) -> None:
    window, watch = driven(), Told()
    assert window.plate is not None
    follow_colours(signed(window.plate.frames), window, None, tmp_path, watch)
    assert watch.codes == []


def test_every_window_is_compared_with_the_first(tmp_path: Path) -> None:
    window = driven()
    assert window.plate is not None
    plate = signed(window.plate.frames)
    folders = [tmp_path / str(number) for number in range(3)]
    for number, folder in enumerate(folders):
        folder.mkdir()
        follow_colours(plate * (1 - 0.05 * number), window, folders[number - 1] if number else None, folder, Told())
    gains = [json.loads((folder / "drift.json").read_text())["first_window"] for folder in folders[1:]]
    assert gains[0]["gain"] == pytest.approx([1 / 0.95] * 3, rel=1e-3)
    assert gains[1]["gain"] == pytest.approx([1 / 0.9] * 3, rel=1e-3)


def test_of_a_figure_before_a_plate_only_the_figure_is_compared_with_the_first(tmp_path: Path) -> None:
    window = driven()
    assert window.plate is not None
    first, outside = signed(window.plate.frames), torch.from_numpy(window.plate.region) == 0
    later = 0.9 * first
    later[:, outside] *= 0.5
    for number, frames in enumerate((first, later)):
        (tmp_path / str(number)).mkdir()
        follow_colours(frames, window, tmp_path / "0" if number else None, tmp_path / str(number), Told())
    record = json.loads((tmp_path / "1" / "drift.json").read_text())
    assert record["first_window"]["gain"] == pytest.approx([1 / 0.9] * 3, rel=1e-3)


def test_without_a_plate_a_window_is_brought_back_to_the_first(tmp_path: Path) -> None:
    window, watch = replace(driven(), plate=None), Told()
    first = signed(window.pose)
    for number in range(2):
        (tmp_path / str(number)).mkdir()
    began = follow_colours(first, window, None, tmp_path / "0", watch)
    assert torch.equal(began.corrected(first), first)
    colours = follow_colours(0.9 * first + 0.02, window, tmp_path / "0", tmp_path / "1", watch)
    assert colours.from_plate is None
    assert torch.allclose(colours.corrected(0.9 * first + 0.02), first, atol=1e-3)
