# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist can do. Each operator gathers, delegates and reports."""

from __future__ import annotations

import bpy

from . import (
    build_comp,
    cast,
    correct,
    create_environment,
    find_performers,
    lora,
    manage_job,
    overlay,
    preview_frame,
    start_job,
    swap_version,
)

_FILES = (
    start_job,
    cast,
    preview_frame,
    find_performers,
    correct,
    lora,
    manage_job,
    swap_version,
    build_comp,
    create_environment,
)


def register() -> None:
    """Let Blender know the operators."""
    for file in _FILES:
        for cls in file.classes:
            bpy.utils.register_class(cls)


def unregister() -> None:
    """Take them away."""
    overlay.remove_all()
    for file in reversed(_FILES):
        for cls in reversed(file.classes):
            bpy.utils.unregister_class(cls)
