# SPDX-License-Identifier: GPL-3.0-or-later
"""The main thing: the active strip's performer replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpy.types import Context, Operator

from ..backend.contract.errors import UnderstudyError
from ..session import jobs
from ..session.order import take_order
from .refusal import poll_for_strip, refuse

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


class UNDERSTUDY_OT_start_job(Operator):
    """Replace the performer of the active strip by the character, in the background; results come as strips above it"""

    bl_idname = "understudy.start_job"
    bl_label = "Replace"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Need a strip."""
        return poll_for_strip(cls, context)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Write the job and put it in line."""
        try:
            view = jobs.add(take_order(context).folder)
        except UnderstudyError as error:
            return refuse(self, error)
        self.report({"INFO"}, f"{view.name} is in line; the Jobs panel shows how far it is.")
        return {"FINISHED"}


classes = (UNDERSTUDY_OT_start_job,)
