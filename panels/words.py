# SPDX-License-Identifier: GPL-3.0-or-later
"""How panels word and draw what they show of jobs."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

import bpy

from ..session.pictures import icon_of

if TYPE_CHECKING:
    from pathlib import Path

    from bpy.types import UILayout

    from ..worker_client.view import JobView

_LETTER_PX, _MARGINS_PX = 6.5, 50
"""Of a letter and of a sidebar's frame and tabs, at a scale of 1."""
_LETTERS, _FEWEST_LETTERS = 42, 16
VERBS = {"replace": "Replace", "animate": "Animate"}
_STAGES = {
    "frames": "Rendering the strip",
    "find": "Finding the people",
    "cast": "Choosing the performer",
    "track": "Tracking the performer",
    "correct": "Moving the corrected joints",
    "roto": "Rendering your matte",
    "matte": "Matting the performer",
    "plate": "Painting the clean plate",
    "character": "Reading the character",
    "background": "Filling the background",
    "weights": "Reading the weights",
    "foresee": "Looking ahead",
    "generate": "Drawing the character",
    "deliver": "Writing the layers",
    "preview": "Drawing the preview",
    "fetch": "Fetching packages",
    "unpack": "Unpacking packages",
}


def stage_text(stage: str) -> str:
    """Word what a worker is at."""
    return _STAGES.get(stage, "Starting")


def time_text(seconds: float) -> str:
    """Word the time left; nothing while it is unknown."""
    return "" if seconds < 0 else f"{duration_text(seconds)} left"


def duration_text(seconds: float) -> str:
    """Word a duration: `7 s`, `3:05`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}" if minutes else f"{rest} s"


def draw_progress(layout: UILayout, view: JobView) -> None:
    """Draw how far a job is, as a bar."""
    words = (stage_text(view.stage), time_text(view.seconds_left))
    layout.progress(factor=view.share, text=", ".join(word for word in words if word))


def draw_picture(layout: UILayout, path: Path, scale: float) -> None:
    """Draw a picture from the worker. scale: of Blender's icon size."""
    if icon := icon_of(path):
        layout.template_icon(icon_value=icon, scale=scale)


def draw_wrapped(layout: UILayout, text: str) -> None:
    """Draw a text on as many lines as it needs; Blender's labels do not wrap."""
    column = layout.column(align=True)
    for line in wrap(text, _letters_of_a_line()):
        column.label(text=line)


def _letters_of_a_line() -> int:
    """Guess how many letters fit beside each other where something is drawn now."""
    region, preferences = bpy.context.region, bpy.context.preferences
    if region is None or preferences is None or region.width <= 1:
        return _LETTERS
    width_px = region.width / preferences.system.ui_scale - _MARGINS_PX
    return max(_FEWEST_LETTERS, int(width_px / _LETTER_PX))
