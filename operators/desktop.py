# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and folders opened in the desktop's own programs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import bpy

from ..backend.contract.errors import UnderstudyError


class NothingOpensError(UnderstudyError):
    """The desktop has no program that opens files for others."""

    hint = "Install xdg-utils, or open it yourself."

    def __init__(self, path: Path) -> None:
        super().__init__(f"Nothing is here that would open {path}.")
        self.path = path


def open_outside(path: Path) -> None:
    """Let the desktop show a file or folder. Raises NothingOpensError, and RuntimeError with Blender's words.

    Blender's own operator waits on Linux, without a desktop that takes over until the viewer is closed.
    """
    if sys.platform != "linux":
        bpy.ops.wm.path_open(filepath=str(path))
        return
    silent = subprocess.DEVNULL
    try:
        subprocess.Popen(["xdg-open", str(path)], stdin=silent, stdout=silent, stderr=silent, start_new_session=True)
    except FileNotFoundError as error:
        raise NothingOpensError(path) from error
