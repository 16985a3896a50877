# SPDX-License-Identifier: GPL-3.0-or-later
"""A strip is rendered by the extension as it is installed, and from a clone whose folder is no Python name."""

import shutil
from pathlib import Path

from tests.blender.blenders import Blender
from tests.blender.inside_run import run_inside
from tests.blender.test_shots import pictures, rendered
from tests.painted import painted_number, write_movie
from tools.as_package import ROOMS
from tools.layout import ROOT


def copy_extension(into: Path) -> Path:
    """Copy the extension's rooms, and nothing of its workshop."""
    for room in ("backend", *ROOMS):
        if (ROOT / room).is_dir():
            shutil.copytree(ROOT / room, into / room, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (ROOT / "blender_manifest.toml", *ROOT.glob("*.py")):
        shutil.copy2(path, into)
    return into


def test_the_script_finds_the_extension_round_it(blender: Blender, tmp_path: Path) -> None:
    write_movie(tmp_path / "dance.mov", 12)
    installed = copy_extension(blender.user_folder / "extensions/user_default/understudy")
    shot = run_inside(blender, "installed.py", tmp_path)
    rendered(shot, tmp_path / "installed", "0-2")
    clone = copy_extension(tmp_path / "a-clone.2")
    assert str(installed / "sequencer/render_shot.py") in shot["command"]
    shot["command"] = [word.replace(str(installed), str(clone)) for word in shot["command"]]
    rendered(shot, tmp_path / "clone", "9-11")
    numbers = [[painted_number(picture) for picture in pictures(tmp_path / name)] for name in ("installed", "clone")]
    assert numbers == [[0, 1, 2], [9, 10, 11]]
