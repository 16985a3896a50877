# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be done with the job that is chosen in the list."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy.types import Context, Event, Operator, SpaceTextEditor, Text

from ..backend.contract import layout
from ..backend.contract.errors import UnderstudyError
from ..backend.contract.jobfolder import read_job
from ..session import jobs
from ..session.focus import scene_of
from ..session.placing import place_results
from ..session.recall import recall
from ..worker_client.states import BUSY, RESUMABLE, State
from ..worker_client.view import JobView
from .desktop import open_outside
from .refusal import carry_out, chosen, poll_for_delivery, poll_for_job, refuse

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

_STOPPABLE = frozenset({State.WAITING, State.RUNNING})
_LOG_TEXT = "Understudy Log"
_LOG_BYTES = 200_000
"""So much of a log's end is shown."""
_REMOVABLE = frozenset(State) - BUSY


class UNDERSTUDY_OT_cancel_job(Operator):
    """Stop the job at the next frame; what is in place stays, and Resume goes on from there"""

    bl_idname = "understudy.cancel_job"
    bl_label = "Stop"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Need a job that runs or waits."""
        return poll_for_job(cls, context, _STOPPABLE, "The job is not running.")

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Ask the worker to stop."""
        jobs.queue.cancel(chosen(context).id)
        return {"FINISHED"}


class UNDERSTUDY_OT_resume_job(Operator):
    """Go on with the job; what is in place is not computed again"""

    bl_idname = "understudy.resume_job"
    bl_label = "Resume"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Need a job that ended early."""
        return poll_for_job(cls, context, RESUMABLE, "Only a job that ended early can be resumed.")

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Put it back in line."""
        jobs.queue.resume(chosen(context).id)
        return {"FINISHED"}


class UNDERSTUDY_OT_remove_job(Operator):
    """Take the job off the list and delete its folder; delivered versions are never deleted"""

    bl_idname = "understudy.remove_job"
    bl_label = "Remove Job"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Need a job that nobody does."""
        view = jobs.active_view(context)
        if view is not None and jobs.queue.is_attended(view.id):
            cls.poll_message_set("The job is running. Stop it first.")
            return False
        return poll_for_job(cls, context, _REMOVABLE, "The job is running. Stop it first.")

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:  # noqa: ARG002
        """Say what goes."""
        assert context.window_manager is not None
        self._what = _what_goes(chosen(context).folder)
        return context.window_manager.invoke_props_dialog(self, width=420)

    def draw(self, context: Context) -> None:  # noqa: ARG002
        """Name the folder and its size."""
        assert self.layout is not None
        self.layout.label(text=self._what)
        self.layout.label(text="Delivered versions and the stages that other jobs share stay.")

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Delete the job's folder."""
        view = chosen(context)
        shutil.rmtree(view.folder, ignore_errors=True)
        if view.folder.exists():
            self.report(
                {"WARNING"}, f"Some of {view.folder} could not be deleted. Close what has it open and try again."
            )
            return {"CANCELLED"}
        jobs.forget(view.id)
        return {"FINISHED"}


class UNDERSTUDY_OT_place_again(Operator):
    """Lay the job's delivered version on strips again, above what is there"""

    bl_idname = "understudy.place_again"
    bl_label = "Place Again"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Need a delivery."""
        return poll_for_delivery(cls, context)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Place it."""
        return carry_out(self, lambda: place_results(chosen(context)))


class UNDERSTUDY_OT_recall_job(Operator):
    """Set character, performer and output as they were for this job, to change some and replace again"""

    bl_idname = "understudy.recall_job"
    bl_label = "Use Its Settings"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Need a job."""
        return poll_for_job(cls, context)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Read the job and set the scene's settings."""
        view = chosen(context)
        try:
            recall(read_job(view.folder), view.folder, scene_of(context))
        except (UnderstudyError, RuntimeError) as error:
            return refuse(self, error)
        return {"FINISHED"}


class UNDERSTUDY_OT_open_folder(Operator):
    """Open the delivered version, or the job's own folder while there is none, in the system's file browser"""

    bl_idname = "understudy.open_folder"
    bl_label = "Open Folder"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Need a job."""
        return poll_for_job(cls, context)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Open it."""
        view = chosen(context)
        folder = Path(view.delivered.folder) if view.delivered else view.folder
        return open_outside(self, folder)


class UNDERSTUDY_OT_show_log(Operator):
    """Show what the worker wrote down, in a text editor"""

    bl_idname = "understudy.show_log"
    bl_label = "Show Log"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Need a job."""
        return poll_for_job(cls, context)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Open it as a text."""
        view = chosen(context)
        text = bpy.data.texts.get(_LOG_TEXT) or bpy.data.texts.new(_LOG_TEXT)
        text.from_string(_log(view))
        bpy.ops.screen.area_dupli("INVOKE_DEFAULT")
        _show(context, text)
        return {"FINISHED"}


class UNDERSTUDY_OT_copy_report(Operator):
    """Copy what is known of the job to the clipboard, to send it to somebody who can help"""

    bl_idname = "understudy.copy_report"
    bl_label = "Copy Report"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Need a job."""
        return poll_for_job(cls, context)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Fill the clipboard."""
        assert context.window_manager is not None
        context.window_manager.clipboard = report_of(chosen(context))
        return {"FINISHED"}


def _show(context: Context, text: Text) -> None:
    """Let the newest window show a text."""
    assert context.window_manager is not None
    area = context.window_manager.windows[-1].screen.areas[0]
    area.ui_type = "TEXT_EDITOR"
    space = area.spaces.active
    assert isinstance(space, SpaceTextEditor)
    space.text = text


def report_of(view: JobView) -> str:
    """Word what is known of a job: state, message, notices, the log's end."""
    facts = (
        f"Understudy, Blender {bpy.app.version_string}, worker {view.worker_version or 'never started'}",
        f"job {view.id}, {view.name}: {view.state}, stage {view.stage or 'none'}",
        view.message,
        *view.notices,
        _log(view)[-4000:],
    )
    return "\n".join(fact for fact in facts if fact)


def _log(view: JobView) -> str:
    path = view.folder / layout.LOG
    if not path.is_file():
        return "There is no log yet.\n"
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _LOG_BYTES))
        return file.read().decode("utf-8", errors="replace")


def _what_goes(folder: Path) -> str:
    size_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return f"{size_bytes / 1e6:.1f} MB in {folder} will be deleted."


classes = (
    UNDERSTUDY_OT_cancel_job,
    UNDERSTUDY_OT_resume_job,
    UNDERSTUDY_OT_remove_job,
    UNDERSTUDY_OT_place_again,
    UNDERSTUDY_OT_recall_job,
    UNDERSTUDY_OT_open_folder,
    UNDERSTUDY_OT_show_log,
    UNDERSTUDY_OT_copy_report,
)
