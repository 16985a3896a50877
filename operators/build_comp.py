# SPDX-License-Identifier: GPL-3.0-or-later
"""The job's layers as compositor nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpy.types import Context, Operator

from ..backend.contract.errors import UnderstudyError
from ..sequencer.comp import build_comp
from ..session import jobs
from ..session.focus import scene_of
from ..session.placing import placing_of, take_of
from .refusal import poll_for_delivery, refuse

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


class UNDERSTUDY_OT_build_comp(Operator):
    """Make a node group of plate, character and matte, with controls for edge and light, in this scene's compositor"""

    bl_idname = "understudy.build_comp"
    bl_label = "Build Comp"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Need a delivery."""
        return poll_for_delivery(cls, context)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Build it."""
        view = jobs.active_view(context)
        assert view is not None, "poll has seen to it"
        try:
            build_comp(scene_of(context), take_of(view, placing_of(view.folder)))
        except UnderstudyError as error:
            return refuse(self, error)
        self.report({"INFO"}, "The comp is in the compositor. It renders when Post Processing > Sequencer is off.")
        return {"FINISHED"}


classes = (UNDERSTUDY_OT_build_comp,)
