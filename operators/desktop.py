# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and folders opened in the desktop's own programs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy.types import Operator

from ..backend.contract.errors import UnderstudyError
from .refusal import refuse

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


class NothingOpensError(UnderstudyError):
    """The desktop has no program that opens files for others."""

    hint = "Install xdg-utils, or open it yourself."

    def __init__(self, path: Path) -> None:
        super().__init__(f"Nothing is here that would open {path}.")
        self.path = path


def open_outside(operator: Operator, path: Path) -> set[OperatorReturnItems]:
    """Let the desktop show a file or folder, without waiting for its viewer; report what is in the way."""
    try:
        _open(path)
    except (RuntimeError, NothingOpensError) as error:
        return refuse(operator, error)
    return {"FINISHED"}


def _open(path: Path) -> None:
    """Hand a path to the desktop. Raises NothingOpensError, and RuntimeError with Blender's words.

    On Linux not by Blender's own operator: where no desktop takes the file over, it waits until the viewer is closed.
    """
    if sys.platform != "linux":
        bpy.ops.wm.path_open(filepath=str(path))
        return
    silent = subprocess.DEVNULL
    try:
        subprocess.Popen(["xdg-open", str(path)], stdin=silent, stdout=silent, stderr=silent, start_new_session=True)
    except FileNotFoundError as error:
        raise NothingOpensError(path) from error
