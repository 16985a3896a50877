# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's records by what Blender itself says of them: copied, without a list of every kind's properties."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import bpy

from .compat import OLD_TIMES, STRIP_TYPE


def properties(record: Any, names: Collection[str] | None = None) -> Iterator[Any]:
    """Yield what Blender says of a record's properties, of these alone if named."""
    for prop in record.bl_rna.properties:
        name = prop.identifier
        if name != "rna_type" and name not in OLD_TIMES and (names is None or name in names):
            yield prop


def plain(record: Any, name: str) -> Any:
    """Read a property as text, numbers, and lists of them."""
    value = getattr(record, name)
    if isinstance(value, set):
        return sorted(value)
    return value if isinstance(value, str | int | float | None) else [*_flat(value)]


def copy_properties(source: Any, target: Any, names: Collection[str] | None = None) -> None:
    """Give one record the values of another of its kind, down to its points; strips and datablocks are shared."""
    for prop in properties(source, names):
        name = prop.identifier
        value = getattr(source, name)
        if prop.type == "COLLECTION":
            _copy_collection(value, getattr(target, name))
        elif not prop.is_readonly:
            setattr(target, name, value)
        elif prop.type == "POINTER" and value is not None and not is_shared(value):
            copy_properties(value, getattr(target, name))
    if isinstance(target, bpy.types.CurveMapping):
        target.update()


def is_shared(value: Any) -> bool:
    """Say whether a record stands for itself: a strip or a datablock, not a part of what points to it."""
    return isinstance(value, bpy.types.ID | STRIP_TYPE)


def _flat(values: Any) -> Iterator[Any]:
    for value in values:
        if hasattr(value, "__len__"):
            yield from _flat(value)
        else:
            yield value


def _copy_collection(source: Any, target: Any) -> None:
    """Copy what both have; only the points of a curve can be made and taken away here."""
    while len(target) > len(source) and hasattr(target[-1], "location"):
        target.remove(target[-1])
    for index, item in enumerate(source):
        if index >= len(target) and hasattr(item, "location"):
            target.new(*item.location)
        if index < len(target):
            copy_properties(item, target[index])
