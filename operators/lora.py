# SPDX-License-Identifier: GPL-3.0-or-later
"""LoRAs of the Wan engine: one more, one less."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpy.props import IntProperty
from bpy.types import Context, Operator

from ..properties import settings_of
from ..session.focus import scene_of

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


class UNDERSTUDY_OT_add_lora(Operator):
    """Let one more LoRA act on the model"""

    bl_idname = "understudy.add_lora"
    bl_label = "Add LoRA"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Add a row."""
        settings_of(scene_of(context)).wan.loras.add()
        return {"FINISHED"}


class UNDERSTUDY_OT_remove_lora(Operator):
    """Take this LoRA off the list; its file stays"""

    bl_idname = "understudy.remove_lora"
    bl_label = "Remove LoRA"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}  # of a row: the search can not say of which

    place: IntProperty(options={"HIDDEN"})  # type: ignore[valid-type]

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Remove the row."""
        settings_of(scene_of(context)).wan.loras.remove(self.place)
        return {"FINISHED"}


classes = (UNDERSTUDY_OT_add_lora, UNDERSTUDY_OT_remove_lora)
