# SPDX-License-Identifier: GPL-3.0-or-later
"""The character: its picture, and how it is set against the performer."""

from __future__ import annotations

from bpy.types import Context, UILayout

from ..operators.cast import UNDERSTUDY_OT_add_casting, UNDERSTUDY_OT_remove_casting
from ..operators.find_performers import UNDERSTUDY_OT_find_performers
from ..properties import UNDERSTUDY_PG_casting, settings_of
from ..session import questions
from ..session.focus import scene_of
from .place import InSequencer
from .words import draw_wrapped

_FIT = ("scale", "offset", "ground_offset", "head_size", "mirror")


class UNDERSTUDY_PT_character(InSequencer):
    """The characters."""

    bl_idname = "UNDERSTUDY_PT_character"
    bl_label = "Character"

    def draw(self, context: Context) -> None:
        """Draw the first, and a box for each further one."""
        assert self.layout is not None
        settings = settings_of(scene_of(context))
        _draw_casting(self.layout, settings.first)
        for place, casting in enumerate(settings.others):
            box = self.layout.box()
            row = box.row()
            row.label(text=f"Performer {place + 2}")
            row.operator(UNDERSTUDY_OT_remove_casting.bl_idname, text="", icon="X").place = place
            draw_performer(box, casting, place + 1)
            _draw_casting(box, casting)
        self.layout.operator(UNDERSTUDY_OT_add_casting.bl_idname, icon="ADD")


def draw_performer(layout: UILayout, casting: UNDERSTUDY_PG_casting, place: int) -> None:
    """Draw who of the shot is meant. place: of the casting, counted from 0."""
    column = layout.column()
    column.use_property_split = True
    column.use_property_decorate = False
    column.prop(casting, "pick")
    if casting.pick == "id":
        column.prop(casting, "id")
    column.operator(UNDERSTUDY_OT_find_performers.bl_idname, icon="VIEWZOOM").place = place


def _draw_casting(layout: UILayout, casting: UNDERSTUDY_PG_casting) -> None:
    layout.template_ID_preview(casting, "character", open="image.open", rows=3, cols=6)
    found = questions.answers.found.get(casting.character.name, ()) if casting.character else ()
    if found:
        draw_wrapped(layout, f"Found: {', '.join(found)}")
    column = layout.column()
    column.use_property_split = True
    column.use_property_decorate = False
    for name in _FIT:
        column.prop(casting, name)


classes = (UNDERSTUDY_PT_character,)
