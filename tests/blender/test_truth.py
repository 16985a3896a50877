# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender renders of placed results: the clip's own bits where nothing was changed, else the delivered comp."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from backend.media.colour import decode_srgb, encode_srgb
from tests.blender.blenders import EVERY
from tests.blender.conftest import blender_or_skip
from tests.blender.delivery import write_delivery
from tests.blender.inside_run import run_inside
from tests.painted import write_movie

Frames = NDArray[np.int_]


@pytest.fixture(scope="module", params=EVERY)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that `inside/truth.py` renders in that Blender, of a delivery made from its own raw frames."""
    folder = tmp_path_factory.mktemp("truth")
    blender = blender_or_skip(request.param, folder / "blender")
    write_movie(folder / "dance.mov", 12)
    run_inside(blender, "truth.py", folder)
    write_delivery(folder / "delivered", [np.asarray(frame, np.uint8) for frame in frames(folder / "source")])
    run_inside(blender, "truth.py", folder)
    return folder


def frames(folder: Path, flags: int = cv2.IMREAD_COLOR_RGB) -> Frames:
    return np.stack([np.asarray(cv2.imread(str(path), flags), int) for path in sorted(folder.glob("*.png"))])


def delivered(folder: Path, name: str) -> Frames:
    flags = cv2.IMREAD_GRAYSCALE if "matte" in name else cv2.IMREAD_COLOR_RGB
    return frames(folder / "delivered/shot_v001" / name, flags)


@pytest.mark.parametrize("view", ["Standard", "AgX", "Filmic"])
def test_where_nothing_was_changed_the_render_is_the_clips_own_to_the_bit(folder: Path, view: str) -> None:
    alone, comp = frames(folder / f"alone {view}"), frames(folder / f"comp {view}")
    kept = delivered(folder, "change_matte") == 0
    assert 0.3 < kept.mean() < 0.95
    assert np.abs(alone - comp)[kept].max() == 0
    assert np.abs(alone - comp)[~kept].max() > 50


def test_the_comp_strip_is_the_delivered_comp(folder: Path) -> None:
    assert np.abs(frames(folder / "comp Standard") - delivered(folder, "comp")).max() == 0


def test_layers_are_the_comp_where_the_matte_is_hard_and_a_mix_of_code_values_where_it_is_soft(folder: Path) -> None:
    layers, matte = frames(folder / "layers Standard"), delivered(folder, "matte")
    is_hard = (matte == 0) | (matte == 255)
    assert np.abs(layers - delivered(folder, "comp"))[is_hard].max() == 0
    coverage = matte[..., None] / 255
    mixed = delivered(folder, "character") * coverage + delivered(folder, "plate") * (1 - coverage)
    assert np.abs(layers - mixed)[~is_hard].max() <= 1.5


def test_under_transform_fade_and_grade_the_rest_of_the_clip_stays_as_it_was(folder: Path) -> None:
    alone, comp = frames(folder / "alone dressed"), frames(folder / "comp dressed")
    changed = frames(folder / "change_matte dressed").max(axis=3).astype(np.uint8)
    kept = np.stack([cv2.dilate(matte, np.ones((3, 3))) == 0 for matte in changed])
    assert 0.3 < kept.mean() < 0.95
    assert np.abs(alone - comp)[kept].max() == 0
    assert np.abs(alone - comp)[~kept].max() > 50


def test_the_compositor_gives_the_delivered_comp(folder: Path) -> None:
    assert np.abs(frames(folder / "composited") - delivered(folder, "comp")).max() <= 1


def test_the_compositors_controls_change_the_character_and_nothing_else(folder: Path) -> None:
    comp, matte, plate = (delivered(folder, name) for name in ("comp", "matte", "plate"))
    brighter = frames(folder / "composited brighter")
    assert np.abs(brighter - comp)[matte == 0].max() <= 1
    twice = encode_srgb(np.minimum(2 * decode_srgb(comp.astype(np.uint8)), 1), 255)
    assert np.abs(brighter - twice)[matte == 255].max() <= 1
    if (folder / "composited thinner").exists():  # before 4.5 a group can't offer it
        thinner = np.abs(frames(folder / "composited thinner") - plate).max(axis=3) > 1
        assert 0.4 < thinner.sum() / (np.abs(comp - plate).max(axis=3) > 1).sum() < 0.9
