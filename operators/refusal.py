# SPDX-License-Identifier: GPL-3.0-or-later
"""How every operator says that something will not do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bpy.types import Context, Operator

from ..backend.contract.errors import UnderstudyError
from ..session import jobs
from ..session.focus import active_strip_or_none
from ..worker_client.states import State
from ..worker_client.view import JobView
from .overlay import is_any_shown

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


def refuse(operator: Operator, error: UnderstudyError | RuntimeError) -> set[OperatorReturnItems]:
    """Report an error with its hint, and change nothing. Blender's own come as RuntimeError."""
    operator.report({"ERROR"}, error.advice if isinstance(error, UnderstudyError) else str(error).strip())
    return {"CANCELLED"}


def carry_out(operator: Operator, what: Callable[[], object]) -> set[OperatorReturnItems]:
    """Run an operator's work and say that it is finished; if it raises an UnderstudyError, report that and cancel."""
    try:
        what()
    except UnderstudyError as error:
        return refuse(operator, error)
    return {"FINISHED"}


def poll_for_strip(operator: type[Operator], context: Context) -> bool:
    """Tell whether a strip with pictures is active; say what is missing."""
    strip = active_strip_or_none(context)
    if strip is None:
        operator.poll_message_set("Select a strip in the sequencer first.")
    elif strip.type == "SOUND":
        operator.poll_message_set("The active strip is sound. Select one with pictures.")
    else:
        return True
    return False


def poll_for_job(
    operator: type[Operator], context: Context, states: frozenset[State] = frozenset(State), reason: str = ""
) -> bool:
    """Tell whether a job is chosen in the list, in one of these states; say so if none is."""
    view = jobs.active_view(context)
    if view is None:
        operator.poll_message_set("Choose a job in the list first.")
    elif view.state not in states:
        operator.poll_message_set(reason)
    else:
        return True
    return False


def poll_for_delivery(operator: type[Operator], context: Context) -> bool:
    """Tell whether the job that is chosen has delivered; say so if it has not."""
    if not poll_for_job(operator, context):
        return False
    if chosen(context).delivered is not None:
        return True
    operator.poll_message_set("The job has delivered nothing yet.")
    return False


def poll_for_bare_preview(operator: type[Operator]) -> bool:
    """Tell whether nothing is drawn over the preview; say so if something is."""
    if is_any_shown():
        operator.poll_message_set("Press Esc first to end what is drawn over the preview.")
    return not is_any_shown()


def chosen(context: Context) -> JobView:
    """Give the job that is chosen in the list, once poll has let the operator run."""
    view = jobs.active_view(context)
    assert view is not None, "poll has seen to it"
    return view
