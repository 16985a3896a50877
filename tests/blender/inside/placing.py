# SPDX-License-Identifier: GPL-3.0-or-later
"""Place takes over strips that were renamed, moved, cut and deleted, swap their versions, and render them.

FOLDER holds `dance.mov`, and `delivered/shot_v001` and `shot_v002`: see `delivery.py`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
from understudy.backend.contract.errors import UnderstudyError
from understudy.sequencer.place import PlaceAs, place, swap_version
from understudy.sequencer.rna import plain, properties
from understudy.sequencer.shot import Pixels
from understudy.sequencer.take import Take, find_scene_or_none, pass_of, source_id, take_strips, version_of

from tests.blender.inside.stage import (
    FOLDER,
    Scene,
    Strip,
    add_images,
    add_movie,
    key,
    new_scene,
    render,
    run,
    set_time,
    strips_of,
)

PASSES = ("character", "matte", "performer_matte", "change_matte", "plate", "comp", "control")


def trimmed(scene: Scene) -> Strip:
    """Frames 3 to 8 of the movie, on scene frames 14 to 19."""
    strip = add_movie(scene, FOLDER / "dance.mov")
    set_time(strip, "frame_offset_start", 3)
    set_time(strip, "frame_offset_end", 3)
    return strip


def take_of(strip: Strip, version: int = 1) -> Take:
    """Return a take of such a strip."""
    return Take(
        job_id="job",
        shot="shot",
        version=version,
        folder=FOLDER / "delivered" / f"shot_v{version:03d}",
        passes=PASSES,
        first_number=1001,
        frame_count=6,
        scene_first=14,
        source=strip.name,
        source_id=source_id(strip),
        source_start=11,
    )


def told(strips: list[Strip]) -> list[list[Any]]:
    """Tell of strips what an artist sees: name, channel, frames, whether muted, colour."""
    names = (
        ("left_handle", "right_handle") if bpy.app.version >= (5, 1, 0) else ("frame_final_start", "frame_final_end")
    )
    return [[s.name, s.channel, *(getattr(s, name) for name in names), s.mute, s.color_tag] for s in strips]


def by_pass(strips: list[Strip]) -> dict[str, Strip]:
    """Return strips by their passes."""
    return {pass_of(strip): strip for strip in strips}


def placed() -> dict[str, Any]:
    """Place both ways, with something in the way."""
    scene = new_scene("placed")
    strip = trimmed(scene)
    add_movie(scene, FOLDER / "dance.mov", channel=4)
    scene.sequence_editor.channels[6].mute = True
    take = take_of(strip)
    comp = told(place(scene, take, PlaceAs.COMP))
    found = take_strips(scene, "job")
    layers = told(place(scene, take, PlaceAs.LAYERS))
    single = told(place(scene, replace(take, frame_count=1, passes=("matte", "comp")), PlaceAs.COMP))
    return {
        "comp": comp,
        "found": [s.name for s in found],
        "layers": layers,
        "single": single,
        "source_muted": strip.mute,
        "files": [[[e.filename for e in s.elements], s.directory] for s in found],  # type: ignore[attr-defined]
    }


def locked() -> list[list[Any]]:
    """Place where the channel above the strip is locked, on which Blender splits nothing."""
    scene = new_scene("locked")
    strip = trimmed(scene)
    scene.sequence_editor.channels[2].lock = True
    return told(place(scene, take_of(strip), PlaceAs.COMP))


def unread() -> dict[str, Any]:
    """Place, and compare a strip with one that Blender makes by reading its first picture; then let it be shown."""
    scene = new_scene("unread")
    strips = place(scene, take_of(trimmed(scene)), PlaceAs.COMP)
    pictures: list[Any] = list(strips)
    comp, firsts = pictures[-1], [made.elements[0] for made in pictures]  # of others Blender's own sizes are chance
    said: dict[str, Any] = {"read": [first.filename for first in firsts if first.orig_width > 0]}
    usual = add_images(scene, sorted((FOLDER / "delivered/shot_v001/comp").glob("*.png")), channel=30, start=14)
    said["differs"] = [
        prop.identifier
        for prop in properties(usual)
        if prop.type not in {"POINTER", "COLLECTION"} and plain(usual, prop.identifier) != plain(comp, prop.identifier)
    ]
    for part in ("transform", "crop", "colorspace_settings"):
        one, other = getattr(usual, part), getattr(comp, part)
        said["differs"] += [
            p.identifier for p in properties(one) if plain(one, p.identifier) != plain(other, p.identifier)
        ]
    strips_of(scene).remove(usual)
    render(scene, FOLDER / "unread", 14, 14)
    said["size"] = [comp.elements[0].orig_width, comp.elements[0].orig_height]
    return said


def dressed() -> dict[str, Any]:
    """Place over a strip that is transformed, faded and graded, with keys and a modifier."""
    scene = new_scene("dressed")
    strip = trimmed(scene)
    key(strip, "transform.scale_x", {11: 0.5, 22: 2.0})
    key(strip, "blend_alpha", {11: 0.0, 22: 1.0})
    strip.crop.min_x, strip.use_flip_x, strip.color_multiply = 9, True, 0.5
    strip.modifiers.new("bright", "BRIGHT_CONTRAST").bright = 40
    curves = strip.modifiers.new("curves", "CURVES").curve_mapping
    curves.curves[3].points.new(0.25, 0.5)
    curves.update()
    strips = by_pass(place(scene, take_of(strip), PlaceAs.COMP))
    scene.frame_set(16)
    said: dict[str, Any] = {"source_muted": strip.mute}
    for name in ("comp", "matte"):
        made = strips[name]
        graded = [m.curve_mapping.curves[3].points for m in made.modifiers if m.type == "CURVES"]
        alike = [made.transform.scale_x == strip.transform.scale_x, made.blend_alpha == strip.blend_alpha]
        said[name] = [
            alike,
            made.crop.min_x,
            made.use_flip_x,
            made.color_multiply,
            len(made.modifiers),
            *map(locations, graded),
        ]
    said["source_points"] = locations(curves.curves[3].points)
    return said


def faded() -> list[bool]:
    """Place over a half faded strip: a part of it, then all; tell each time whether the strip is muted."""
    scene = new_scene("faded")
    strip = trimmed(scene)
    strip.blend_alpha = 0.5
    said = []
    for take in (replace(take_of(strip), frame_count=5), take_of(strip)):
        place(scene, take, PlaceAs.COMP)
        said.append(bool(strip.mute))
    return said


def locations(points: Any) -> list[list[float]]:
    """Tell where the points of a curve are."""
    return [list(point.location) for point in points]


def meanwhile() -> dict[str, Any]:
    """Place after the source was renamed, moved, cut, deleted, put in a meta; its scene renamed."""
    said = {}
    for name in ("renamed", "moved", "cut", "deleted", "in_meta", "canvas_in_meta", "scene_renamed"):
        scene = new_scene(name)
        strip = trimmed(scene)
        take = take_of(strip)
        strip.name = "another name"
        if name == "moved":
            set_start(strip, 21)
        if name == "cut":
            strip.split(frame=16, split_method="SOFT")
        if name == "deleted":
            strips_of(scene).remove(strip)
            add_movie(scene, FOLDER / "dance.mov", channel=3)
        if name.endswith("in_meta"):
            meta = strips_of(scene).new_meta("meta", 2, 11)
            strip.move_to_meta(meta)
        if name == "scene_renamed":
            scene.name = "another scene"
            trimmed(new_scene("a copy's name")).name = take.source
            assert find_scene_or_none(take, name) == scene
        pixels = Pixels.CANVAS if name.startswith("canvas") else Pixels.RAW
        strips = place(scene, replace(take, pixels=pixels), PlaceAs.COMP)
        said[name] = [told(strips)[-1], [s.name for s in strips_of(scene)].count("shot_v001 comp")]
    return said


def set_start(strip: Strip, frame: int) -> None:
    """Move a strip."""
    setattr(strip, "content_start" if bpy.app.version >= (5, 1, 0) else "frame_start", frame)


def swapped() -> dict[str, Any]:
    """Cut, rename, move and trim results, then swap versions; then try versions that can't be."""
    scene = new_scene("swapped")
    take = take_of(trimmed(scene))
    strips = by_pass(place(scene, take, PlaceAs.COMP))
    half: Strip = strips["comp"].split(frame=16, split_method="SOFT")
    strips["matte"].name = "my matte"
    set_start(strips["plate"], 40)
    strips_of(scene).remove(strips["control"])
    swap_version(take_strips(scene, "job"), replace(take, version=2, folder=FOLDER / "delivered/shot_v002"))
    found = take_strips(scene, "job")
    said: dict[str, Any] = {
        "names": sorted(strip.name for strip in found),
        "versions": sorted({version_of(strip) for strip in found}),
        "files": sorted(bpy.path.abspath(half.directory) + element.filename for element in half.elements),
    }
    for name, other in {
        "shorter": replace(take, frame_count=5),
        "gone": replace(take, version=3, folder=FOLDER / "delivered/shot_v003"),
        "without": replace(take, passes=("comp",)),
    }.items():
        try:
            swap_version(found, other)
        except UnderstudyError as error:
            said[name] = error.advice
    said["versions_after"] = sorted({version_of(strip) for strip in found})
    return said


def full() -> str:
    """Place where too few channels are left."""
    scene = new_scene("full")
    strip = trimmed(scene)
    strip.channel = 123
    try:
        place(scene, take_of(strip), PlaceAs.COMP)
    except UnderstudyError as error:
        return error.advice
    return ""


def saved_elsewhere() -> list[bool]:
    """Place in a saved file, swap, save it elsewhere, and say whether the strips' files are found, each time."""
    scene = new_scene("saved")
    take = take_of(trimmed(scene))
    (FOLDER / "deep/er").mkdir(parents=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(FOLDER / "saved.blend"))
    strips: list[Any] = place(scene, take, PlaceAs.COMP)
    is_relative = all(strip.directory.startswith("//") for strip in strips)
    swap_version(strips, replace(take, version=2, folder=FOLDER / "delivered/shot_v002"))
    bpy.ops.wm.save_as_mainfile(filepath=str(FOLDER / "deep/er/saved.blend"), relative_remap=True)
    bpy.ops.wm.open_mainfile(filepath=str(FOLDER / "deep/er/saved.blend"))
    found: list[Strip] = take_strips(bpy.data.scenes["saved"], "job")
    paths = [Path(bpy.path.abspath(s.directory), e.filename) for s in found for e in s.elements]
    return [is_relative, len(paths) == 42, all(path.is_file() for path in paths)]


def undone() -> list[int]:
    """Place as one step, undo it, redo it: how many strips of the job there are each time."""
    bpy.ops.wm.read_homefile(use_empty=True)
    scene = new_scene("undone")
    take = take_of(trimmed(scene))
    bpy.ops.ed.undo_push(message="before")
    place(scene, take, PlaceAs.COMP)
    bpy.ops.ed.undo_push(message="place")
    counts = [len(take_strips(bpy.data.scenes["undone"], "job"))]
    for step in (bpy.ops.ed.undo, bpy.ops.ed.redo):
        with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
            step()
        counts.append(len(take_strips(bpy.data.scenes["undone"], "job")))
    return counts


def numbered() -> list[str]:
    """Place a take whose files are numbered from 7 on; name those of its comp."""
    scene = new_scene("numbered")
    take = replace(take_of(trimmed(scene), 3), first_number=7)
    pictures: Any = by_pass(place(scene, take, PlaceAs.COMP))["comp"]
    return [element.filename for element in pictures.elements]


def blended() -> dict[str, list[Any]]:
    """Place results of a strip that is multiplied at half its strength, of its own pixels and of the canvas's."""
    said = {}
    for pixels in (Pixels.RAW, Pixels.CANVAS):
        scene = new_scene(f"blended {pixels.value}")
        strip = trimmed(scene)
        strip.blend_type, strip.blend_alpha = "MULTIPLY", 0.5
        made = by_pass(place(scene, replace(take_of(strip), pixels=pixels), PlaceAs.COMP))
        said[pixels.value] = [[made[name].blend_type, made[name].blend_alpha] for name in ("comp", "plate", "matte")]
    return said


def work() -> dict[str, Any]:
    """Do all of it."""
    kinds = (placed, locked, unread, dressed, faded, meanwhile, swapped, full, saved_elsewhere, undone, numbered)
    return {kind.__name__: kind() for kind in (*kinds, blended)}


run(work)
