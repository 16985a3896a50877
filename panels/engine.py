# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine that draws the character, and what it needs."""

from __future__ import annotations

from bpy.types import Context, UILayout

from ..backend.contract.events import Planned
from ..operators.lora import UNDERSTUDY_OT_add_lora, UNDERSTUDY_OT_remove_lora
from ..operators.preview_frame import UNDERSTUDY_OT_check_job
from ..properties import UNDERSTUDY_PG_settings, settings_of
from ..session import questions
from ..session.focus import scene_of
from .place import InSequencer
from .words import draw_wrapped, duration_text

_WAN = (
    *("area_px", "steps", "solver", "shift", "guidance", "windows", "overlap", "relight", "cells"),
    "correct_drift",
)


class UNDERSTUDY_PT_engine(InSequencer):
    """The engine."""

    bl_idname = "UNDERSTUDY_PT_engine"
    bl_label = "Engine"

    def draw(self, context: Context) -> None:
        """Draw it."""
        assert self.layout is not None
        settings = settings_of(scene_of(context))
        self.layout.row().prop(settings, "engine", expand=True)
        if settings.engine == "draft":
            self.layout.label(text="On the processor, nothing to download", icon="CHECKMARK")
        else:
            _draw_wan(self.layout, settings)
        self.layout.operator(UNDERSTUDY_OT_check_job.bl_idname, icon="INFO")
        if questions.answers.plan is not None:
            _draw_plan(self.layout, questions.answers.plan)


def _draw_wan(layout: UILayout, settings: UNDERSTUDY_PG_settings) -> None:
    layout.use_property_split = True
    layout.use_property_decorate = False
    column = layout.column()
    for name in _WAN:
        column.prop(settings.wan, name)
    column.prop(settings, "seed")
    for place, lora in enumerate(settings.wan.loras):
        box = layout.box()
        row = box.row()
        row.prop(lora, "path", text="LoRA")
        row.operator(UNDERSTUDY_OT_remove_lora.bl_idname, text="", icon="X").place = place
        box.prop(lora, "strength")
    layout.operator(UNDERSTUDY_OT_add_lora.bl_idname, icon="ADD")


def _draw_plan(layout: UILayout, plan: Planned) -> None:
    column = layout.column(align=True)
    column.label(text=f"{plan.frames} frames, about {duration_text(plan.seconds)}")
    column.label(text=f"{plan.peak_memory_bytes / 1e9:.1f} GB of memory, {plan.disk_bytes / 1e6:,.0f} MB on disk")
    for remark in plan.remarks:
        draw_wrapped(column, remark)


classes = (UNDERSTUDY_PT_engine,)
