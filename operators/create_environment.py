# SPDX-License-Identifier: GPL-3.0-or-later
"""The Wan engine's Python environment: created, stopped, looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpy.types import Context, Operator

from ..session import environment
from .refusal import carry_out

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


def _poll_for_rest(operator: type[Operator]) -> bool:
    if not environment.shown.is_busy:
        return True
    operator.poll_message_set("The environment is being worked on.")
    return False


class UNDERSTUDY_OT_create_environment(Operator):
    """Fetch the Wan engine's packages into a Python environment of their own; what was fetched before is kept"""

    bl_idname = "understudy.create_environment"
    bl_label = "Create Environment"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Context) -> bool:  # noqa: ARG003
        """Need that nothing is under way."""
        return _poll_for_rest(cls)

    def execute(self, context: Context) -> set[OperatorReturnItems]:  # noqa: ARG002
        """Begin; how far it is is shown in the preferences."""
        return carry_out(self, environment.create)


class UNDERSTUDY_OT_stop_environment(Operator):
    """Stop; what was fetched is kept, and Create Environment goes on from there"""

    bl_idname = "understudy.stop_environment"
    bl_label = "Stop"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Context) -> bool:  # noqa: ARG003
        """Need that it is being created."""
        if environment.shown.is_creating:
            return True
        cls.poll_message_set("No environment is being created.")
        return False

    def execute(self, context: Context) -> set[OperatorReturnItems]:  # noqa: ARG002
        """Ask to stop."""
        environment.stop()
        return {"FINISHED"}


class UNDERSTUDY_OT_check_environment(Operator):
    """Ask the Python that is chosen whether it has what the Wan engine needs, and on what it would compute"""

    bl_idname = "understudy.check_environment"
    bl_label = "Check Environment"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Context) -> bool:  # noqa: ARG003
        """Need that nothing is under way."""
        return _poll_for_rest(cls)

    def execute(self, context: Context) -> set[OperatorReturnItems]:  # noqa: ARG002
        """Ask; the answer is shown in the preferences."""
        return carry_out(self, environment.check)


classes = (UNDERSTUDY_OT_create_environment, UNDERSTUDY_OT_stop_environment, UNDERSTUDY_OT_check_environment)
