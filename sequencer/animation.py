# SPDX-License-Identifier: GPL-3.0-or-later
"""The curves and drivers that move a strip's properties."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import bpy

from .compat import fcurves_of, new_fcurve
from .rna import copy_properties

if TYPE_CHECKING:
    from bpy.types import FCurve, Scene, Strip

_STEP = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|([^.\[\]]+)')
_KEY_PARTS = ("co", "handle_left", "handle_right")
_KEY_WORDS = ("handle_left_type", "handle_right_type", "interpolation", "type", "easing", "back", "amplitude", "period")


def curves_of_strip(scene: Scene, strip: Strip) -> Iterator[tuple[str, FCurve]]:
    """Yield the strip's curves with the paths of their properties from the strip on: `transform.scale_x`."""
    yield from _of_strip(fcurves_of(scene), strip)


def drivers_of_strip(scene: Scene, strip: Strip) -> Iterator[tuple[str, FCurve]]:
    """Yield the strip's drivers, likewise."""
    yield from _of_strip(scene.animation_data.drivers if scene.animation_data else (), strip)


def is_animated(scene: Scene, strip: Strip, name: str) -> bool:
    """Say whether a property of the strip moves."""
    return name in moving_paths(scene, strip)


def moving_paths(scene: Scene, strip: Strip) -> list[str]:
    """List the paths of the strip's properties that curves or drivers move."""
    moving = (*curves_of_strip(scene, strip), *drivers_of_strip(scene, strip))
    return [path for path, _ in moving]


def steps_of(path: str) -> list[str]:
    """Take a path apart: `modifiers["my curve"].mute` into modifiers, my curve, mute."""
    return [bpy.utils.unescape_identifier(name) if name else word for name, word in _STEP.findall(path)]


def copy_animation(scene: Scene, source: Strip, target: Strip, names: Iterable[str]) -> None:
    """Let a strip's properties, and their parts, move as another's do."""
    roots, to = set(names), target.path_from_id()
    for path, curve in list(curves_of_strip(scene, source)):
        if root_of(path) in roots:
            _copy_keys(curve, new_fcurve(scene, _join(to, path), curve.array_index))
    for path, driver in list(drivers_of_strip(scene, source)):
        if root_of(path) in roots:
            data = scene.animation_data
            assert data is not None
            data.drivers.from_existing(src_driver=driver).data_path = _join(to, path)


def _of_strip(curves: Iterable[FCurve], strip: Strip) -> Iterator[tuple[str, FCurve]]:
    start = strip.path_from_id()
    for curve in curves:
        path = curve.data_path
        if path.startswith(start) and path[len(start) : len(start) + 1] in {".", "["}:
            yield path.removeprefix(start).removeprefix("."), curve


def root_of(path: str) -> str:
    """Return the property that a path begins with: `transform` of `transform.scale_x`."""
    return path.partition(".")[0].partition("[")[0]


def _join(start: str, path: str) -> str:
    return f"{start}{path}" if path.startswith("[") else f"{start}.{path}"


def _copy_keys(source: FCurve, target: Any) -> None:
    target.extrapolation, target.mute = source.extrapolation, source.mute
    target.keyframe_points.add(len(source.keyframe_points))
    for key, copy in zip(source.keyframe_points, target.keyframe_points, strict=True):
        copy_properties(key, copy, _KEY_WORDS)
        copy_properties(key, copy, _KEY_PARTS)
    for modifier in source.modifiers:
        copy_properties(modifier, target.modifiers.new(modifier.type))
    target.update()
