# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine that draws the character, and what it needs."""

from __future__ import annotations

from bpy.types import Context, UILayout

from ..backend.contract.events import Planned
from ..operators.preview_frame import UNDERSTUDY_OT_check_job
from ..session import questions
from .place import InSequencer
from .words import draw_wrapped, duration_text


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
        self.layout.operator(UNDERSTUDY_OT_check_job.bl_idname, icon="CHECKMARK")
        if questions.answers.plan is not None:
            _draw_plan(self.layout, questions.answers.plan)


def _draw_plan(layout: UILayout, plan: Planned) -> None:
    column = layout.column(align=True)
    column.label(text=f"{plan.frames} frames, about {duration_text(plan.seconds)}")
    column.label(text=f"{plan.peak_memory_bytes / 1e9:.1f} GB of memory, {plan.disk_bytes / 1e6:,.0f} MB on disk")
    for remark in plan.remarks:
        draw_wrapped(column, remark)


classes = (UNDERSTUDY_PT_engine,)
