# SPDX-License-Identifier: GPL-3.0-or-later
"""Mattes that Blender renders: of a Mask datablock whose coverage is known, of a strip the files' own pixels."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.blender.blenders import THOROUGH
from tests.blender.conftest import blender_or_skip
from tests.blender.inside_run import run_inside
from tests.blender.test_shots import pictures, rendered
from tests.painted import painted, painted_number, write_movie

WIDTH, HEIGHT, FRAMES = 64, 48, 12


@pytest.fixture(scope="module", params=THOROUGH)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What that Blender tells of `inside/mattes.py`, and the folder it was given."""
    folder = tmp_path_factory.mktemp("mattes")
    blender = blender_or_skip(request.param, folder / "blender")
    write_movie(folder / "dance.mov", FRAMES)
    (folder / "stills").mkdir()
    for number in range(FRAMES):
        cv2.imwrite(str(folder / f"stills/still.{number + 1:04d}.png"), painted(number))
    return {"folder": folder, **run_inside(blender, "mattes.py", folder)}


def mattes(told: dict[str, Any], name: str, into: Path) -> list[np.ndarray[Any, Any]]:
    matte = told["mattes"][name]
    assert matte["frame_count"] == FRAMES
    rendered(matte, into, f"0-{FRAMES - 1}")
    return pictures(into)


def test_a_mask_covers_what_is_drawn_in_it_at_the_shots_own_size(told: dict[str, Any], tmp_path: Path) -> None:
    """Masks are drawn in parts of the longer side; the picture's rows count from above."""
    got = mattes(told, "still", tmp_path)
    low = (HEIGHT - WIDTH) / 2  # a mask is square about the picture's middle
    rows = slice(int(HEIGHT - 0.5 * WIDTH - low), int(HEIGHT - 0.25 * WIDTH - low))
    assert len(got) == FRAMES
    for picture in got:
        assert picture.shape == (HEIGHT, WIDTH, 3)
        inner = np.zeros((HEIGHT, WIDTH), bool)
        inner[rows, 16:48] = True
        edge = cv2.dilate(inner.astype(np.uint8), np.ones((3, 3))) - cv2.erode(inner.astype(np.uint8), np.ones((3, 3)))
        assert (picture[inner & (edge == 0)] == 255).all()
        assert (picture[~inner & (edge == 0)] == 0).all()


def test_a_mask_moves_by_the_scenes_frames(told: dict[str, Any], tmp_path: Path) -> None:
    middles = [int(picture[HEIGHT // 2, WIDTH // 2, 0]) for picture in mattes(told, "keyed", tmp_path)]
    assert middles == [0] * told["seen_from"] + [255] * (FRAMES - told["seen_from"])


def test_a_strip_mattes_by_its_own_pixels_though_it_is_muted_and_moved(told: dict[str, Any], tmp_path: Path) -> None:
    assert [painted_number(picture) for picture in mattes(told, "strip", tmp_path)] == list(range(FRAMES))


def test_what_does_not_fit_the_shot_is_refused_in_words(told: dict[str, Any]) -> None:
    expected = {
        "gone": "The strip gone, to matte by, is not there any more",
        "short": "short has no frames 11 to 22: it shows 11 to 15",
        "size": "The matte canvas is 100 x 50 pixels, the shot 64 x 48",
    }
    assert {name for name, words in told["refusals"].items() if expected[name] not in words} == set()


def test_reading_a_mask_leaves_nothing_in_the_artists_file(told: dict[str, Any]) -> None:
    assert told["left"]["masks"] == {"still": [1, 100], "keyed": [1, 100]}
    assert told["left"]["scenes"] == 2
