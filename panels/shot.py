# SPDX-License-Identifier: GPL-3.0-or-later
"""The shot: the active strip, who in it is replaced, and the two buttons that start things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpy.types import Context, Scene, UILayout

from ..backend.contract.errors import UnderstudyError
from ..backend.contract.job import Mode
from ..operators.preview_frame import UNDERSTUDY_OT_open_preview, UNDERSTUDY_OT_preview_frame
from ..operators.start_job import UNDERSTUDY_OT_start_job
from ..properties import UNDERSTUDY_PG_settings, settings_of
from ..sequencer.extent import Extent
from ..session import jobs, questions
from ..session.focus import active_strip_or_none, scene_of
from ..session.order import frames_of
from ..worker_client.states import BUSY
from .character import draw_performer
from .place import InSequencer
from .words import VERBS, draw_picture, draw_progress, draw_wrapped, stage_text

if TYPE_CHECKING:
    from bpy.types import Strip

_LABELS_SHARE = 0.4
"""Of a panel's width, where Blender splits properties."""
_PREVIEW_SCALE = 12.0
"""Of Blender's icon size: as wide as the sidebar is at first."""


class UNDERSTUDY_PT_shot(InSequencer):
    """The shot."""

    bl_idname = "UNDERSTUDY_PT_shot"
    bl_label = "Shot"

    def draw(self, context: Context) -> None:
        """Draw it."""
        assert self.layout is not None
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        settings, strip = settings_of(scene_of(context)), active_strip_or_none(context)
        if strip is None:
            layout.label(text="Select a strip to replace its performer.", icon="INFO")
        else:
            layout.label(text=strip.name, icon="SEQUENCE")
            _draw_range(layout, scene_of(context), strip)
        layout.row().prop(settings, "mode", expand=True)
        _draw_performer(layout, settings)
        column = layout.column(align=True)
        column.scale_y = 1.4
        column.operator(UNDERSTUDY_OT_start_job.bl_idname, text=VERBS[settings.mode], icon="PLAY")
        for view in jobs.queue.views:
            if view.state in BUSY:
                draw_progress(layout, view)
        layout.operator(UNDERSTUDY_OT_preview_frame.bl_idname, icon="IMAGE_DATA")
        draw_answer(layout, questions.answers)


def _draw_range(layout: UILayout, scene: Scene, strip: Strip) -> None:
    settings = settings_of(scene)
    layout.prop(settings, "extent")
    if settings.extent == Extent.OWN:
        column = layout.column(align=True)
        column.prop(settings, "own_first")
        column.prop(settings, "own_last")
    try:
        frames = frames_of(scene, strip)
    except UnderstudyError as error:
        column = layout.column(align=True)
        column.alert = True
        draw_wrapped(column, error.advice)
    else:
        below_values = layout.split(factor=_LABELS_SHARE)
        below_values.label()
        count = "1 frame" if len(frames) == 1 else f"{len(frames)} frames"
        below_values.label(text=f"{count}, {frames[0]} to {frames[-1]}")


def _draw_performer(layout: UILayout, settings: UNDERSTUDY_PG_settings) -> None:
    draw_performer(layout, settings.first, 0)
    column = layout.column()
    shadow = column.row()
    shadow.active = settings.mode == Mode.REPLACE  # Animate leaves nothing of the shot
    shadow.prop(settings, "shadow")
    column.prop(settings, "pixels")


def draw_answer(layout: UILayout, answers: questions.Answers) -> None:
    """Draw what was answered last: a picture, or why there is none."""
    if answers.is_asking:
        layout.label(text=f"{stage_text(answers.message)} ...", icon="SORTTIME")
    elif answers.hint:
        column = layout.column(align=True)
        column.alert = True
        draw_wrapped(column, f"{answers.message} {answers.hint}")
    elif answers.message:
        layout.label(text=answers.message, icon="CHECKMARK")
    for notice in answers.notices:
        draw_wrapped(layout, notice)
    if answers.preview:
        draw_picture(layout, answers.preview, _PREVIEW_SCALE)
        layout.operator(UNDERSTUDY_OT_open_preview.bl_idname, icon="FULLSCREEN_ENTER")


classes = (UNDERSTUDY_PT_shot,)
