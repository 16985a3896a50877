# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist is at: the scene that the sequencer shows, and its active strip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..backend.contract.job import Rendering
from ..picker.canvas import Placement
from ..sequencer.compat import sequencer_scene
from ..sequencer.shot import Pixels

if TYPE_CHECKING:
    from bpy.types import Context, Scene, Strip


def scene_of(context: Context) -> Scene:
    """Give the sequencer's scene; Blender always has one where panels and operators run."""
    scene = sequencer_scene(context)
    assert scene is not None
    return scene


def active_strip_or_none(context: Context) -> Strip | None:
    """Give the active strip of the sequencer's scene."""
    editor = scene_of(context).sequence_editor
    return editor.active_strip if editor else None


def placement_of(strip: Strip, pixels: Pixels, rendering: Rendering) -> Placement:
    """Tell how a shot's pixels lie on the canvas."""
    width, height = rendering.width_px, rendering.height_px
    if pixels is Pixels.CANVAS:
        return Placement(width=width, height=height)
    shown: Any = strip  # the stubs give these to the kinds of strips that show a picture alone
    transform = shown.transform
    return Placement(
        width=width,
        height=height,
        scale=(transform.scale_x, transform.scale_y),
        offset=(transform.offset_x, transform.offset_y),
        rotation=transform.rotation,
        origin=(transform.origin[0], transform.origin[1]),
        flip=(shown.use_flip_x, shown.use_flip_y),
    )
