# SPDX-License-Identifier: GPL-3.0-or-later
"""Rendered truth of real jobs: operators, worker, strips, the sequencer's render, on the performer and on footage."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.blender.blenders import THOROUGH
from tests.blender.conftest import blender_or_skip
from tests.blender.inside_run import run_inside
from tests.footage import footage_named
from tests.rendered import character_picture, rendered_performer


@pytest.fixture(
    scope="module",
    params=[(version, clip) for clip in ("performer", "footage") for version in THOROUGH],
    ids=lambda param: f"{param[1]}-{param[0]}",
)
def rendered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Give the folder of what that Blender rendered, and that of the delivered version."""
    version, which = request.param
    clip = footage_named("alley_boy.mp4") if which == "footage" else rendered_performer().beauty
    character = footage_named("scholar.jpeg") if which == "footage" else character_picture()
    folder = tmp_path_factory.mktemp("truth")
    blender = blender_or_skip(version, folder / "blender")
    (folder / "character.png").write_bytes(character.read_bytes())
    told = run_inside(blender, "truth_of_jobs.py", folder, UNDERSTUDY_CLIP=str(clip))
    assert told["state"] == "done", told["message"]
    return folder, Path(told["delivered"])


def frames(folder: Path, flags: int = cv2.IMREAD_COLOR) -> NDArray[np.int_]:
    return np.stack([np.asarray(cv2.imread(str(path), flags), int) for path in sorted(folder.glob("*.png"))])


@pytest.mark.parametrize("view", ["Standard", "AgX"])
def test_where_nothing_was_changed_the_render_is_the_clips_own_to_the_bit(
    rendered: tuple[Path, Path], view: str
) -> None:
    folder, version = rendered
    alone, comp = frames(folder / f"alone {view}"), frames(folder / f"comp {view}")
    kept = frames(version / "change_matte", cv2.IMREAD_GRAYSCALE) == 0
    assert 0.3 < kept.mean() < 0.99
    assert np.abs(alone - comp)[kept].max() == 0
    assert np.abs(alone - comp)[~kept].max() > 50


def test_the_comp_strip_is_the_delivered_comp(rendered: tuple[Path, Path]) -> None:
    folder, version = rendered
    assert np.abs(frames(folder / "comp Standard") - frames(version / "comp")).max() == 0
