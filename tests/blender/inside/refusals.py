# SPDX-License-Identifier: GPL-3.0-or-later
"""What `read_shot` says of strips that are no shot, and what is noticed of a strip that has changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from understudy.backend.contract.errors import UnderstudyError
from understudy.sequencer.shot import Pixels, default_pixels, fps_of, read_shot, save_copy

from tests.blender.inside.stage import FOLDER, Scene, Strip, add_images, add_movie, key, new_scene, run, strips_of

STILLS = sorted((FOLDER / "stills").glob("*.png"))


def said_of(
    scene: Scene, strip: Strip | None, pixels: Pixels = Pixels.RAW, first: int | None = None, last: int | None = None
) -> str:
    """Return the advice that refuses a shot, or nothing."""
    try:
        read_shot(scene, strip, pixels, first, last)
    except UnderstudyError as error:
        return error.advice
    return ""


def refusals() -> dict[str, str]:
    """Read what can't be read."""
    scene = new_scene("refusals")
    movie = add_movie(scene, FOLDER / "dance.mov")
    meta = strips_of(scene).new_meta("meta", 4, 1)
    said = {
        "nothing": said_of(scene, None),
        "raw_meta": said_of(scene, meta),
        "frames": said_of(scene, movie, Pixels.RAW, 5, 12),
    }
    if bpy.app.version >= (4, 4, 0):  # the module of 4.2 was built without sound
        sound = strips_of(scene).new_sound("hum", str(FOLDER / "hum.wav"), 3, 1)
        said["sound"] = said_of(scene, sound, default_pixels(sound))
    movie.filepath = str(FOLDER / "gone.mov")
    said["missing"] = said_of(scene, movie)
    add_movie(meta, FOLDER / "dance.mov", start=1).filepath = str(FOLDER / "gone.mov")
    said["missing_inside"] = said_of(scene, meta, Pixels.CANVAS)
    images = add_images(scene, STILLS, channel=5)
    images.elements[7].filename = "still.9999.png"
    said["missing_picture"] = said_of(scene, images)
    return said


def description_changes() -> dict[str, bool]:
    """Say which changes of a strip change the description of its raw frames, and of the canvas."""
    scene = new_scene("changes")
    strip = add_images(scene, STILLS)
    changes: dict[str, Any] = {
        "name": lambda: setattr(strip, "name", "renamed"),
        "channel": lambda: setattr(strip, "channel", 7),
        "select": lambda: setattr(strip, "select", True),
        "scale": lambda: setattr(strip.transform, "scale_x", 2),
        "key": lambda: key(strip, "crop.min_x", {11: 1, 20: 9}),
        "scrub": lambda: scene.frame_set(15),
        "modifier": lambda: strip.modifiers.new("bright", "BRIGHT_CONTRAST"),
        "resolution": lambda: setattr(scene.render, "resolution_x", 99),
        "reverse": lambda: setattr(strip, "use_reverse_frames", True),
        "alpha": lambda: setattr(strip, "alpha_mode", "PREMUL"),
        "space": lambda: setattr(strip.colorspace_settings, "name", "Non-Color"),
        "fps": lambda: setattr(scene.render, "fps", 25),
        "file": lambda: Path(STILLS[3]).write_bytes(STILLS[4].read_bytes()),
    }
    said: dict[str, bool] = {}
    for name, change in changes.items():
        before = [read_shot(scene, strip, pixels, stamp="1").description for pixels in Pixels]
        change()
        after = [read_shot(scene, strip, pixels, stamp="1").description for pixels in Pixels]
        said |= {f"{name} {pixels}": a != b for pixels, a, b in zip(Pixels, before, after, strict=True)}
    return said


def inner_changes() -> dict[str, bool]:
    """Say which changes inside a meta change the description of what the canvas shows of it."""
    scene = new_scene("inside")
    meta = strips_of(scene).new_meta("meta", 4, 1)
    words: dict[str, int] = {"length": 9} if bpy.app.version >= (5, 0, 0) else {"frame_end": 10}
    colour = strips_of(meta).new_effect(name="colour", type="COLOR", channel=1, frame_start=1, **words)
    text = strips_of(meta).new_effect(name="text", type="TEXT", channel=2, frame_start=1, **words)
    changes: dict[str, Any] = {
        "name": lambda: setattr(text, "name", "renamed"),
        "colour": lambda: setattr(colour, "color", (1, 0, 0)),
        "text": lambda: setattr(text, "text", "another"),
        "mute": lambda: setattr(text, "mute", True),
        "channel": lambda: setattr(meta.channels[1], "mute", True),
        "fade": lambda: key(colour, "blend_alpha", {1: 0.0, 5: 1.0}),
    }
    said = {}
    for name, change in changes.items():
        before = read_shot(scene, meta, Pixels.CANVAS, stamp="1").description
        change()
        said[name] = read_shot(scene, meta, Pixels.CANVAS, stamp="1").description != before
    return said


def rates() -> list[str]:
    """Write the rates of scenes."""
    scene = new_scene("rates")
    found = []
    for fps, base in ((24, 1.0), (24, 1.001), (30, 1.001), (25, 1.0), (60, 2.0)):
        scene.render.fps, scene.render.fps_base = fps, base
        found.append(fps_of(scene))
    return found


def copies() -> dict[str, str]:
    """Save a copy of a file that was never saved, then of one that was just opened, which stays the artist's file."""
    path = FOLDER / "own.blend"
    unsaved = save_copy(FOLDER / "copy.blend").name
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.open_mainfile(filepath=str(path))
    opened = save_copy(FOLDER / "copy.blend").name
    return {"unsaved": unsaved, "opened": opened, "stays": Path(bpy.data.filepath).name}


def work() -> dict[str, Any]:
    """Do all of it."""
    return {
        "refusals": refusals(),
        "changes": description_changes(),
        "inside": inner_changes(),
        "rates": rates(),
        "copies": copies(),
    }


run(work)
