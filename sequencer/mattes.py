# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist mattes a shot by, read as a shot of its own: another strip, or a Mask datablock."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import bpy

from ..backend.contract.errors import UnderstudyError
from .compat import strips_of
from .findstrips import find_strip_or_none
from .shot import OWN_PIXELS, Pixels, StripShot, read_shot

if TYPE_CHECKING:
    from bpy.types import Mask, Scene, Strip

_MASK = "understudy mask"
"""Of the scene in which a mask is rendered, and of its strip."""


class MatteSizeError(UnderstudyError):
    """A strip that a shot is matted by has another size."""

    hint = "Choose a strip of the shot's size, or let both be taken as the canvas shows them: Pixels, Canvas."

    def __init__(self, matte: StripShot, shot: StripShot) -> None:
        super().__init__(
            f"The matte {matte.strip} is {matte.width_px} x {matte.height_px} pixels, "
            f"the shot {shot.width_px} x {shot.height_px}."
        )
        self.matte, self.shot = matte.strip, shot.strip


class MatteMissingError(UnderstudyError):
    """A strip or Mask datablock that a shot is matted by is gone, or none was chosen. kind: strip or mask."""

    hint = "Choose another one under Corrections, or None."

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(
            f"The {kind} {name}, to matte by, is not there any more." if name else f"No {kind} is chosen to matte by."
        )
        self.kind, self.name = kind, name


@dataclass(frozen=True, slots=True)
class MaskFrames:
    """Frames first..last of the scene, at a size: what a mask is rendered over."""

    width_px: int
    height_px: int
    first: int
    last: int


def read_matte_strip(scene: Scene, name: str, shot: StripShot) -> StripShot:
    """Read the frames of a strip that lie over a shot's.

    Of a strip with pixels of its own these are meant, if they are of the shot, too; of all others the canvas.
    Raises MatteMissingError, StripFramesError, MatteSizeError, FileMissingError.
    """
    found = find_strip_or_none(scene, name)
    if found is None:
        raise MatteMissingError("strip", name)
    is_raw = shot.pixels is Pixels.RAW and found.strip.type in OWN_PIXELS
    matte = read_shot(scene, found.strip, Pixels.RAW if is_raw else Pixels.CANVAS, shot.first, shot.last)
    if (matte.width_px, matte.height_px) != (shot.width_px, shot.height_px):
        raise MatteSizeError(matte, shot)
    return matte


def read_mask(mask: Mask, shot: StripShot) -> StripShot:
    """Read a mask over a shot's frames: its frame is the scene's, as in the clip editor and the compositor.

    Nothing tells what moves a mask's points: Blender's Python API knows no keys of theirs. So it bears a stamp, and is
    rendered again whenever it is read again; see `description.py`.
    """
    frames = MaskFrames(shot.width_px, shot.height_px, shot.first, shot.last)
    return describe_mask(mask.name, frames, shot.fps, stamp=str(time.time_ns()))


def is_of_mask(command: Sequence[str]) -> bool:
    """Tell whether a command of `render_command` renders a Mask datablock."""
    return any(word.startswith("--mask=") for word in command)


def describe_mask(name: str, frames: MaskFrames, fps: str, stamp: str) -> StripShot:
    """Describe a mask by its name, as a strip that lies alone in a scene."""
    size = [frames.width_px, frames.height_px]
    words = [bpy.app.version_string, "mask", name, *size, frames.first, frames.last, stamp]
    return StripShot(
        scene=_MASK,
        strip=_MASK,
        mask=name,
        pixels=Pixels.CANVAS,
        width_px=frames.width_px,
        height_px=frames.height_px,
        fps=fps,
        first=frames.first,
        last=frames.last,
        description=json.dumps(words),
        stamp=stamp,
        scripts=not bpy.app.autoexec_fail,
    )


def lay_mask(shot: StripShot) -> StripShot:
    """Lay a mask on a strip in a scene of its own, and say where: only in a .blend that is never saved.

    A strip shows its mask from the first frame of the mask on, up to before its last: these are made to fit the shot.
    Raises MatteMissingError.
    """
    mask = bpy.data.masks.get(shot.mask)
    if mask is None:
        raise MatteMissingError("mask", shot.mask)
    mask.frame_start, mask.frame_end = shot.first, shot.last + 1
    scene = bpy.data.scenes.new(_MASK)
    scene.render.resolution_x, scene.render.resolution_y = shot.width_px, shot.height_px
    strip: Strip = strips_of(scene).new_mask(_MASK, mask, 1, shot.first)
    return replace(shot, scene=scene.name, strip=strip.name)
