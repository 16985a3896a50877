# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures from the worker as icons that panels can draw."""

from __future__ import annotations

from pathlib import Path

from bpy.utils import previews

_icons: previews.ImagePreviewCollection | None = None
_stamps: dict[str, int] = {}
"""Which writing of each picture is loaded: the file's time in nanoseconds."""


def icon_of(path: Path) -> int:
    """Give a picture's icon as the file is now; 0 where there is none. Blender reads it when the icon is drawn."""
    assert _icons is not None
    name = str(path)
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        return 0
    if _stamps.get(name) != stamp:
        _icons.pop(name, None)
        _icons.load(name, name, "IMAGE")
        _stamps[name] = stamp
    return int(_icons[name].icon_id)


def register() -> None:
    """Make room for pictures."""
    global _icons
    _icons = previews.new()


def unregister() -> None:
    """Drop them all."""
    global _icons
    if _icons is not None:
        previews.remove(_icons)
        _icons = None
    _stamps.clear()
