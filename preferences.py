# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of this machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import bpy
from bpy.props import BoolProperty, IntProperty, StringProperty
from bpy.types import AddonPreferences, Context, UILayout

PACKAGE = __package__ or "understudy"
sections: list[Callable[[UILayout, Context], None]] = []
"""What other rooms draw below the settings: whoever puts something in takes it out."""


class UNDERSTUDY_AP_preferences(AddonPreferences):
    """How much of this machine the worker may take, whether it goes on without Blender, and what the Wan engine has."""

    bl_idname = PACKAGE

    free_cores: IntProperty(  # type: ignore[valid-type]
        name="Cores Left Free", description="Processor cores that the worker leaves to you", default=1, min=0, max=64
    )
    keep_running: BoolProperty(  # type: ignore[valid-type]
        name="Keep Running in the Background",
        description="Jobs go on when Blender closes; a Blender opened later finds them",
    )
    models_folder: StringProperty(  # type: ignore[valid-type]
        name="Models Folder", description="Where the files of the Wan model lie", subtype="DIR_PATH"
    )
    wan_python: StringProperty(  # type: ignore[valid-type]
        name="Python of Wan",
        description="Python of an environment with PyTorch; Create Environment makes one and names it here",
        subtype="FILE_PATH",
    )

    def draw(self, context: Context) -> None:
        """Show the settings."""
        assert self.layout is not None
        column = self.layout.column()
        column.use_property_split = True
        column.prop(self, "free_cores")
        column.prop(self, "keep_running")
        column.separator()
        column.prop(self, "models_folder")
        column.prop(self, "wan_python")
        for section in sections:
            section(self.layout, context)


def worker_cores(context: Context) -> int:
    """Say how many cores the worker may use."""
    return max(1, (os.cpu_count() or 1) - int(_preferences(context).free_cores))


def is_kept_running(context: Context) -> bool:
    """Say whether jobs outlive Blender."""
    return bool(_preferences(context).keep_running)


def models_folder_or_none(context: Context) -> Path | None:
    """Say where the files of the Wan model lie."""
    return _path_or_none(_preferences(context).models_folder)


def wan_python_or_none(context: Context) -> Path | None:
    """Say which Python the Wan engine runs in."""
    return _path_or_none(_preferences(context).wan_python)


def choose_wan_python(context: Context, python: Path) -> None:
    """Let the Wan engine run in this Python from now on."""
    _preferences(context).wan_python = str(python)


def _path_or_none(written: str) -> Path | None:
    return Path(bpy.path.abspath(written)).absolute() if written else None


def _preferences(context: Context) -> UNDERSTUDY_AP_preferences:
    assert context.preferences is not None
    found = context.preferences.addons[PACKAGE].preferences
    assert isinstance(found, UNDERSTUDY_AP_preferences)
    return found


def register() -> None:
    """Show them in Blender's preferences."""
    bpy.utils.register_class(UNDERSTUDY_AP_preferences)


def unregister() -> None:
    """Take them away."""
    bpy.utils.unregister_class(UNDERSTUDY_AP_preferences)
