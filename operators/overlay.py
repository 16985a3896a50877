# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines and dots drawn over the sequencer's preview."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin
from typing import TYPE_CHECKING

import blf
import bpy
import gpu
from gpu_extras.batch import batch_for_shader

from ..picker.canvas import Placement, Point

if TYPE_CHECKING:
    from collections.abc import Callable

    from bpy.types import Region

_LINE_PX = 2.0
_TEXT_PX = 22
_DOT_PX = 5.0
_FOUND, _CHOSEN, _DRAWN = (1.0, 1.0, 1.0, 0.9), (1.0, 0.62, 0.1, 1.0), (0.3, 0.8, 1.0, 1.0)
_RING = tuple((_DOT_PX * cos(turn * pi / 6), _DOT_PX * sin(turn * pi / 6)) for turn in range(13))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A line through points of the shot, in its pixels, or a dot on a single one; and its caption."""

    points: tuple[Point, ...]
    caption: str = ""
    is_chosen: bool = False
    is_drawn: bool = False


class Overlay:
    """Draws marks over every preview until it is taken away."""

    def __init__(self, placement: Placement, marks: Callable[[], list[Mark]]) -> None:
        self._placement, self._marks = placement, marks
        _shown.append(self)
        self._handle = bpy.types.SpaceSequenceEditor.draw_handler_add(self._draw, (), "PREVIEW", "POST_PIXEL")

    def remove(self) -> None:
        """Leave no trace."""
        if self not in _shown:
            return
        _shown.remove(self)
        bpy.types.SpaceSequenceEditor.draw_handler_remove(self._handle, "PREVIEW")

    def _draw(self) -> None:
        region = bpy.context.region
        assert region is not None
        shader = gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")
        shader.uniform_float("viewportSize", (region.width, region.height))
        shader.uniform_float("lineWidth", _LINE_PX)
        for mark in self._marks():
            colour = _CHOSEN if mark.is_chosen else _DRAWN if mark.is_drawn else _FOUND
            points = [on_region(region, self._placement, point) for point in mark.points]
            line = points if len(points) > 1 else [(points[0][0] + x, points[0][1] + y) for x, y in _RING]
            shader.uniform_float("color", colour)
            batch_for_shader(shader, "LINE_STRIP", {"pos": [(*point, 0.0) for point in line]}).draw(shader)
            _write(mark.caption, points[0], colour)


_shown: list[Overlay] = []


def is_any_shown() -> bool:
    """Whether something is drawn over the previews now."""
    return bool(_shown)


def remove_all() -> None:
    """Take away what is drawn: Blender does not tell a modal operator when its extension is switched off."""
    for overlay in list(_shown):
        overlay.remove()


def on_region(region: Region, placement: Placement, pixel: Point) -> Point:
    """Tell where a pixel of the shot is in a preview region."""
    x, y = region.view2d.view_to_region(*placement.to_canvas(pixel), clip=False)
    return float(x), float(y)


def under_mouse(region: Region, placement: Placement, mouse: Point) -> Point:
    """Tell which pixel of the shot is under the mouse in a preview region."""
    x, y = region.view2d.region_to_view(*mouse)
    return placement.to_pixel((float(x), float(y)))


def _write(text: str, at: Point, colour: tuple[float, float, float, float]) -> None:
    blf.size(0, _TEXT_PX)
    blf.enable(0, blf.SHADOW)
    blf.shadow(0, 5, 0.0, 0.0, 0.0, 1.0)
    blf.color(0, *colour)
    blf.position(0, at[0] + 4, at[1] - _TEXT_PX, 0)
    blf.draw(0, text)
    blf.disable(0, blf.SHADOW)
