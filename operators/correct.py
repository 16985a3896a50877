# SPDX-License-Identifier: GPL-3.0-or-later
"""A result put right: joints moved on the preview, and the job done once more with what was corrected."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bpy.props import EnumProperty, FloatVectorProperty, IntProperty
from bpy.types import Context, Event, Operator, Region

from ..backend.contract.errors import UnderstudyError
from ..backend.contract.joints import Joint
from ..picker.skeleton import BONES
from ..properties import JOINT_ITEMS, castings_of, settings_of
from ..session import jobs
from ..session.focus import scene_of
from ..session.joints import Drag, figure_of
from ..session.update import take_update
from ..worker_client.states import State
from .overlay import Mark, Overlay, under_mouse
from .previews import has_preview, mouse_in, preview_under, redraw, set_status
from .refusal import carry_out, chosen, poll_for_bare_preview, poll_for_delivery, poll_for_job, refuse

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

_REACH_PX = 14.0
"""So near to a joint, on the screen, the mouse takes hold of it."""


class UNDERSTUDY_OT_move_joints(Operator):
    """Show the joints of the job over the preview; drag one to key it in the frame at the playhead. Esc ends it"""

    bl_idname = "understudy.move_joints"
    bl_label = "Move Joints"
    bl_options = {"REGISTER"}

    place: IntProperty(  # type: ignore[valid-type]
        name="Casting", description="Of which of the performers, counted from 0", options={"SKIP_SAVE"}
    )
    joint: EnumProperty(items=JOINT_ITEMS, name="Joint", description="For scripts: which joint is keyed")  # type: ignore[valid-type]
    at: FloatVectorProperty(name="Place", description="For scripts: where, in pixels of the shot", size=2)  # type: ignore[valid-type]

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Need a job that has tracked somebody, and nothing over the preview."""
        return poll_for_bare_preview(cls) and poll_for_delivery(cls, context)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Key one joint at the playhead: for scripts, which see no preview."""

        def key() -> None:
            figure_of(chosen(context), self.place).key(Joint(self.joint), (self.at[0], self.at[1]))

        return carry_out(self, key)

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:  # noqa: ARG002
        """Show the joints until Esc."""
        if not has_preview(context):
            self.report({"WARNING"}, "Show the sequencer's preview to see and move joints in it.")
            return {"CANCELLED"}
        try:
            figure = figure_of(chosen(context), self.place)
        except UnderstudyError as error:
            return refuse(self, error)
        assert context.window_manager is not None
        self._placement, self._drag = figure.placement, Drag(figure)
        self._overlay = Overlay(self._placement, partial(marks_of, self._drag))
        context.window_manager.modal_handler_add(self)
        set_status(context, "Drag a joint to key it in this frame. Esc: end")
        redraw(context)
        return {"RUNNING_MODAL"}

    def modal(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Take drags of joints in a preview; everything else, the playhead too, stays the artist's."""
        region = preview_under(context, event)
        if event.type == "ESC" or (event.type == "RIGHTMOUSE" and region is not None):
            return self._end(context)
        if event.type == "LEFTMOUSE" and event.value == "PRESS" and region is not None:
            at, beside = self._pixel(region, event, 0.0), self._pixel(region, event, _REACH_PX)
            is_ours = self._drag.take(at, abs(complex(*at) - complex(*beside)))
        else:
            is_ours = self._drag.joint is not None and event.type in {"LEFTMOUSE", "MOUSEMOVE"}
            if is_ours:
                self._follow(region, event)
        if is_ours:
            redraw(context)
        return {"RUNNING_MODAL"} if is_ours else {"PASS_THROUGH"}

    def cancel(self, context: Context) -> None:
        """Leave no trace when Blender ends it, with its window or its file."""
        self._end(context)

    def _follow(self, region: Region | None, event: Event) -> None:
        """Move what is held with the mouse, and key it where the button is let go of."""
        if region is not None:
            self._drag.at = self._pixel(region, event, 0.0)
        if event.type == "LEFTMOUSE" and event.value == "RELEASE":
            try:
                self._drag.let_go()
            except UnderstudyError as error:
                refuse(self, error)

    def _pixel(self, region: Region, event: Event, beside_px: float) -> tuple[float, float]:
        x, y = mouse_in(region, event)
        return under_mouse(region, self._placement, (x + beside_px, y))

    def _end(self, context: Context) -> set[OperatorReturnItems]:
        self._drag.drop()
        self._overlay.remove()
        set_status(context, None)
        redraw(context)
        return {"CANCELLED"}


class UNDERSTUDY_OT_remove_joint(Operator):
    """Take this key away; the joint is where it was tracked again"""

    bl_idname = "understudy.remove_joint"
    bl_label = "Remove Key"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}  # of a row: the search can not say of which

    place: IntProperty(options={"HIDDEN", "SKIP_SAVE"})  # type: ignore[valid-type]
    key: IntProperty(options={"HIDDEN", "SKIP_SAVE"})  # type: ignore[valid-type]

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Remove it."""
        castings_of(settings_of(scene_of(context)))[self.place].joints.remove(self.key)
        return {"FINISHED"}


class UNDERSTUDY_OT_update_job(Operator):
    """Make the job's next version with the corrections as they are now; only what depends on them is done again"""

    bl_idname = "understudy.update_job"
    bl_label = "Update"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Need a job that is done."""
        return poll_for_job(cls, context, frozenset({State.DONE}), "The job is not done yet.")

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Write the job and put it in line."""
        try:
            view = jobs.add(take_update(chosen(context)))
        except UnderstudyError as error:
            return refuse(self, error)
        self.report({"INFO"}, f"{view.name} is in line; the Jobs panel shows how far it is.")
        return {"FINISHED"}


def marks_of(drag: Drag) -> list[Mark]:
    """Draw bones and joints; the joint that is held stands out and bears its name."""
    places = drag.places()
    bones = [Mark(points=(places[a], places[b])) for a, b in BONES if places]
    dots = [
        Mark(
            points=(at,),
            caption=joint.replace("_", " ").title() if joint is drag.joint else "",
            is_chosen=joint is drag.joint,
            is_drawn=True,
        )
        for joint, at in places.items()
    ]
    return bones + dots


classes = (UNDERSTUDY_OT_move_joints, UNDERSTUDY_OT_remove_joint, UNDERSTUDY_OT_update_job)
