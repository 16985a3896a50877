# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension as Blender loads it. This file only switches the rooms on and off.

It is imported by tools that have no Blender, too (a package at the root is in pytest's and mypy's way): so whatever
needs `bpy` is imported inside these functions.
"""


def register() -> None:
    """Switch the extension on. There is no Blender side yet: its rooms are registered here as they come."""


def unregister() -> None:
    """Switch it off, in the reverse order."""
