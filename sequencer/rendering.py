# SPDX-License-Identifier: GPL-3.0-or-later
"""A shot's frames, rendered to PNG by a Blender of their own.

The .blend is loaded, changed until nothing but the strip is seen, rendered and forgotten: nothing is ever saved.
"""

from __future__ import annotations

import argparse
import os
import threading
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from ..backend.contract.errors import UnderstudyError
from ..backend.contract.layout import FRAME_LINE, REFUSED_LINE
from .compat import fcurves_of, remove_fcurve, set_image_format, strips_of
from .description import digest_of
from .findstrips import Found, find_strip_or_none
from .look import COVERING, TIMING, take_look_away
from .mattes import MaskFrames, describe_mask, lay_mask
from .shot import Pixels, StripMissingError, StripShot, read_shot

if TYPE_CHECKING:
    from bpy.types import MetaStrip, Scene, Strip

_NEUTRAL_RENDER: dict[str, Any] = {
    "resolution_percentage": 100,
    "use_sequencer": True,
    "use_compositing": False,
    "use_border": False,
    "use_crop_to_border": False,
    "use_multiview": False,
    "use_file_extension": True,
    "use_overwrite": True,
    "use_placeholder": False,
    "dither_intensity": 0.0,
    "frame_map_old": 100,
    "frame_map_new": 100,
}
_NEUTRAL_VIEW: dict[str, Any] = {
    "look": "None",
    "exposure": 0.0,
    "gamma": 1.0,
    "use_curve_mapping": False,
    "use_white_balance": False,
    "use_hdr_view": False,
}
_DISPLAY, _VIEW, _SPACE = "sRGB", "Standard", "sRGB"
_LETS_BELOW_SHOW = {"ADJUSTMENT", "MULTICAM"}


class ShotChangedError(UnderstudyError):
    """The strip in the file is not what it was when the job was made."""

    hint = "Start the job anew from the strip."

    def __init__(self, strip: str) -> None:
        super().__init__(f"The strip {strip}, its media, its scene or Blender has changed since the job was made.")
        self.strip = strip


class ColourConfigError(UnderstudyError):
    """Blender's colour configuration lacks what frames are written by."""

    hint = "Start Blender with its own colour configuration (without OCIO in the environment)."

    def __init__(self, name: str) -> None:
        super().__init__(f"Blender's colour configuration has no {name}, by which frames are given to the worker.")
        self.name = name


def main(words: Sequence[str]) -> int:
    """Render what the words ask for, and tell of every picture that stands; return the exit code."""
    end_with_stdin()
    asked = _parse(words)
    try:
        shot = _open(asked)
        scene = prepare(shot, asked.depth)
        _render(scene, shot, frame_ranges(asked.frames), asked.into)
    except UnderstudyError as error:
        _say(f"{REFUSED_LINE} {error}")
        return 1
    return 0


def end_with_stdin() -> None:
    """See that this process never outlives the one that holds the other end of its stdin."""

    def wait() -> None:
        try:
            while os.read(0, 1024):
                pass
        finally:
            os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def prepare(shot: StripShot, depth_bits: int) -> Scene:
    """Change the loaded scene until its render is the shot and nothing else.

    Raises StripMissingError, ColourConfigError.
    """
    scene = bpy.data.scenes[shot.scene]
    found = find_strip_or_none(scene, shot.strip)
    if found is None:
        raise StripMissingError(shot.strip)
    _stop_animation(scene, found.strip if shot.pixels is Pixels.RAW else None)
    _show_only(scene, found)
    for strip in (*found.metas, found.strip):
        if shot.pixels is Pixels.RAW:
            take_look_away(strip)
        elif strip.type not in _LETS_BELOW_SHOW and strip.blend_type not in COVERING:
            strip.blend_type = "ALPHA_OVER"  # alone, there is nothing that it could multiply or be added to
    if shot.pixels is Pixels.RAW:
        _set(scene.sequencer_colorspace_settings, "name", _SPACE)
    scene.render.resolution_x, scene.render.resolution_y = shot.width_px, shot.height_px
    _set_output(scene, depth_bits)
    return scene


def frame_ranges(text: str) -> list[range]:
    """Read `0-23,40` as ranges."""
    ends = [part.partition("-") for part in text.split(",")]
    return [range(int(first), int(last or first) + 1) for first, _, last in ends]


def _parse(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="render_shot")
    for name in ("--blend", "--scene", "--strip", "--stamp", "--digest", "--frames"):
        parser.add_argument(name, required=True)
    for name in ("--first", "--last", "--depth"):
        parser.add_argument(name, required=True, type=int)
    parser.add_argument("--mask", default="")
    for name in ("--width", "--height"):
        parser.add_argument(name, type=int, default=0)
    parser.add_argument("--pixels", required=True, type=Pixels)
    parser.add_argument("--into", required=True, type=Path)
    parser.add_argument("--scripts", action="store_true")
    return parser.parse_args(words)


def _open(asked: argparse.Namespace) -> StripShot:
    """Load the .blend and read the shot again. Raises ShotChangedError, and what `read_shot` and `lay_mask` raise."""
    bpy.ops.wm.open_mainfile(filepath=asked.blend, load_ui=False, use_scripts=asked.scripts)
    if asked.mask:
        return lay_mask(_checked(_mask(asked), asked.digest))
    scene = bpy.data.scenes.get(asked.scene)
    found = find_strip_or_none(scene, asked.strip) if scene else None
    if scene is None or found is None:
        raise StripMissingError(asked.strip)
    shot = read_shot(scene, found.strip, asked.pixels, asked.first, asked.last, asked.stamp)
    return _checked(shot, asked.digest)


def _mask(asked: argparse.Namespace) -> StripShot:
    frames = MaskFrames(asked.width, asked.height, asked.first, asked.last)
    return describe_mask(asked.mask, frames, "", asked.stamp)


def _checked(shot: StripShot, digest: str) -> StripShot:
    if digest_of(shot.description) != digest:
        raise ShotChangedError(shot.strip)
    return shot


def _render(scene: Scene, shot: StripShot, wanted: Iterable[range], into: Path) -> None:
    """Render frames of the shot, counted from 0, and say so when each stands.

    One at a time: Blender's animations never begin before frame 0, but strips do. A still of a scene that is in no
    window is black, and in 4.5 the first of one that was not evaluated yet lacks its animation.
    """
    for window in bpy.data.window_managers[0].windows:
        window.scene = scene
    for layer in scene.view_layers:
        layer.update()
    for index in chain(*wanted):
        path = into / f"frame_{index:06d}.png"
        scene.frame_set(shot.first + index)
        scene.render.filepath = str(path)
        bpy.ops.render.render(write_still=True, scene=scene.name)
        _say(f"{FRAME_LINE} {index} {path}")


def _stop_animation(scene: Scene, raw: Strip | None) -> None:
    """Let nothing move but strips, or of a strip whose raw frames are wanted its timing: what is keyed wins."""
    kept = tuple(f"{raw.path_from_id()}.{name}" for name in TIMING) if raw else ("sequence_editor.",)
    for curve in list(fcurves_of(scene)):
        if not curve.data_path.startswith(kept):
            remove_fcurve(scene, curve)
    data = scene.animation_data
    if data is None:
        return
    for driver in list(data.drivers):
        if not driver.data_path.startswith(kept):
            data.drivers.remove(driver)
    for track in list(data.nla_tracks) if raw else ():
        data.nla_tracks.remove(track)


def _show_only(scene: Scene, found: Found) -> None:
    """Mute everything beside the strip and its metas, except what an adjustment is made of."""
    owners: tuple[Scene | MetaStrip, ...] = (scene, *found.metas)
    for owner, shown in zip(owners, (*found.metas, found.strip), strict=True):
        below = shown.channel if shown.type in _LETS_BELOW_SHOW else 0
        for strip in strips_of(owner):
            if strip.channel >= below:
                strip.mute = True
        shown.mute = False
        holder: Any = scene.sequence_editor if owner is scene else owner
        holder.channels[shown.channel].mute = False


def _set_output(scene: Scene, depth_bits: int) -> None:
    for name, value in _NEUTRAL_RENDER.items():
        _set(scene.render, name, value)
    for name in [each.identifier for each in scene.render.bl_rna.properties]:
        if name.startswith("use_stamp"):  # on the picture, and in the file: when and on what it was rendered
            _set(scene.render, name, False)
    _set(scene.display_settings, "display_device", _DISPLAY)
    _set(scene.view_settings, "view_transform", _VIEW)
    for name, value in _NEUTRAL_VIEW.items():
        _set(scene.view_settings, name, value)
    set_image_format(scene.render.image_settings, "PNG")
    picture = scene.render.image_settings
    picture.color_mode, picture.compression, picture.color_management = "RGB", 0, "FOLLOW_SCENE"
    picture.color_depth = "16" if depth_bits > 8 else "8"


def _set(settings: Any, name: str, value: Any) -> None:
    """Set what this Blender has. Raises ColourConfigError where a colour space or view is not there."""
    try:
        if hasattr(settings, name):
            setattr(settings, name, value)
    except TypeError as error:
        raise ColourConfigError(str(value)) from error


def _say(line: str) -> None:
    """Write a line of its own in one go: Blender's words on the same pipe may stop in the middle of one of theirs."""
    os.write(1, f"\n{line}\n".encode())
