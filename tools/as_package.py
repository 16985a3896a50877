# SPDX-License-Identifier: GPL-3.0-or-later
"""Let the checkout be imported as `understudy`, whatever its folder is called: as Blender imports the extension.

The rooms of Blender's side import each other and the contract relatively, as an extension must. Outside Blender their
tests and types need the package that they are in.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from .layout import BUILD, ROOT

PACKAGE = "understudy"
ROOMS = ("operators", "panels", "picker", "preferences", "properties", "sequencer", "session", "worker_client")
"""Blender's side: what is imported as part of the package only."""


def package_folder() -> Path:
    """Make the folder, if need be, that holds the checkout under the package's name; return it for a search path."""
    folder = BUILD / "package"
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        (folder / PACKAGE).symlink_to(ROOT, target_is_directory=True)
    return folder


def rooms_here() -> tuple[str, ...]:
    """List the rooms of Blender's side that this checkout has, by their full names."""
    return tuple(f"{PACKAGE}.{room}" for room in ROOMS if (ROOT / room).is_dir() or (ROOT / f"{room}.py").is_file())
