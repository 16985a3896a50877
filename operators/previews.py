# SPDX-License-Identifier: GPL-3.0-or-later
"""The sequencer's previews of a window: whether the mouse is in one, and that they are drawn anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bpy.types import Area, Context, Event, Region


def set_status(context: Context, text: str | None) -> None:
    """Say in the status bar what can be done; None gives it back to Blender."""
    if context.workspace is not None:
        context.workspace.status_text_set(text)


def redraw(context: Context) -> None:
    """Draw the sequencers anew."""
    for area in context.screen.areas if context.screen else ():
        if area.type == "SEQUENCE_EDITOR":
            area.tag_redraw()


def has_preview(context: Context) -> bool:
    """Whether any preview is shown."""
    return any(region.type == "PREVIEW" for _, region in _regions(context))


def preview_under(context: Context, event: Event) -> Region | None:
    """Give the preview region that the mouse is in, unless a sidebar or header lies over it there."""
    under = [region for _, region in _regions(context) if _is_in(region, event)]
    is_bare = all(region.type == "PREVIEW" for region in under)
    return under[0] if under and is_bare else None


def mouse_in(region: Region, event: Event) -> tuple[float, float]:
    """Tell where the mouse is in a region."""
    return float(event.mouse_x - region.x), float(event.mouse_y - region.y)


def _regions(context: Context) -> Iterator[tuple[Area, Region]]:
    for area in context.screen.areas if context.screen else ():
        if area.type == "SEQUENCE_EDITOR":
            yield from ((area, region) for region in area.regions if region.width > 1 and region.height > 1)


def _is_in(region: Region, event: Event) -> bool:
    x, y = mouse_in(region, event)
    return 0 <= x < region.width and 0 <= y < region.height
