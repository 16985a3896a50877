# SPDX-License-Identifier: GPL-3.0-or-later
"""The next or the previous version of a shot, on the strips that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpy.types import Context, Operator

from ..backend.contract.errors import UnderstudyError
from ..sequencer.place import swap_version
from ..sequencer.take import job_of_or_none
from ..session.focus import active_strip_or_none, scene_of
from ..session.versions import neighbour, results_beside
from .refusal import refuse

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


class UNDERSTUDY_OT_next_version(Operator):
    """Let all strips of this take show the next delivered version, in place"""

    bl_idname = "understudy.next_version"
    bl_label = "Next Version"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Need a result strip."""
        return _poll(cls, context)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Go up."""
        return _swap(self, context, 1)


class UNDERSTUDY_OT_previous_version(Operator):
    """Let all strips of this take show the version delivered before, in place"""

    bl_idname = "understudy.previous_version"
    bl_label = "Previous Version"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Need a result strip."""
        return _poll(cls, context)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Go down."""
        return _swap(self, context, -1)


def _poll(operator: type[Operator], context: Context) -> bool:
    strip = active_strip_or_none(context)
    if strip is not None and job_of_or_none(strip):
        return True
    operator.poll_message_set("Select one of the strips that Understudy placed.")
    return False


def _swap(operator: Operator, context: Context, step: int) -> set[OperatorReturnItems]:
    strip = active_strip_or_none(context)
    assert strip is not None, "poll has seen to it"
    try:
        take = neighbour(strip, step)
        swap_version(results_beside(scene_of(context), strip), take)
    except UnderstudyError as error:
        return refuse(operator, error)
    operator.report({"INFO"}, f"The strips show {take.stem}.")
    return {"FINISHED"}


classes = (UNDERSTUDY_OT_next_version, UNDERSTUDY_OT_previous_version)
