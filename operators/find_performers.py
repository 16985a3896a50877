# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is in the shot, shown as numbered boxes over the preview; a click or a drawn box chooses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
from bpy.props import IntProperty
from bpy.types import Context, Event, Operator, Region

from ..backend.contract import layout
from ..picker.canvas import Point, box_between, outline
from ..picker.people import box_at, person_at_or_none
from ..properties import UNDERSTUDY_PG_casting, castings_of, settings_of
from ..session import questions
from ..session.focus import active_strip_or_none, placement_of, scene_of
from ..session.order import take_order
from ..session.performer import pick_box, pick_person
from .overlay import Mark, Overlay, under_mouse
from .previews import has_preview, mouse_in, preview_under, redraw, set_status
from .refusal import carry_out, poll_for_bare_preview, poll_for_strip

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

_QUESTION = "find"
_LOOK_EVERY_S = 0.1
_LEAST_DRAG_PX = 8.0
"""In pixels of the shot: a shorter drag is a click."""


class UNDERSTUDY_OT_find_performers(Operator):
    """Look who is in the active strip; click one of the boxes over the preview or drag one yourself. Esc ends it"""

    bl_idname = "understudy.find_performers"
    bl_label = "Find Performers"
    bl_options = {"REGISTER"}

    place: IntProperty(  # type: ignore[valid-type]
        name="Casting", description="For which of the characters, counted from 0", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Need a strip, and nothing over the preview."""
        return poll_for_bare_preview(cls) and poll_for_strip(cls, context)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Ask only: for scripts, which read the answer themselves."""

        def ask() -> None:
            self._order = take_order(context, layout.QUESTIONS, needs_character=False)
            questions.ask(self._order, _QUESTION)

        return carry_out(self, ask)

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:  # noqa: ARG002
        """Ask, and show boxes until one is chosen."""
        if not has_preview(context):
            self.report({"WARNING"}, "Show the sequencer's preview to see and choose performers in it.")
            return {"CANCELLED"}
        if self.execute(context) != {"FINISHED"}:
            return {"CANCELLED"}
        assert context.window_manager is not None
        strip = active_strip_or_none(context)
        assert strip is not None, "poll has seen to it"
        self._placement = placement_of(strip, self._order.placing.pixels, self._order.job.shot.rendering)
        self._from: Point | None = None
        self._to: Point | None = None
        self._overlay = Overlay(self._placement, self._marks)
        self._timer = context.window_manager.event_timer_add(_LOOK_EVERY_S, window=context.window)
        context.window_manager.modal_handler_add(self)
        set_status(context, "Click a performer or drag a box round one. Esc: cancel")
        return {"RUNNING_MODAL"}

    def modal(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Take clicks and drags in a preview; everything else stays the artist's."""
        region = preview_under(context, event)
        if event.type == "ESC" or (event.type == "RIGHTMOUSE" and region is not None):
            return self._end(context, {"CANCELLED"})
        if event.type == "TIMER":
            if questions.answers.question != _QUESTION and not questions.answers.people:
                return self._end(context, {"CANCELLED"})  # another question has taken the place of this one
            redraw(context)
        is_ours = event.type == "LEFTMOUSE" or (event.type == "MOUSEMOVE" and self._from is not None)
        if not is_ours or (region is None and self._from is None):
            return {"PASS_THROUGH"}
        return self._mouse(context, event, region)

    def cancel(self, context: Context) -> None:
        """Leave no trace when Blender ends it, with its window or its file."""
        self._end(context, {"CANCELLED"})

    def _mouse(self, context: Context, event: Event, region: Region | None) -> set[OperatorReturnItems]:
        if region is not None:
            self._to = under_mouse(region, self._placement, mouse_in(region, event))
        if event.type == "LEFTMOUSE" and event.value == "PRESS":
            self._from = self._to
        elif event.type == "LEFTMOUSE" and event.value == "RELEASE" and self._from and self._to:
            is_chosen = self._choose(context, self._from, self._to)
            self._from = None
            if is_chosen:
                return self._end(context, {"FINISHED"})
        return {"RUNNING_MODAL"}

    def _choose(self, context: Context, one: Point, other: Point) -> bool:
        """Cast who was clicked, or who is in the box that was drawn."""
        if not self._order.is_at_playhead(context):
            self.report({"WARNING"}, "Move the playhead to a frame that goes in: see the range in the Shot panel.")
            return False
        casting, frame = self._casting(context), self._order.frame_at_playhead(context)
        if max(abs(one[0] - other[0]), abs(one[1] - other[1])) >= _LEAST_DRAG_PX:
            pick_box(casting, self._order.shown, frame, box_between(one, other))
            return True
        person = person_at_or_none(questions.answers.people, frame, one)
        if person is not None:
            pick_person(casting, self._order.shown, frame, person)
        return person is not None

    def _casting(self, context: Context) -> UNDERSTUDY_PG_casting:
        return castings_of(settings_of(scene_of(context)))[int(self.place)]

    def _marks(self) -> list[Mark]:
        casting, frame = self._casting(bpy.context), self._order.frame_at_playhead(bpy.context)
        people = questions.answers.people if self._order.is_at_playhead(bpy.context) else ()
        marks = [
            Mark(
                points=outline(box_at(person, frame)),
                caption=str(person.id),
                is_chosen=casting.pick == "id" and casting.id == person.id,
            )
            for person in people
        ]
        if self._from and self._to:
            marks.append(Mark(points=outline(box_between(self._from, self._to)), is_drawn=True))
        return marks

    def _end(self, context: Context, ending: set[OperatorReturnItems]) -> set[OperatorReturnItems]:
        assert context.window_manager is not None
        self._overlay.remove()
        if ending == {"CANCELLED"}:
            questions.end(_QUESTION)
        context.window_manager.event_timer_remove(self._timer)
        set_status(context, None)
        redraw(context)
        return ending


classes = (UNDERSTUDY_OT_find_performers,)
