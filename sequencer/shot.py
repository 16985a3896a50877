# SPDX-License-Identifier: GPL-3.0-or-later
"""A strip read as a shot: its frames, their size and rate, and how Blender renders them in the background."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ..backend.contract.errors import FileMissingError, UnderstudyError
from ..backend.contract.job import Rendering
from .compat import content_start, end_frame, first_frame
from .description import describe_strip, digest_of
from .findstrips import Found, find_strip_or_none
from .media import Size, media_size_or_none

if TYPE_CHECKING:
    from bpy.types import Scene, Strip

OWN_PIXELS = {"MOVIE", "IMAGE"}
"""Kinds of strips that have a size before the canvas gives them one."""
_SCRIPT = Path(__file__).with_name("render_shot.py")


class Pixels(StrEnum):
    """Which pixels of a strip are meant."""

    RAW = "raw"
    """Its own, at the media's size, before transform, crop, fades, colours and modifiers."""
    CANVAS = "canvas"
    """What the canvas shows of the strip alone, at the scene's size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StripShot:
    """A strip as a shot.

    first, last: scene frames, inclusive. content_first: the first, counted from the strip's `content_start`, so that it
    stays the same when the strip is moved or trimmed. fps: a rational. stamp: see `description.py`. scripts: whether
    the .blend's own scripts run while it is rendered, as they do in the artist's session. mask: see `mattes.py`; scene
    and strip are then made where it is rendered.
    """

    scene: str
    strip: str
    pixels: Pixels
    width_px: int
    height_px: int
    fps: str
    first: int
    last: int
    description: str
    content_first: int = 0
    stamp: str = ""
    scripts: bool = False
    mask: str = ""

    @property
    def frame_count(self) -> int:
        """Say how many frames the shot has."""
        return self.last - self.first + 1

    @property
    def content_last(self) -> int:
        """Say which the last frame is, counted as `content_first`."""
        return self.content_first + self.frame_count - 1


class StripMissingError(UnderstudyError):
    """No strip is selected, or it is gone."""

    hint = "Select a movie, image, scene, meta or effect strip in the Video Sequencer."

    def __init__(self, name: str = "") -> None:
        super().__init__(f"The strip {name} is not in the scene any more." if name else "No strip is selected.")
        self.name = name


class StripWithoutPictureError(UnderstudyError):
    """The strip is sound, or has no pixels of its own though they are asked for."""

    hint = "Select a strip that shows a picture, or take what the canvas shows."

    def __init__(self, name: str, lacks: str) -> None:
        super().__init__(f"The strip {name} has {lacks}.")
        self.name = name


class StripFramesError(UnderstudyError):
    """The strip shows no frame of those that are asked for."""

    hint = "Choose frames that the strip shows on the timeline."

    def __init__(self, name: str, first: int, last: int, shown: range) -> None:
        shows = f"shows {shown[0]} to {shown[-1]}" if shown else "shows none"
        super().__init__(f"The strip {name} has no frames {first} to {last}: it {shows}.")
        self.name, self.first, self.last = name, first, last


class CopyNotSavedError(UnderstudyError):
    """Blender could not write the copy of the file from which frames are rendered."""

    hint = "Free some space, or choose another output folder, then try again."

    def __init__(self, path: Path, said: str) -> None:
        super().__init__(f"A copy of the .blend could not be saved as {path}: {said}")
        self.path = path


def default_pixels(strip: Strip) -> Pixels:
    """Say which pixels an artist will mean: its own of a movie or pictures, the canvas of anything else."""
    return Pixels.RAW if strip.type in OWN_PIXELS else Pixels.CANVAS


def read_shot(
    scene: Scene,
    strip: Strip | None,
    pixels: Pixels,
    first: int | None = None,
    last: int | None = None,
    stamp: str = "",
) -> StripShot:
    """Read a strip, or some of its frames, as a shot. Without a stamp it gets a new one, if it needs one.

    Raises StripMissingError, StripWithoutPictureError, StripFramesError, FileMissingError.
    """
    found = _find(scene, strip)
    _refuse_pictureless(found.strip, pixels)
    wanted = _wanted(found, first, last)
    stamp = stamp or str(time.time_ns())
    description = describe_strip(scene, found, is_raw=pixels is Pixels.RAW, frames=wanted, stamp=stamp)
    if description.missing:  # Blender would show black for it and say nothing
        raise FileMissingError(description.missing[0], f"strip {found.strip.name}'s file")
    size = _size(scene, found.strip, pixels)
    return StripShot(
        scene=scene.name,
        strip=found.strip.name,
        pixels=pixels,
        width_px=size.width_px,
        height_px=size.height_px,
        fps=fps_of(scene),
        first=wanted[0],
        last=wanted[-1],
        content_first=wanted[0] - content_start(found.strip),
        description=description.text,
        stamp=stamp,
        scripts=not bpy.app.autoexec_fail,
    )


def frames_shown(found: Found) -> range:
    """Return the scene frames that a strip shows: those of it that the metas round it let through."""
    strips = (*found.metas, found.strip)
    return range(max(map(first_frame, strips)), min(map(end_frame, strips)))


def fps_of(scene: Scene) -> str:
    """Write the scene's rate as a rational. Blender's base is a float32: 1.001 is meant by 1.0010000467."""
    return str(scene.render.fps / Fraction(f"{scene.render.fps_base:.6g}"))


def render_command(shot: StripShot, blend: Path) -> tuple[str, ...]:
    """Return what starts Blender in the background to render a shot from a .blend; what frames, the worker adds.

    The artist's own extensions and start-up file are left out: quick, and nobody there starts a job of their own.
    """
    words = {
        "--blend": str(blend),
        "--scene": shot.scene,
        "--strip": shot.strip,
        "--pixels": shot.pixels.value,
        "--first": str(shot.first),
        "--last": str(shot.last),
        "--stamp": shot.stamp,
        "--digest": digest_of(shot.description),
    }
    if shot.mask:
        words |= {"--mask": shot.mask, "--width": str(shot.width_px), "--height": str(shot.height_px)}
    flags = ["--scripts"] if shot.scripts else []
    return (*render_program(), "--", *(f"{name}={word}" for name, word in words.items()), *flags)


def rendering_of(shot: StripShot, blend: Path) -> Rendering:
    """Describe for the worker how a shot is rendered from a .blend."""
    return Rendering(
        command=render_command(shot, blend),
        description=shot.description,
        width_px=shot.width_px,
        height_px=shot.height_px,
        frame_count=shot.frame_count,
        scene_first=shot.first,
        content_first=shot.content_first,
    )


def save_copy(path: Path) -> Path:
    """Save a copy of the .blend as it is now, and return its path. Raises CopyNotSavedError.

    Also where Blender calls the file unchanged: what a script has changed since the last save, it does not count.
    """
    try:
        bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True, check_existing=False, relative_remap=True)
    except RuntimeError as error:
        raise CopyNotSavedError(path, str(error).strip()) from error
    return path


def render_program() -> tuple[str, ...]:
    """Return the program, and its first words, by which this Blender renders strips in the background."""
    if not bpy.app.binary_path:
        return (sys.executable, str(_SCRIPT))
    return (bpy.app.binary_path, "--background", "--factory-startup", "--python", str(_SCRIPT))


def _find(scene: Scene, strip: Strip | None) -> Found:
    found = find_strip_or_none(scene, strip.name) if strip else None
    if found is None:
        raise StripMissingError(strip.name if strip else "")
    return found


def _refuse_pictureless(strip: Strip, pixels: Pixels) -> None:
    if strip.type == "SOUND":
        raise StripWithoutPictureError(strip.name, "sound only")
    if pixels is Pixels.RAW and strip.type not in OWN_PIXELS:
        raise StripWithoutPictureError(strip.name, "no pixels of its own")


def _wanted(found: Found, first: int | None, last: int | None) -> range:
    shown = frames_shown(found)
    wanted = range(shown.start if first is None else first, shown.stop if last is None else last + 1)
    if not wanted or not shown or wanted[0] not in shown or wanted[-1] not in shown:
        raise StripFramesError(found.strip.name, wanted.start, wanted.stop - 1, shown)
    return wanted


def _size(scene: Scene, strip: Strip, pixels: Pixels) -> Size:
    if pixels is Pixels.CANVAS:
        return Size(scene.render.resolution_x, scene.render.resolution_y)
    size = media_size_or_none(strip)
    if size is None:
        raise StripWithoutPictureError(strip.name, "no picture that Blender can read")
    return size
