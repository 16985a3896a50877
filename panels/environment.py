# SPDX-License-Identifier: GPL-3.0-or-later
"""The Wan engine's Python environment, in the preferences."""

from __future__ import annotations

from bpy.types import Context, UILayout

from .. import preferences
from ..operators.create_environment import (
    UNDERSTUDY_OT_check_environment,
    UNDERSTUDY_OT_create_environment,
    UNDERSTUDY_OT_stop_environment,
)
from ..session import environment
from .words import draw_wrapped, stage_text, time_text


def draw_environment(layout: UILayout, context: Context) -> None:  # noqa: ARG001
    """Draw the buttons, how far it is, what is there, or what is in the way."""
    shown = environment.shown
    row = layout.row(align=True)
    row.operator(UNDERSTUDY_OT_create_environment.bl_idname, icon="IMPORT")
    row.operator(UNDERSTUDY_OT_stop_environment.bl_idname, icon="PAUSE")
    row.operator(UNDERSTUDY_OT_check_environment.bl_idname, icon="CHECKMARK")
    if shown.is_busy:
        _draw_progress(layout, shown)
    if shown.ready:
        draw_wrapped(layout, f"Ready: {shown.ready}")
    if shown.message:
        column = layout.column(align=True)
        column.alert = bool(shown.hint)
        draw_wrapped(column, f"{shown.message} {shown.hint}")


def _draw_progress(layout: UILayout, shown: environment.Shown) -> None:
    size = f"{shown.done_mb:,} of {shown.total_mb:,} MB" if shown.total_mb else ""
    words = (stage_text(shown.stage), size, time_text(shown.seconds_left))
    factor = shown.done_mb / max(shown.total_mb, 1)
    layout.progress(factor=factor, text=", ".join(word for word in words if word))


def register() -> None:
    """Let the preferences show it."""
    preferences.sections.append(draw_environment)


def unregister() -> None:
    """Take it away."""
    preferences.sections.remove(draw_environment)
