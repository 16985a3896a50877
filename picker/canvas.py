# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a shot's pixels are on the sequencer's canvas, and the way back. No bpy: geometry alone.

Pixels: x right, y down, from the upper left corner. Canvas: x right, y up, from its middle, in pixels of the render.
Blender turns and scales a strip's picture about its origin and then moves it (5.2, `sequencer_image_transform`).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, sin

Point = tuple[float, float]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """How a picture of width x height lies on the canvas. rotation in radians; origin in parts of the picture."""

    width: int
    height: int
    scale: Point = (1.0, 1.0)
    offset: Point = (0.0, 0.0)
    rotation: float = 0.0
    origin: Point = (0.5, 0.5)
    flip: tuple[bool, bool] = (False, False)

    def to_canvas(self, pixel: Point) -> Point:
        """Tell where a pixel is on the canvas."""
        x, y = pixel[0] - self.width / 2, self.height / 2 - pixel[1]
        x, y = (-x if self.flip[0] else x), (-y if self.flip[1] else y)
        pivot_x, pivot_y = self._pivot()
        x, y = (x - pivot_x) * self.scale[0], (y - pivot_y) * self.scale[1]
        x, y = x * cos(self.rotation) - y * sin(self.rotation), x * sin(self.rotation) + y * cos(self.rotation)
        return x + pivot_x + self.offset[0], y + pivot_y + self.offset[1]

    def to_pixel(self, place: Point) -> Point:
        """Tell which pixel is at a place of the canvas; the inverse of `to_canvas`."""
        pivot_x, pivot_y = self._pivot()
        x, y = place[0] - self.offset[0] - pivot_x, place[1] - self.offset[1] - pivot_y
        x, y = x * cos(self.rotation) + y * sin(self.rotation), y * cos(self.rotation) - x * sin(self.rotation)
        x, y = x / self.scale[0] + pivot_x, y / self.scale[1] + pivot_y
        x, y = (-x if self.flip[0] else x), (-y if self.flip[1] else y)
        return x + self.width / 2, self.height / 2 - y

    def _pivot(self) -> Point:
        return (self.origin[0] - 0.5) * self.width, (self.origin[1] - 0.5) * self.height


def outline(box: Box) -> tuple[Point, ...]:
    """List a box's corners in order round it, and the first again."""
    x, y, x1, y1 = box
    return (x, y), (x1, y), (x1, y1), (x, y1), (x, y)


def box_between(one: Point, other: Point) -> Box:
    """Make a box of two opposite corners in any order."""
    (x, x1), (y, y1) = sorted((one[0], other[0])), sorted((one[1], other[1]))
    return x, y, x1, y1


def is_inside(point: Point, box: Box) -> bool:
    """Tell whether a point lies in a box."""
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]
