# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension as Blender loads it. This file only switches the rooms on and off.

It is imported by tools that have no Blender, too (a package at the root is in pytest's and mypy's way): so whatever
needs `bpy` is imported inside these functions.
"""

from importlib import import_module

_ROOMS = ("preferences", "properties", "session", "operators", "panels")


def register() -> None:
    """Switch the extension on."""
    for room in _ROOMS:
        import_module(f".{room}", __package__).register()


def unregister() -> None:
    """Switch it off, in the reverse order."""
    for room in reversed(_ROOMS):
        import_module(f".{room}", __package__).unregister()
