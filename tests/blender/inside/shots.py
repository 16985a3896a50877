# SPDX-License-Identifier: GPL-3.0-or-later
"""Make strips of every kind, each in a scene of its own, render what they should look like, and read them as shots.

FOLDER holds `dance.mov` of 12 painted frames and `stills/still.0001.png` to `0012`; what is rendered goes beside.
"""

from __future__ import annotations

from typing import Any

import bpy
from understudy.sequencer.shot import Pixels, read_shot, render_command, save_copy

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

MOVIE = FOLDER / "dance.mov"
STILLS = sorted((FOLDER / "stills").glob("*.png"))


def plain(scene: Scene) -> Strip:
    """A movie of 12 frames from scene frame 11 on."""
    return add_movie(scene, MOVIE)


def trimmed(scene: Scene) -> Strip:
    """Frames 3 to 8 of the movie."""
    strip = add_movie(scene, MOVIE)
    set_time(strip, "frame_offset_start", 3)
    set_time(strip, "frame_offset_end", 3)
    return strip


def strobing(scene: Scene) -> Strip:
    """The same, every third of the movie's frames for three."""
    strip = trimmed(scene)
    strip.strobe = 3
    return strip


def reversed_(scene: Scene) -> Strip:
    """The movie backward."""
    strip = add_movie(scene, MOVIE)
    strip.use_reverse_frames = True
    return strip


def stills(scene: Scene) -> Strip:
    """Twelve pictures, the first two trimmed, the last one held."""
    strip = add_images(scene, STILLS)
    set_time(strip, "frame_final_start", 13)
    set_time(strip, "frame_final_end", 26)
    return strip


def dressed(scene: Scene) -> Strip:
    """A movie under everything that can be done to its picture, keyed and not, with others over and under it."""
    strip = trimmed(scene)
    key(strip, "transform.scale_x", {11: 0.5, 22: 2.0})
    key(strip, "blend_alpha", {11: 0.0, 22: 1.0})
    key(strip, "color_multiply", {11: 0.3, 22: 0.9})
    strip.transform.offset_x, strip.transform.rotation, strip.crop.min_x = 7, 0.2, 9
    strip.use_flip_x = strip.use_flip_y = True
    strip.color_saturation, strip.strobe, strip.blend_type = 0.2, 3, "MULTIPLY"
    strip.modifiers.new("bright", "BRIGHT_CONTRAST").bright = 40
    add_images(scene, STILLS, channel=4)
    scene.render.resolution_x = 100
    scene.view_settings.exposure = 2
    scene.view_settings.keyframe_insert("exposure", frame=11)
    scene.sequence_editor.channels[1].mute = True
    return strip


def in_meta(scene: Scene) -> Strip:
    """A trimmed movie in a meta that is scaled and cut shorter than what is in it."""
    meta = strips_of(scene).new_meta("meta", 3, 11)
    strip = trimmed(meta)
    set_time(meta, "frame_final_end", 18)
    meta.transform.scale_x = 0.5
    key(meta, "blend_alpha", {11: 0.0, 22: 1.0})
    add_images(meta, STILLS, channel=5)
    return strip


def before_zero(scene: Scene) -> Strip:
    """A movie on scene frames -5 to 6; Blender renders no animation from there."""
    return add_movie(scene, MOVIE, start=-5)


RAW: dict[str, Any] = {
    "plain": (plain, plain),
    "trimmed": (trimmed, trimmed),
    "reversed": (reversed_, reversed_),
    "stills": (stills, stills),
    "dressed": (dressed, strobing),
    "in_meta": (in_meta, trimmed),
    "before_zero": (before_zero, plain),
}
"""Name -> what the artist has, and the strip that shows what its raw frames are."""


def scaled(scene: Scene) -> Strip:
    """A movie that grows, fades in, and is turned."""
    strip = trimmed(scene)
    key(strip, "transform.scale_x", {11: 0.5, 22: 2.0})
    key(strip, "blend_alpha", {11: 0.0, 22: 1.0})
    strip.transform.rotation, strip.use_flip_x = 0.2, True
    return strip


def sped_up(scene: Scene) -> Strip:
    """A movie at double speed: 12 frames in 6."""
    words: dict[str, int] = {"length": 12} if bpy.app.version >= (5, 0, 0) else {"frame_end": 23}
    names = "input1" if bpy.app.version >= (4, 4, 0) else "seq1"
    movie = add_movie(scene, MOVIE)
    speed = strips_of(scene).new_effect(
        name="speed", type="SPEED", channel=2, frame_start=11, **words, **{names: movie}
    )
    speed.speed_control, speed.speed_factor = "MULTIPLY", 2.0
    set_time(movie, "frame_final_end", 17)
    return speed


def meta(scene: Scene) -> Strip:
    """Two strips in a meta, the upper one half there."""
    made = strips_of(scene).new_meta("meta", 3, 11)
    add_movie(made, MOVIE)
    add_images(made, STILLS, channel=2).blend_alpha = 0.5
    set_time(made, "frame_final_end", 20)
    made.transform.offset_x = 5
    return made


def other_scene(scene: Scene) -> Strip:
    """Another scene's strips."""
    inner = new_scene("inner")
    add_movie(inner, MOVIE, start=1).transform.scale_y = 0.7
    inner.frame_start, inner.frame_end = 1, 12
    strip = strips_of(scene).new_scene("other", inner, 1, 11)
    strip.scene_input = "SEQUENCER"
    return strip


def adjusted(scene: Scene) -> Strip:
    """An adjustment layer over half of a movie in a masked picture's place."""
    add_movie(scene, MOVIE).transform.offset_x = 9
    over = add_images(scene, STILLS, channel=2)
    mask = add_images(scene, STILLS[3:], channel=5)
    mask.mute = True
    modifier = over.modifiers.new("mask", "MASK")
    modifier.input_mask_strip = mask
    words: dict[str, int] = {"length": 9} if bpy.app.version >= (5, 0, 0) else {"frame_end": 20}
    layer = strips_of(scene).new_effect(name="layer", type="ADJUSTMENT", channel=3, frame_start=11, **words)
    layer.modifiers.new("bright", "BRIGHT_CONTRAST").bright = 30
    return layer


def opaque(scene: Scene) -> Strip:
    """A fade that a driver makes, which no description can follow."""
    strip = add_movie(scene, MOVIE)
    strip.driver_add("blend_alpha").driver.expression = "0.25 + frame / 100"
    return strip


CANVAS: dict[str, Any] = {
    "scaled": scaled,
    "sped_up": sped_up,
    "meta": meta,
    "other_scene": other_scene,
    "adjusted": adjusted,
    "opaque": opaque,
}


def render_truth(name: str, scene: Scene, strip: Strip, frame_count: int) -> None:
    """Render the first frames of the one strip that is seen in a scene."""
    first = strip.left_handle if bpy.app.version >= (5, 1, 0) else strip.frame_final_start
    render(scene, FOLDER / "truth" / name, first, first + frame_count - 1)


def told(scene: Scene, strip: Strip, pixels: Pixels) -> dict[str, Any]:
    """Tell how a shot is rendered."""
    shot = read_shot(scene, strip, pixels)
    again = read_shot(scene, strip, pixels, stamp=shot.stamp)
    return {
        "command": render_command(shot, FOLDER / "copy.blend"),
        "frame_count": shot.frame_count,
        "size": [shot.width_px, shot.height_px],
        "again": again.description == shot.description,
        "fps": shot.fps,
    }


def work() -> dict[str, Any]:
    """Render the truth, save the .blend, and say how each shot is rendered."""
    said = {}
    for name, (make, truth) in RAW.items():
        scene = new_scene(name, 100, 50)
        said[name] = told(scene, make(scene), Pixels.RAW)
        true_scene = new_scene(f"{name} truth")
        render_truth(name, true_scene, truth(true_scene), said[name]["frame_count"])
    for name, make in CANVAS.items():
        scene = new_scene(name, 80, 60)
        strip = make(scene)
        said[name] = told(scene, strip, Pixels.CANVAS)
        render_truth(name, scene, strip, said[name]["frame_count"])
    assert save_copy(FOLDER / "copy.blend") == FOLDER / "copy.blend"
    assert bpy.data.filepath == ""
    return said


run(work)
