# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine that draws the character, and what it needs."""

from __future__ import annotations

from bpy.types import Context

from .place import InSequencer


class UNDERSTUDY_PT_engine(InSequencer):
    """The engine."""

    bl_idname = "UNDERSTUDY_PT_engine"
    bl_label = "Engine"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Context) -> None:  # noqa: ARG002
        """Draw it."""
        assert self.layout is not None
        column = self.layout.column(align=True)
        column.label(text="Draft: on the processor, nothing to download", icon="CHECKMARK")
        column.label(text="For judging casting, scale, timing and mattes")


classes = (UNDERSTUDY_PT_engine,)
