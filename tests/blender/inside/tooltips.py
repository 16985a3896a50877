# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell what of the extension's operators and settings has no tooltip, and which operators the search does not find."""

from __future__ import annotations

from typing import Any

import bpy

from tests.blender.inside.jobs import do, switch_on
from tests.blender.inside.stage import run

_HIDDEN = {"shot", "picked_on", "numbered_in", "name", "rna_type", "bl_idname"}
"""Kept, and drawn nowhere."""
_NOTHING = ("", "(undocumented operator)")
"""What Blender tells of an operator that says nothing of itself."""
_SETTINGS = (bpy.types.PropertyGroup, bpy.types.AddonPreferences)


def ours(kind: Any) -> list[Any]:
    """List the extension's classes of a kind."""
    return [cls for cls in kind.__subclasses__() if cls.__name__.startswith("UNDERSTUDY_")]


def silent(name: str, record: Any) -> list[str]:
    """List the properties of a type that say nothing of themselves."""
    return [
        f"{name}.{prop.identifier}"
        for prop in record.properties
        if not prop.description and not prop.is_hidden and prop.identifier not in _HIDDEN
    ]


def work() -> dict[str, Any]:
    """Do it."""
    switch_on()
    types = {
        cls.bl_idname: getattr(do.understudy, cls.bl_idname.partition(".")[2]).get_rna_type()
        for cls in ours(bpy.types.Operator)
    }
    settings = {cls.__name__: cls.bl_rna for kind in _SETTINGS for cls in ours(kind)}
    return {
        "operators": len(types),
        "silent operators": [name for name, record in types.items() if record.description in _NOTHING],
        "ended by a stop": [name for name, record in types.items() if record.description.endswith(".")],
        "silent properties": [name for owner, record in (types | settings).items() for name in silent(owner, record)],
        "not searched": sorted(cls.bl_idname for cls in ours(bpy.types.Operator) if "INTERNAL" in cls.bl_options),
    }


if __name__ == "__main__":
    run(work)
