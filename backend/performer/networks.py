# SPDX-License-Identifier: GPL-3.0-or-later
"""The tracker's networks on disk, and mediapipe imported so that it also runs from an extension's wheels."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any

from ..contract.errors import UnderstudyError
from .offline import keep_offline

FOLDER_VARIABLE = "UNDERSTUDY_NETWORKS"

_LIBRARY_LOADER = "mediapipe.tasks.python.core.mediapipe_c_bindings"
_ONE_AT_A_TIME = Lock()
"""A shot is walked both ways at once; either walk would take away the stand-in while the other imports."""

_REPOSITORY = Path(__file__).resolve().parents[2]


class Network(StrEnum):
    """File names of what tools/pack_networks.py makes."""

    POSE = "pose.task"
    FACE = "face.task"
    HAND = "hand.task"
    SELFIE = "selfie.tflite"


class NetworksMissingError(UnderstudyError):
    """The tracker's networks are not where they should be."""

    hint = "Run tools/pack_networks.py, or install the extension from its zip, which holds them."

    def __init__(self, folder: Path, names: tuple[str, ...]) -> None:
        super().__init__(f"The tracker's networks {', '.join(names)} are missing in {folder}.")
        self.folder, self.names = folder, names


class TrackerLibraryError(UnderstudyError):
    """The system lacks a library that mediapipe's own is linked to. why: the system's words, which name it."""

    hint = (
        "Install the library that is named. libGLESv2 and libEGL are in libgles2 and libegl1 on Debian and Ubuntu, "
        "in libglvnd-gles and libglvnd-egl on Fedora and Rocky Linux."
    )

    def __init__(self, why: str) -> None:
        super().__init__(f"The tracker, mediapipe, can't be loaded on this machine: {why}.")
        self.why = why


def networks_folder() -> Path:
    """Where the networks lie: the environment's UNDERSTUDY_NETWORKS, else `wheels/networks` beside this code."""
    return Path(os.environ.get(FOLDER_VARIABLE) or _REPOSITORY / "wheels" / "networks")


def network_bytes(network: Network) -> bytes:
    """Read a network. mediapipe gets bytes, not paths: its own file access fails on non-ASCII ones on Windows.

    Raises NetworksMissingError, naming all that are missing.
    """
    folder = networks_folder()
    missing = tuple(name for name in Network if not (folder / name).is_file())
    if missing:
        raise NetworksMissingError(folder, missing)
    return (folder / network).read_bytes()


def mediapipe() -> Any:
    """Import mediapipe's tasks, kept offline, without matplotlib, which they import for drawings never made here.

    Raises ImportError, and TrackerLibraryError: mediapipe itself would load its library with the first task only.
    """
    with _ONE_AT_A_TIME:
        tasks = _imported()
        try:
            importlib.import_module(_LIBRARY_LOADER).load_raw_library()
        except OSError as error:
            raise TrackerLibraryError(str(error)) from error
    return tasks


@cache
def _imported() -> ModuleType:
    keep_offline()
    with _without_matplotlib():
        return importlib.import_module("mediapipe")


@contextmanager
def _without_matplotlib() -> Iterator[None]:
    """Let an empty matplotlib stand in where there is none, and take it away again: others ask whether it is there."""
    if "matplotlib" in sys.modules or find_spec("matplotlib") is not None:
        yield
        return
    stand_in = ModuleType("matplotlib")
    stand_in.pyplot = ModuleType("matplotlib.pyplot")  # type: ignore[attr-defined]
    sys.modules |= {"matplotlib": stand_in, "matplotlib.pyplot": stand_in.pyplot}
    try:
        yield
    finally:
        del sys.modules["matplotlib"], sys.modules["matplotlib.pyplot"]
