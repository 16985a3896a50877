# SPDX-License-Identifier: GPL-3.0-or-later
"""What the scripts that run inside Blender share. Each is given a folder."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

WIDTH, HEIGHT = 64, 48
FOLDER = Path(sys.argv[1])
Strip = Any
Scene = Any
_END_S = time.monotonic() + float(os.environ["UNDERSTUDY_PATIENCE_S"])
"""When this script, with all that it waits for, should have ended."""
_LOOK_EVERY_S = 0.05


def new_scene(name: str, width: int = WIDTH, height: int = HEIGHT) -> Scene:
    """Make a scene of 24 fps that the sequencer shows."""
    scene = bpy.data.scenes.new(name)
    scene.sequence_editor_create()
    scene.render.resolution_x, scene.render.resolution_y = width, height
    scene.render.fps = 24
    set_view(scene, "Standard")
    workspace = bpy.context.window.workspace
    if hasattr(workspace, "sequencer_scene"):
        workspace.sequencer_scene = scene
    return scene


def set_view(scene: Scene, view: str) -> None:
    """Choose how the scene is seen."""
    scene.display_settings.display_device = "sRGB"
    scene.view_settings.view_transform = view


def strips_of(owner: Any) -> Any:
    """Return the strips of a scene or a meta."""
    holder = getattr(owner, "sequence_editor", owner)
    return holder.strips if hasattr(holder, "strips") else holder.sequences


def add_movie(owner: Any, path: Path, channel: int = 1, start: int = 11) -> Strip:
    """Add a movie, one of its frames each of the scene's."""
    return strips_of(owner).new_movie(path.stem, str(path), channel, start)


def add_images(owner: Any, paths: list[Path], channel: int = 1, start: int = 11) -> Strip:
    """Add pictures of one folder."""
    strip = strips_of(owner).new_image(paths[0].parent.name, str(paths[0]), channel, start)
    for path in paths[1:]:
        strip.elements.append(path.name)
    return strip


def set_time(strip: Strip, name: str, value: int) -> None:
    """Set one of a strip's times by its name of 4.x."""
    new = {
        "frame_final_start": "left_handle",
        "frame_final_end": "right_handle",
        "frame_offset_start": "left_handle_offset",
        "frame_offset_end": "right_handle_offset",
    }
    setattr(strip, new[name] if bpy.app.version >= (5, 1, 0) else name, value)


def key(strip: Strip, name: str, values: dict[int, float]) -> None:
    """Key a property of a strip, or of a part of it."""
    owner, _, last = f"{name}".rpartition(".")
    record = getattr(strip, owner) if owner else strip
    for frame, value in values.items():
        setattr(record, last, value)
        record.keyframe_insert(last, frame=frame)


def render(scene: Scene, into: Path, first: int, last: int, depth: str = "8") -> None:
    """Render frames as the artist would, to PNG files numbered from 1."""
    settings = scene.render
    settings.use_sequencer, settings.dither_intensity, settings.resolution_percentage = True, 0, 100
    picture = settings.image_settings
    if hasattr(picture, "media_type"):
        picture.media_type = "IMAGE"
    picture.file_format, picture.color_mode, picture.color_depth = "PNG", "RGB", depth
    scene.frame_start, scene.frame_end = first, last
    settings.filepath = str(into / "frame_")
    bpy.ops.render.render(animation=True, scene=scene.name)


def wait_until(is_so: Callable[[], bool], tick: Callable[[], float] = lambda: _LOOK_EVERY_S) -> None:
    """Tick as Blender's timer does, until something is so. Raises TimeoutError."""
    while not is_so():
        if time.monotonic() > _END_S:
            raise TimeoutError
        time.sleep(min(tick(), _LOOK_EVERY_S))


def run(work: Callable[[], Any]) -> None:
    """Do the work, write what it returns to `said.json`, and end: Blender's own end now and then never comes."""
    try:
        (FOLDER / "said.json").write_text(json.dumps(work()))
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    sys.stdout.flush()
    os._exit(0)
