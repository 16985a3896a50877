# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist sees: a tab of the sequencer's sidebar, one file a group of panels."""

from __future__ import annotations

import bpy

from . import character, corrections, engine, environment, job_list, menus, output, shot

_FILES = (shot, character, engine, output, corrections, job_list)


def register() -> None:
    """Show the panels, in this order."""
    for file in _FILES:
        for cls in file.classes:
            bpy.utils.register_class(cls)
    menus.register()
    environment.register()


def unregister() -> None:
    """Take them away."""
    environment.unregister()
    menus.unregister()
    for file in reversed(_FILES):
        for cls in reversed(file.classes):
            bpy.utils.unregister_class(cls)
