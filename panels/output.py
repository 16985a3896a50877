# SPDX-License-Identifier: GPL-3.0-or-later
"""Where results go, and which."""

from __future__ import annotations

from bpy.types import Context

from ..properties import settings_of
from ..session.focus import active_strip_or_none, scene_of
from ..session.order import delivery_name, is_homeless
from .place import InSequencer
from .words import draw_wrapped


class UNDERSTUDY_PT_output(InSequencer):
    """Output."""

    bl_idname = "UNDERSTUDY_PT_output"
    bl_label = "Output"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Context) -> None:
        """Draw it."""
        assert self.layout is not None
        layout, settings = self.layout, settings_of(scene_of(context))
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(settings, "folder")
        if is_homeless(settings):
            draw_wrapped(layout, "The .blend is not saved: results go to your Blender user folder.")
        strip = active_strip_or_none(context)
        layout.prop(settings, "name", placeholder=delivery_name(settings, strip.name) if strip else "")
        layout.prop(settings, "depth", expand=True)
        layout.prop(settings, "first_number")
        layout.prop(settings, "placing")
        layout.column().prop(settings, "passes")


classes = (UNDERSTUDY_PT_output,)
