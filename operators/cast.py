# SPDX-License-Identifier: GPL-3.0-or-later
"""Further performers of the shot, each with a character of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpy.props import IntProperty
from bpy.types import Context, Operator

from ..properties import settings_of
from ..session.focus import scene_of

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


class UNDERSTUDY_OT_add_casting(Operator):
    """Cast a further performer of the shot, with a character of its own"""

    bl_idname = "understudy.add_casting"
    bl_label = "Add Performer"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Add one, chosen by number: the largest is taken."""
        settings = settings_of(scene_of(context))
        casting = settings.others.add()
        casting.pick, casting.id = "id", len(settings.others) + 1
        return {"FINISHED"}


class UNDERSTUDY_OT_remove_casting(Operator):
    """Leave this performer as it is in the shot"""

    bl_idname = "understudy.remove_casting"
    bl_label = "Remove Performer"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}  # of a row: the search can not say of which

    place: IntProperty(options={"HIDDEN", "SKIP_SAVE"})  # type: ignore[valid-type]

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Take it off the cast."""
        settings_of(scene_of(context)).others.remove(self.place)
        return {"FINISHED"}


classes = (UNDERSTUDY_OT_add_casting, UNDERSTUDY_OT_remove_casting)
