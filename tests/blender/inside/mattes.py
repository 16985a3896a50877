# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what a strip is matted by: masks whose coverage is known, and strips. FOLDER holds `dance.mov`, 64 x 48, and
`stills/`, as in `shots.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
from understudy.backend.contract.errors import UnderstudyError
from understudy.sequencer.mattes import read_mask, read_matte_strip
from understudy.sequencer.shot import Pixels, StripShot, read_shot, render_command, save_copy

from tests.blender.inside.stage import FOLDER, Scene, add_images, add_movie, new_scene, run, strips_of

STILLS = sorted((FOLDER / "stills").glob("*.png"))
SEEN_FROM = 15
"""Scene frame from which the second mask is seen."""


def rectangle(name: str, left: float, bottom: float, right: float, top: float) -> Any:
    """Make a mask of one rectangle; in parts of the picture's width, from its lower left corner, as masks are drawn."""
    mask = bpy.data.masks.new(name)
    spline = mask.layers.new(name="layer").splines.new()
    spline.points.add(3 - len(spline.points) + 1)
    spline.use_cyclic = True
    for point, place in zip(spline.points, ((left, bottom), (right, bottom), (right, top), (left, top)), strict=True):
        point.handle_left_type = point.handle_right_type = "FREE"
        point.co = point.handle_left = point.handle_right = place
    return mask


def appearing(mask: Any) -> Any:
    """Let a mask appear on a frame of the scene."""
    layer = mask.layers[0]
    for frame, alpha in ((SEEN_FROM - 1, 0.0), (SEEN_FROM, 1.0)):
        layer.alpha = alpha
        layer.keyframe_insert("alpha", frame=frame)
    return mask


def said_of(what: Callable[[], object]) -> str:
    """Return the advice that refuses it."""
    try:
        what()
    except UnderstudyError as error:
        return error.advice
    return ""


def refusals(scene: Scene, shot: StripShot) -> dict[str, str]:
    """Matte by what does not fit."""
    add_images(scene, STILLS[:5], channel=6).name = "short"
    text = strips_of(scene).new_scene("canvas", new_scene("inner"), 7, 11)
    text.name = "canvas"
    return {
        "gone": said_of(lambda: read_matte_strip(scene, "gone", shot)),
        "short": said_of(lambda: read_matte_strip(scene, "short", shot)),
        "size": said_of(lambda: read_matte_strip(scene, "canvas", shot)),
    }


def work() -> dict[str, Any]:
    """Save a .blend, and say how each matte of a movie on scene frames 11 to 22 is rendered."""
    scene = new_scene("Shot", 100, 50)
    movie = add_movie(scene, FOLDER / "dance.mov")
    movie.transform.scale_x = 2
    shot = read_shot(scene, movie, Pixels.RAW)
    stills = add_images(scene, STILLS, channel=3)
    stills.name, stills.mute = "roto", True
    stills.transform.offset_x = 9
    mattes = {
        "still": read_mask(rectangle("still", 0.25, 0.25, 0.75, 0.5), shot),
        "keyed": read_mask(appearing(rectangle("keyed", 0.0, 0.0, 1.0, 1.0)), shot),
        "strip": read_matte_strip(scene, "roto", shot),
    }
    said = {
        name: {"command": render_command(matte, FOLDER / "copy.blend"), "frame_count": matte.frame_count}
        for name, matte in mattes.items()
    }
    before = {mask.name: (mask.frame_start, mask.frame_end) for mask in bpy.data.masks}
    save_copy(FOLDER / "copy.blend")
    left = {"scenes": len(bpy.data.scenes), "masks": before}
    return {"mattes": said, "refusals": refusals(scene, shot), "left": left, "seen_from": SEEN_FROM - 11}


if __name__ == "__main__":
    run(work)
