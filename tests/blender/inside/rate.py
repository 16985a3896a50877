# SPDX-License-Identifier: GPL-3.0-or-later
"""A movie at another speed: by its rate, which only the operator gives, and that crashes without a window from 5.0 on.

Without `rated.blend` in FOLDER, make it; else open it and say how its strip is rendered.
"""

from __future__ import annotations

from typing import Any

import bpy
from understudy.sequencer.shot import Pixels, read_shot, render_command

from tests.blender.inside.stage import FOLDER, Scene, add_movie, key, new_scene, render, run, strips_of

BLEND = FOLDER / "rated.blend"


def make() -> dict[str, Any]:
    """Make a strip that is not shown at its own speed, scale it, and save it."""
    scene = new_scene("rated", 100, 50)
    (retime if bpy.app.version >= (5, 1, 0) else add_by_operator)(scene)
    key(strips_of(scene)[0], "transform.scale_x", {11: 0.5, 22: 2.0})
    bpy.ops.wm.save_as_mainfile(filepath=str(BLEND))
    return {}


def retime(scene: Scene) -> None:
    """Slow the middle of a movie down by keys; adding them crashes before 5.1."""
    keys = add_movie(scene, FOLDER / "dance.mov").retiming_keys
    keys.add(timeline_frame=15)
    keys.add(timeline_frame=17).timeline_frame = 20


def add_by_operator(scene: Scene) -> None:
    """Add a movie of 24 fps to a scene of 30, as an artist does."""
    scene.render.fps = 30
    window = bpy.context.window
    window.scene = scene
    area = window.screen.areas[0]
    area.type = "SEQUENCE_EDITOR"
    region = next(each for each in area.regions if each.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region, scene=scene):
        bpy.ops.sequencer.movie_strip_add(
            filepath=str(FOLDER / "dance.mov"), frame_start=11, channel=1, sound=False, use_framerate=False
        )


def read() -> dict[str, Any]:
    """Read the strip as a shot, then take what was done to it away and render it as it should be."""
    bpy.ops.wm.open_mainfile(filepath=str(BLEND))
    scene = bpy.data.scenes["rated"]
    strip = strips_of(scene)[0]
    shot = read_shot(scene, strip, Pixels.RAW)
    scene.animation_data_clear()
    strip.transform.scale_x = strip.transform.scale_y = 1
    scene.render.resolution_x, scene.render.resolution_y = 64, 48
    render(scene, FOLDER / "truth", shot.first, shot.last)
    return {"command": render_command(shot, BLEND), "frame_count": shot.frame_count}


run(read if BLEND.exists() else make)
