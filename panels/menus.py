# SPDX-License-Identifier: GPL-3.0-or-later
"""Understudy in Blender's own menus of the sequencer."""

from __future__ import annotations

import bpy
from bpy.types import Context, Menu

from ..operators.preview_frame import UNDERSTUDY_OT_preview_frame
from ..operators.start_job import UNDERSTUDY_OT_start_job
from ..properties import settings_of
from ..session.focus import scene_of
from .words import VERBS

_MENUS = ("SEQUENCER_MT_strip", "SEQUENCER_MT_add", "SEQUENCER_MT_context_menu")


def _draw(self: Menu, context: Context) -> None:
    assert self.layout is not None
    verb = VERBS[settings_of(scene_of(context)).mode]
    self.layout.separator()
    self.layout.operator(UNDERSTUDY_OT_start_job.bl_idname, text=f"{verb} Performer", icon="ARMATURE_DATA")
    self.layout.operator(UNDERSTUDY_OT_preview_frame.bl_idname, text="Preview Replaced Frame")


def register() -> None:
    """Add the entries."""
    for name in _MENUS:
        getattr(bpy.types, name).append(_draw)


def unregister() -> None:
    """Take them away."""
    for name in _MENUS:
        getattr(bpy.types, name).remove(_draw)
