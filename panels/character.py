# SPDX-License-Identifier: GPL-3.0-or-later
"""The character: its picture, and how it is set against the performer."""

from __future__ import annotations

from bpy.types import Context

from ..properties import settings_of
from ..session.focus import scene_of
from .place import InSequencer


class UNDERSTUDY_PT_character(InSequencer):
    """The character."""

    bl_idname = "UNDERSTUDY_PT_character"
    bl_label = "Character"

    def draw(self, context: Context) -> None:
        """Draw it."""
        assert self.layout is not None
        casting = settings_of(scene_of(context)).first
        self.layout.template_ID_preview(casting, "character", open="image.open", rows=3, cols=6)
        column = self.layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        for name in ("scale", "offset", "ground_offset", "head_size", "mirror"):
            column.prop(casting, name)


classes = (UNDERSTUDY_PT_character,)
