# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks before the leap: one frame replaced within seconds, and what the whole would take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bpy.types import Context, Operator

from ..backend.contract import layout
from ..backend.contract.job import Mode
from ..properties import settings_of
from ..session import questions
from ..session.focus import scene_of
from ..session.order import take_order
from .desktop import open_outside
from .refusal import carry_out, poll_for_strip

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


class UNDERSTUDY_OT_preview_frame(Operator):
    """See the frame at the playhead replaced within seconds: a quick matte and plate, nothing is delivered"""

    bl_idname = "understudy.preview_frame"
    bl_label = "Preview Frame"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Need a strip, and that its performer is replaced."""
        if settings_of(scene_of(context)).mode != Mode.REPLACE:
            cls.poll_message_set("Only what Replace makes can be previewed.")
            return False
        return poll_for_strip(cls, context)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Ask; the answer is shown in the panel."""

        def ask() -> None:
            order = take_order(context, layout.QUESTIONS)
            questions.ask(order, "preview", f"--frame={order.frame_at_playhead(context)}")

        return carry_out(self, ask)


class UNDERSTUDY_OT_open_preview(Operator):
    """Open the previewed frame at its full size, in the system's picture viewer"""

    bl_idname = "understudy.open_preview"
    bl_label = "Open Preview"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Context) -> bool:  # noqa: ARG003
        """Need a preview."""
        if questions.answers.preview is not None:
            return True
        cls.poll_message_set("No frame was previewed yet.")
        return False

    def execute(self, context: Context) -> set[OperatorReturnItems]:  # noqa: ARG002
        """Open it."""
        return open_outside(self, Path(str(questions.answers.preview)))


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
        return carry_out(self, lambda: questions.ask(take_order(context, layout.QUESTIONS), "check"))


classes = (UNDERSTUDY_OT_preview_frame, UNDERSTUDY_OT_open_preview, UNDERSTUDY_OT_check_job)
