# SPDX-License-Identifier: GPL-3.0-or-later
"""The jobs: what each is at, what came of it, what can be done with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bpy.types import Context, UILayout, UIList

from ..operators.build_comp import UNDERSTUDY_OT_build_comp
from ..operators.manage_job import (
    UNDERSTUDY_OT_cancel_job,
    UNDERSTUDY_OT_copy_report,
    UNDERSTUDY_OT_open_folder,
    UNDERSTUDY_OT_place_again,
    UNDERSTUDY_OT_recall_job,
    UNDERSTUDY_OT_remove_job,
    UNDERSTUDY_OT_resume_job,
    UNDERSTUDY_OT_show_log,
)
from ..operators.swap_version import UNDERSTUDY_OT_next_version, UNDERSTUDY_OT_previous_version
from ..properties import window_of
from ..session import jobs
from ..worker_client.states import BUSY, State
from ..worker_client.view import JobView
from .place import InSequencer
from .words import draw_picture, draw_progress, draw_wrapped, time_text

_NEWEST_SCALE = 8.0
"""Of Blender's icon size."""
_ICONS: dict[State, Any] = {
    State.WAITING: "SORTTIME",
    State.RUNNING: "PLAY",
    State.STOPPING: "SNAP_FACE",
    State.DONE: "CHECKMARK",
    State.STOPPED: "PAUSE",
    State.REFUSED: "CANCEL",
    State.CRASHED: "ERROR",
    State.INTERRUPTED: "ERROR",
}


class UNDERSTUDY_UL_jobs(UIList):
    """One job a row."""

    def draw_item(
        self,
        context: Context | None,  # noqa: ARG002
        layout: UILayout,
        data: object,  # noqa: ARG002
        item: object,
        icon: int | None,  # noqa: ARG002
        active_data: object,  # noqa: ARG002
        active_property: str | None,  # noqa: ARG002
        index: int | None,  # noqa: ARG002
        flt_flag: int | None,  # noqa: ARG002
    ) -> None:
        """Draw a row."""
        view = jobs.queue.view(item.name)  # type: ignore[attr-defined]
        if view is None:
            return
        row = layout.row()
        row.label(text=_title(view), icon=_ICONS[view.state])
        if view.state in BUSY:
            row.progress(factor=view.share, text=time_text(view.seconds_left))
        else:
            row.label(text=str(view.state).title())


class UNDERSTUDY_PT_jobs(InSequencer):
    """Jobs."""

    bl_idname = "UNDERSTUDY_PT_jobs"
    bl_label = "Jobs"

    def draw(self, context: Context) -> None:
        """Draw the list, and the job that is chosen in it."""
        assert self.layout is not None
        assert context.window_manager is not None
        window = window_of(context.window_manager)
        self.layout.template_list("UNDERSTUDY_UL_jobs", "", window, "jobs", window, "active_job", rows=3)
        view = jobs.active_view(context)
        if view is None:
            self.layout.label(text="Nothing was replaced yet.")
        else:
            _draw_job(self.layout, view)


def _draw_job(layout: UILayout, view: JobView) -> None:
    column = layout.column(align=True)
    if view.state in BUSY:
        draw_progress(column, view)
        if view.shown:
            column.label(text=f"Frame {view.first_frame + view.shown.frame} so far")
            draw_picture(column, Path(view.shown.path), _NEWEST_SCALE)
    if view.message:
        alert = column.column(align=True)
        alert.alert = True
        draw_wrapped(alert, f"{view.message} {view.hint}")
    for notice in view.notices:
        draw_wrapped(column, notice)
    row = layout.row(align=True)
    row.operator(UNDERSTUDY_OT_cancel_job.bl_idname, icon="PAUSE")
    row.operator(UNDERSTUDY_OT_resume_job.bl_idname, icon="PLAY")
    row = layout.row(align=True)
    row.operator(UNDERSTUDY_OT_place_again.bl_idname, icon="SEQ_SEQUENCER")
    row.operator(UNDERSTUDY_OT_build_comp.bl_idname, icon="NODETREE")
    row = layout.row(align=True)
    row.operator(UNDERSTUDY_OT_previous_version.bl_idname, icon="TRIA_LEFT")
    row.operator(UNDERSTUDY_OT_next_version.bl_idname, icon="TRIA_RIGHT")
    row = layout.row(align=True)
    row.operator(UNDERSTUDY_OT_recall_job.bl_idname, icon="LOOP_BACK")
    row.operator(UNDERSTUDY_OT_open_folder.bl_idname, icon="FILE_FOLDER")
    row = layout.row(align=True)
    row.operator(UNDERSTUDY_OT_show_log.bl_idname, icon="TEXT")
    row.operator(UNDERSTUDY_OT_copy_report.bl_idname, icon="COPYDOWN")
    row.operator(UNDERSTUDY_OT_remove_job.bl_idname, text="", icon="TRASH")


def _title(view: JobView) -> str:
    return f"{view.name} v{view.delivered.version:03d}" if view.delivered else view.name


classes = (UNDERSTUDY_UL_jobs, UNDERSTUDY_PT_jobs)
