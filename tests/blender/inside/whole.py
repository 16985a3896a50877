# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way from the zip: installed, and a job done by its operators and the worker that it starts. ZIP FOLDER

FOLDER holds `clip/`, a picture sequence, and `character.png`. Nothing of the checkout is imported: this also runs in a
Blender that knows no Python path.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import bpy

NAME = "bl_ext.user_default.understudy"
PACKAGE, FOLDER = map(Path, sys.argv[-2:])
END_S = time.monotonic() + float(os.environ["UNDERSTUDY_PATIENCE_S"])
FIRST = 11
do: Any = bpy.ops


def room(name: str) -> Any:
    """Give a module of the extension as it is installed."""
    return import_module(f"{NAME}.{name}")


def install() -> None:
    """Install the zip as an artist does, from disk."""
    do.extensions.package_install_files(filepath=str(PACKAGE), repo="user_default", enable_on_install=True)
    assert import_module("addon_utils").check(NAME) == (True, True), "not installed and switched on"


def lay_clip() -> Any:
    """Make a scene with the pictures on a strip, which is the active one."""
    scene: Any = bpy.data.scenes.new("Shot")
    window = bpy.context.window_manager.windows[0]
    window.scene = scene
    if hasattr(window.workspace, "sequencer_scene"):
        window.workspace.sequencer_scene = scene
    scene.render.resolution_x, scene.render.resolution_y, scene.render.fps = 480, 270, 24
    first, *others = sorted((FOLDER / "clip").glob("*.png"))
    strip = room("sequencer.compat").strips_of(scene).new_image("talk", str(first), 1, FIRST)
    for path in others:
        strip.elements.append(path.name)
    scene.sequence_editor.active_strip = strip
    return scene


def wait(is_so: Callable[[], bool]) -> None:
    """Tick as Blender's timer does, until something is so. Raises TimeoutError."""
    timer = room("session.timer")
    while not is_so():
        if time.monotonic() > END_S:
            raise TimeoutError
        time.sleep(min(timer.tick(), 0.05))


def work() -> dict[str, Any]:
    """Do it, and tell what became of it."""
    install()
    scene = lay_clip()
    scene.understudy.folder = str(FOLDER / "out")
    scene.understudy.first.character = bpy.data.images.load(str(FOLDER / "character.png"))
    scene.frame_current = FIRST + 1
    jobs, questions, take = room("session.jobs"), room("session.questions"), room("sequencer.take")
    do.understudy.preview_frame()
    wait(lambda: not questions.answers.is_asking)
    do.understudy.start_job()
    wait(lambda: bool(jobs.queue.is_idle))
    view, program = jobs.queue.views[-1], room("session.program").program()
    return {
        "python": [str(program.python), sys.executable],
        "from": [str(program.code), *map(str, program.libraries)],
        "preview": [str(questions.answers.preview), questions.answers.hint],
        "state": [str(view.state), view.message],
        "delivered": view.delivered.folder if view.delivered else "",
        "strips": [take.pass_of(strip) for strip in take.take_strips(scene, view.id)],
    }


if __name__ == "__main__":
    try:
        (FOLDER / "said.json").write_text(json.dumps(work()))
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    sys.stdout.flush()
    os._exit(0)
