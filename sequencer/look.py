# SPDX-License-Identifier: GPL-3.0-or-later
"""What a strip does to its own pixels before they are seen: taken away for raw frames, given to their results.

What a strip does to time (trim, speed, reverse, strobe) is no part of it: raw frames are those that are seen, when
they are seen, and strobe counts from the start of the content, which results don't have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .animation import copy_animation, is_animated
from .compat import new_modifier
from .rna import copy_properties

if TYPE_CHECKING:
    from bpy.types import Scene, Strip

COVERING = {"REPLACE", "ALPHA_OVER", "CROSS"}
"""How a strip that is opaque can be blended and hide all below. Effects are made with the last."""

_NEUTRAL_PLACE: dict[str, dict[str, Any]] = {
    "transform": {"scale_x": 1.0, "scale_y": 1.0, "offset_x": 0.0, "offset_y": 0.0, "rotation": 0.0},
    "crop": {"min_x": 0, "max_x": 0, "min_y": 0, "max_y": 0},
}
_NEUTRAL: dict[str, Any] = {
    "use_flip_x": False,
    "use_flip_y": False,
    "color_multiply": 1.0,
    "color_saturation": 1.0,
    "multiply_alpha": False,
    "use_float": False,
    "blend_alpha": 1.0,
    "blend_type": "REPLACE",
}
LOOK = frozenset({*_NEUTRAL_PLACE, *_NEUTRAL, "modifiers", "use_linear_modifiers", "mute", "channel"})
"""Names of the properties that `take_look_away` makes neutral or that don't touch the strip's own pixels."""

TIMING = ("strobe",)
"""What can be animated and is no part of the look."""

_WHERE = ("transform", "crop", "use_flip_x", "use_flip_y", "blend_alpha")
"""Where and how far a strip is seen: given to every result."""
_COLOUR = ("color_multiply", "color_saturation", "use_linear_modifiers")
"""What is done to its colours: given to results that are pictures, not to mattes."""


def take_look_away(strip: Strip) -> None:
    """Leave nothing but the strip's own pixels. Animation of its look must be gone: it would win at the render."""
    for name, value in _NEUTRAL.items():
        if hasattr(strip, name):
            setattr(strip, name, value)
    for owner, values in _NEUTRAL_PLACE.items():
        for name, value in values.items() if hasattr(strip, owner) else ():
            setattr(getattr(strip, owner), name, value)
    for modifier in strip.modifiers:
        modifier.mute = True


def copy_look(scene: Scene, source: Strip, result: Strip, *, is_matte: bool) -> None:
    """Give a result of raw pixels the place, fades, grade and their animation of the strip that it was made from."""
    names = _WHERE if is_matte else _WHERE + _COLOUR
    copy_properties(source, result, names)
    copy_animation(scene, source, result, names if is_matte else (*names, "modifiers"))
    for modifier in () if is_matte else source.modifiers:
        copy_properties(modifier, new_modifier(scene, result, modifier.name, modifier.type))


def covers_fully(scene: Scene, strip: Strip) -> bool:
    """Say whether nothing below the strip can be seen through it, by its blending (its alpha is another matter)."""
    is_faded = strip.blend_alpha != 1.0 or is_animated(scene, strip, "blend_alpha")
    return not is_faded and strip.blend_type in COVERING
