# SPDX-License-Identifier: GPL-3.0-or-later
"""Render a take by the sequencer, in several views, and by the compositor, and the clip alone.

FOLDER holds `dance.mov`; its raw frames are rendered to `source`, and when `delivered` is there, all the rest.
"""

from __future__ import annotations

from typing import Any

import bpy
from understudy.sequencer.comp import build_comp
from understudy.sequencer.place import PlaceAs, place
from understudy.sequencer.take import Take, pass_of

from tests.blender.inside.stage import FOLDER, Scene, Strip, add_movie, key, new_scene, render, run, set_time, set_view

VIEWS = ("Standard", "AgX", "Filmic")
FIRST, LAST = 14, 19


def clip(name: str, width: int = 64, height: int = 48) -> tuple[Scene, Strip]:
    """Make a scene with frames 3 to 8 of the movie."""
    scene = new_scene(name, width, height)
    strip = add_movie(scene, FOLDER / "dance.mov")
    set_time(strip, "frame_offset_start", 3)
    set_time(strip, "frame_offset_end", 3)
    return scene, strip


def take_of(strip: Strip) -> Take:
    """Return the delivered take of such a strip."""
    return Take(
        job_id="job",
        shot="shot",
        version=1,
        folder=FOLDER / "delivered" / "shot_v001",
        passes=("character", "matte", "change_matte", "plate", "comp"),
        first_number=1001,
        frame_count=6,
        scene_first=FIRST,
        source=strip.name,
    )


def by_sequencer(view: str, how: PlaceAs) -> None:
    """Render the clip alone, then with its results."""
    scene, strip = clip(f"{view} {how}")
    set_view(scene, view)
    render(scene, FOLDER / f"alone {view}", FIRST, LAST)
    place(scene, take_of(strip), how)
    render(scene, FOLDER / f"{how} {view}", FIRST, LAST)


def dressed() -> None:
    """The same with a clip that grows, fades in over nothing, and is graded."""
    scene, strip = clip("dressed", 90, 70)
    key(strip, "transform.scale_x", {FIRST: 0.8, LAST: 1.2})
    key(strip, "blend_alpha", {FIRST: 0.2, LAST: 1.0})
    strip.modifiers.new("bright", "BRIGHT_CONTRAST").bright = 10
    strip.use_flip_x, strip.color_multiply = True, 0.9
    render(scene, FOLDER / "alone dressed", FIRST, LAST)
    made = place(scene, take_of(strip), PlaceAs.COMP)
    render(scene, FOLDER / "comp dressed", FIRST, LAST)
    for result in made:
        result.mute = pass_of(result) != "change_matte"
    render(scene, FOLDER / "change_matte dressed", FIRST, LAST)


def by_compositor() -> list[str]:
    """Render the node group with nothing else in the scene; return what it offers."""
    scene = bpy.data.scenes.new("composited")
    scene.render.resolution_x, scene.render.resolution_y = 64, 48
    set_view(scene, "Standard")
    node: Any = build_comp(scene, take_of(clip("gone")[1]))
    scene.render.use_compositing = True
    render(scene, FOLDER / "composited", FIRST, LAST)
    node.inputs["Exposure"].default_value = 1.0
    render(scene, FOLDER / "composited brighter", FIRST, LAST)
    node.inputs["Exposure"].default_value = 0.0
    if "Edge Size" in node.inputs:
        node.inputs["Edge Size"].default_value = -2
        render(scene, FOLDER / "composited thinner", FIRST, LAST)
    return [socket.name for socket in node.inputs]


def work() -> dict[str, list[str]]:
    """Render the source, or the results."""
    if not (FOLDER / "delivered").exists():
        scene, _ = clip("source")
        render(scene, FOLDER / "source", FIRST, LAST)
        return {}
    for view in VIEWS:
        by_sequencer(view, PlaceAs.COMP)
    by_sequencer("Standard", PlaceAs.LAYERS)
    dressed()
    return {"controls": by_compositor()}


run(work)
