# SPDX-License-Identifier: GPL-3.0-or-later
"""The Wan engine in real Blenders, with a small checkpoint of random numbers in the Python that has torch."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.blender.blenders import THOROUGH
from tests.blender.conftest import blender_or_skip
from tests.blender.inside_run import run_inside
from tests.rendered import character_picture, write_cut
from tools.environments import WAN
from tools.layout import ROOT

FRAMES = 5
"""Of the clip; the first is trimmed off."""
_WRITE = (
    "import sys; from pathlib import Path; from tests.engines.wan.checkpoints import write_models_folder\n"
    "write_models_folder(Path(sys.argv[1]))"
)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small checkpoint, which only a Python with torch can write."""
    if not WAN.interpreter.exists():
        pytest.skip(f"{WAN.purpose} is not in place")
    folder = tmp_path_factory.mktemp("models")
    subprocess.run([str(WAN.interpreter), "-c", _WRITE, str(folder)], cwd=ROOT, check=True)
    return folder


@pytest.fixture(scope="module", params=THOROUGH)
def told(request: pytest.FixtureRequest, models: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What that Blender tells of `inside/wan.py`."""
    folder: Path = tmp_path_factory.mktemp("wan")
    blender = blender_or_skip(request.param, folder / "blender")
    (folder / "models").symlink_to(models, target_is_directory=True)
    write_cut(folder / "clip", FRAMES)
    (folder / "character.png").write_bytes(character_picture().read_bytes())
    return run_inside(blender, "wan.py", folder, UNDERSTUDY_WAN=str(WAN.interpreter))


def test_what_the_engine_lacks_is_said_before_anything_is_made(told: dict[str, Any]) -> None:
    assert "models folder" in told["generated"]["no models"]
    state, said = told["generated"]["no environment"]
    assert state == "refused"
    assert "Create Environment" in said


def test_check_tells_what_it_would_take(told: dict[str, Any]) -> None:
    assert "Generated at 832 x 464 in 1 windows of 1 steps" in told["generated"]["plan"][0]


def test_the_shot_is_generated_and_placed(told: dict[str, Any]) -> None:
    state, said = told["generated"]["done"]
    assert state == "done", said
    assert sorted(name for name, *_ in told["generated"]["strips"]) == ["comp", "matte"]
    assert {(first, last) for _, first, last, _ in told["generated"]["strips"]} == {(11, 14)}
    assert any("nobody was found" in notice for notice in told["generated"]["notices"])


def test_a_jobs_settings_of_the_engine_are_brought_back(told: dict[str, Any]) -> None:
    recalled = told["recalled"]
    assert recalled["engine"] == "wan"
    assert recalled["numbers"] == [7, 1, 0.5, str(832 * 480)]
    assert recalled["lora"][1] == 0.25
