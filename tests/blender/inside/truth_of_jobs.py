# SPDX-License-Identifier: GPL-3.0-or-later
"""A job by the real worker on a few frames of a clip, and what Blender renders of its strips and of the clip alone.

FOLDER holds `character.png`. UNDERSTUDY_CLIP names a movie, or a folder of pictures; the worker's Python is named by
UNDERSTUDY_WORKER.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import bpy

from tests.blender.inside.jobs import do, is_over, newest, switch_on, wait
from tests.blender.inside.stage import (
    FOLDER,
    Scene,
    Strip,
    add_images,
    add_movie,
    new_scene,
    render,
    run,
    set_time,
    set_view,
)

COUNT, BEFORE = 5, 8
"""Frames that are shown, and how many of the clip are trimmed off before them."""


def clip() -> tuple[Scene, Strip]:
    """Make a scene of the clip's size with a few of its frames, from scene frame 1 on."""
    path = Path(os.environ["UNDERSTUDY_CLIP"])
    scene = new_scene("Truth")
    strip: Any = (
        add_movie(scene, path, start=1) if path.is_file() else add_images(scene, sorted(path.glob("*.png")), start=1)
    )
    element = strip.elements[0]
    scene.render.resolution_x, scene.render.resolution_y = element.orig_width, element.orig_height
    shown = strip.frame_final_duration
    set_time(strip, "frame_offset_start", BEFORE)
    set_time(strip, "frame_offset_end", shown - BEFORE - COUNT)
    return scene, strip


def work() -> dict[str, Any]:
    """Replace, then render with and without the results."""
    from understudy.sequencer.compat import first_frame
    from understudy.sequencer.take import take_strips

    scene, strip = clip()
    bpy.context.window.scene = scene
    scene.sequence_editor.active_strip = strip
    settings: Any = scene.understudy
    settings.folder = str(FOLDER / "out")
    settings.first.character = bpy.data.images.load(str(FOLDER / "character.png"))
    do.understudy.start_job()
    wait(is_over)
    view, first = newest(), first_frame(strip)
    last = first + COUNT - 1
    strips = take_strips(scene, view.id)
    muted = {result.name: bool(result.mute) for result in strips}
    for name in ("Standard", "AgX"):
        set_view(scene, name)
        for result in strips:
            result.mute = muted[result.name]
        render(scene, FOLDER / f"comp {name}", first, last)
        for result in strips:
            result.mute = True
        render(scene, FOLDER / f"alone {name}", first, last)
    return {
        "state": str(view.state),
        "message": f"{view.message} {view.hint}",
        "delivered": view.delivered.folder if view.delivered else "",
    }


if __name__ == "__main__":
    switch_on()
    run(work)
