# SPDX-License-Identifier: GPL-3.0-or-later
"""The zip in a fresh Blender, and a job by its operators: the worker is that Blender's Python with the zip's wheels.

UNDERSTUDY_BLENDER names a Blender with an interface, as an artist has one, or a program that starts one and hands on
words and environment. Without it only the `bpy` modules are tried, which have a Python of their own, too.
"""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.contract.job import Pass
from backend.media.images import read_picture
from tests.blender.blenders import Blender
from tests.blender.conftest import blender_or_skip
from tests.blender.test_corrections import write_clip
from tools.testing import BLENDER_VARIABLE

REAL = "real"
FRAMES = 7
_SCRIPT = Path(__file__).with_name("inside") / "whole.py"


# Of each Python one: 3.11 and 3.13.
@pytest.fixture(scope="module", params=["4.5", "5.2", REAL])
def told(
    request: pytest.FixtureRequest, extension_zip: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What that Blender tells of `inside/whole.py`, the folder it was given, and its user folder."""
    folder: Path = tmp_path_factory.mktemp("whole")
    user_folder = folder / "blender"
    if request.param != REAL:
        blender, words = blender_or_skip(request.param, user_folder), [str(_SCRIPT)]
    elif program := os.environ.get(BLENDER_VARIABLE):
        blender = Blender(REAL, Path(program), user_folder)
        words = ["--background", "--factory-startup", "--python-exit-code", "1", "--python", str(_SCRIPT), "--"]
    else:
        pytest.skip(f"{BLENDER_VARIABLE} names no Blender with an interface")
    write_clip(folder)
    blender.run(*words, extension_zip, folder)
    said = json.loads((folder / "said.json").read_text("utf-8"))
    return {"folder": folder, "user_folder": user_folder, **said}


def test_the_worker_is_blenders_own_python_with_what_the_zip_brought(told: dict[str, Any]) -> None:
    python, blenders = told["python"]
    assert python == blenders
    code, *libraries = map(Path, told["from"])
    assert code == told["user_folder"] / "extensions" / "user_default" / "understudy"
    assert [library.is_relative_to(told["user_folder"] / "extensions" / ".local") for library in libraries] == [True]


def test_a_frame_is_previewed_and_a_job_is_done_and_placed(told: dict[str, Any]) -> None:
    preview, hint = told["preview"]
    assert hint == ""
    assert read_picture(Path(preview)).shape == (270, 480, 3)
    assert told["state"] == ["done", ""]
    assert sorted(told["strips"]) == sorted(Pass)


def test_the_comp_is_the_clip_where_nothing_was_changed(told: dict[str, Any]) -> None:
    delivered = Path(told["delivered"])
    for place in range(FRAMES):
        stem = f"{delivered.name}_{{}}.{1001 + place}.png"
        comp, change = (read_picture(delivered / name / stem.format(name)) for name in ("comp", "change_matte"))
        clip = read_picture(told["folder"] / "clip" / f"frame.{place:04d}.png")
        assert (change > 0).any()
        assert np.array_equal(comp[change == 0], clip[change == 0])
