# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a shot by the extension as Blender has installed it, and say how it is rendered."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import bpy

from tests.blender.inside.stage import FOLDER, add_movie, new_scene, run

NAME = "bl_ext.user_default.understudy"


def work() -> dict[str, Any]:
    """Do it."""
    addon_utils = import_module("addon_utils")  # found once bpy is imported
    addon_utils.enable(NAME)
    assert addon_utils.check(NAME)[1] is True
    shots = import_module(f"{NAME}.sequencer.shot")
    scene = new_scene("installed")
    shot = shots.read_shot(scene, add_movie(scene, FOLDER / "dance.mov"), shots.Pixels.RAW)
    bpy.ops.wm.save_as_mainfile(filepath=str(FOLDER / "copy.blend"), copy=True)
    return {"command": shots.render_command(shot, FOLDER / "copy.blend")}


run(work)
