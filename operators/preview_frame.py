# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks before the leap: one frame replaced within seconds, and what the whole would take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpy.types import Context, Operator

from ..backend.contract import layout
from ..backend.contract.errors import UnderstudyError
from ..session import questions
from ..session.order import take_order
from .refusal import poll_for_strip, refuse

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


class UNDERSTUDY_OT_preview_frame(Operator):
    """See the frame at the playhead replaced within seconds: a quick matte and plate, nothing is delivered"""

    bl_idname = "understudy.preview_frame"
    bl_label = "Preview Frame"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Need a strip."""
        return poll_for_strip(cls, context)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Ask; the answer is shown in the panel."""
        try:
            order = take_order(context, layout.QUESTIONS)
            questions.ask(order, "preview", f"--frame={order.frame_at_playhead(context)}")
        except UnderstudyError as error:
            return refuse(self, error)
        return {"FINISHED"}


class UNDERSTUDY_OT_check_job(Operator):
    """Look over what Replace would do: frames, time, memory, disk, what the character shows; or why it can't be done"""

    bl_idname = "understudy.check_job"
    bl_label = "Check"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Need a strip."""
        return poll_for_strip(cls, context)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Ask; the answer is shown in the panel."""
        try:
            questions.ask(take_order(context, layout.QUESTIONS), "check")
        except UnderstudyError as error:
            return refuse(self, error)
        return {"FINISHED"}


classes = (UNDERSTUDY_OT_preview_frame, UNDERSTUDY_OT_check_job)
