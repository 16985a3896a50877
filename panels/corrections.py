# SPDX-License-Identifier: GPL-3.0-or-later
"""What is put right by hand: mattes and joints of each performer, and the button that makes the next version of it."""

from __future__ import annotations

from bpy.types import Context, Scene, UILayout

from ..operators.correct import UNDERSTUDY_OT_move_joints, UNDERSTUDY_OT_remove_joint, UNDERSTUDY_OT_update_job
from ..properties import UNDERSTUDY_PG_casting, UNDERSTUDY_PG_matte, castings_of, settings_of
from ..sequencer.compat import all_strips_name
from ..sequencer.take import source_id_or_none, start_of_source_or_none
from ..session.focus import active_strip_or_none, scene_of
from .place import InSequencer


class UNDERSTUDY_PT_corrections(InSequencer):
    """Corrections."""

    bl_idname = "UNDERSTUDY_PT_corrections"
    bl_label = "Corrections"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Context) -> None:
        """Draw those of each performer."""
        assert self.layout is not None
        scene = scene_of(context)
        castings = castings_of(settings_of(scene))
        for place, casting in enumerate(castings):
            box = self.layout.box()
            if len(castings) > 1:
                box.label(text=f"Performer {place + 1}")
            _draw_mattes(box, scene, casting)
            _draw_joints(box, scene, place, _shot(context))
        self.layout.operator(UNDERSTUDY_OT_update_job.bl_idname, icon="FILE_REFRESH")


def _draw_mattes(layout: UILayout, scene: Scene, casting: UNDERSTUDY_PG_casting) -> None:
    column = layout.column()
    column.use_property_split = True
    column.use_property_decorate = False
    column.active = settings_of(scene).mode == "replace"
    _draw_matte(column, scene, casting.matte, "Matte")
    if casting.matte.source != "none":
        column.prop(casting, "combine")
    _draw_matte(column, scene, casting.garbage, "Garbage")
    if not column.active:
        column.label(text="Animate takes no mattes.", icon="INFO")


def _draw_matte(layout: UILayout, scene: Scene, matte: UNDERSTUDY_PG_matte, text: str) -> None:
    layout.prop(matte, "source", text=text)
    if matte.source == "strip" and scene.sequence_editor is not None:
        layout.prop_search(matte, "strip", scene.sequence_editor, all_strips_name(), text=" ", icon="SEQUENCE")
    elif matte.source == "mask":
        layout.prop(matte, "mask", text=" ")


def _shot(context: Context) -> str:
    """Give the mark of the active strip; none where no shot was read from it yet, or it is a result."""
    strip = active_strip_or_none(context)
    return source_id_or_none(strip) or "" if strip else ""


def _draw_joints(layout: UILayout, scene: Scene, place: int, shot: str) -> None:
    """Draw the keys on this shot, and how many there are on others; all of them while it is not known which shot."""
    others = 0
    joints = castings_of(settings_of(scene))[place].joints
    starts = {mark: start_of_source_or_none(scene, mark) for mark in {key.shot for key in joints}}
    for number, key in enumerate(joints):
        if shot and key.shot != shot:
            others += 1
            continue
        start, lines = starts[key.shot], layout.column(align=True)
        line = lines.row()
        frame = "strip is gone" if start is None else f"frame {start + key.frame}"
        line.label(text=f"{key.joint.replace('_', ' ').title()}, {frame}")
        row = lines.row(align=True)
        row.prop(key, "before")
        row.prop(key, "after")
        remove = line.operator(UNDERSTUDY_OT_remove_joint.bl_idname, text="", icon="X")
        remove.place, remove.key = place, number
    if others:
        layout.label(text=f"Keys on other strips: {others}")
    layout.operator(UNDERSTUDY_OT_move_joints.bl_idname, icon="BONE_DATA").place = place


classes = (UNDERSTUDY_PT_corrections,)
