# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker's program as this Blender has it: this extension's code, the wheels that came with it, and a Python.

The Python is Blender's own, but for the Wan engine, which needs more than Blender has.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import bpy

from ..backend.contract.environment import is_whole
from ..backend.contract.errors import FileMissingError, UnderstudyError
from ..preferences import PACKAGE, wan_python_or_none, worker_cores
from ..worker_client.launch import Program, start
from ..worker_client.worker import Child

DRAFT, WAN = "draft", "wan"
_OF_THE_WHEELS = "mediapipe"
_OWN_PACKAGES = ("lib/python*/site-packages", "Lib/site-packages")
_MARKS = ("pyvenv.cfg", "conda-meta")
"""What lies in an environment that has a folder to itself."""


class NoEnvironmentError(UnderstudyError):
    """The Wan engine has no Python yet."""

    hint = "In Understudy's preferences, press Create Environment, or choose the Python of one that exists."

    def __init__(self) -> None:
        super().__init__("The Wan engine needs a Python environment, and there is none.")


class EnvironmentUnfinishedError(UnderstudyError):
    """The environment that Understudy makes was cut short."""

    hint = "Press Create Environment in Understudy's preferences: what was fetched is kept."

    def __init__(self, folder: Path) -> None:
        super().__init__(f"The Wan engine's environment in {folder} is not whole.")
        self.folder = folder


def start_worker(folder: Path, *words: str, engine: str = DRAFT) -> Child:
    """Start the worker in a job's folder with a command's words, in the Python that an engine runs in.

    Raises WorkerNotStartedError, and what `program` raises.
    """
    return Child(start(program(engine), words, folder, worker_cores(bpy.context)), folder)


def program(engine: str = DRAFT) -> Program:
    """Name the program. Blender unpacks the wheels of all extensions into one folder.

    Raises NoEnvironmentError, FileMissingError, EnvironmentUnfinishedError, for the Wan engine alone.
    """
    found = find_spec(_OF_THE_WHEELS)
    wheels = (Path(found.origin).parents[1],) if found and found.origin else ()
    code = Path(__file__).parents[1]
    if engine != WAN:
        return Program(python=Path(sys.executable), code=code, libraries=wheels)
    python = _wan_python()
    return Program(python=python, code=code, libraries=(*_own_packages(python), *wheels))


def environment_folder() -> Path:
    """Give the folder in which Understudy makes the Wan engine's environment: the user's own, kept over updates."""
    return Path(bpy.utils.extension_path_user(PACKAGE, path="wan_environment", create=True))


def _wan_python() -> Path:
    python = wan_python_or_none(bpy.context)
    if python is None:
        raise NoEnvironmentError
    environment = python.parents[1]
    if environment.parent == environment_folder() and not is_whole(environment):
        raise EnvironmentUnfinishedError(environment)
    if not python.is_file():
        raise FileMissingError(python, "Python of the Wan engine")
    return python


def _own_packages(python: Path) -> tuple[Path, ...]:
    """Find an environment's packages, to name them before the wheels: these hold those of other extensions, too."""
    for root in (python.parents[1], python.parent):
        if any((root / mark).exists() for mark in _MARKS):
            return tuple(path for pattern in _OWN_PACKAGES for path in root.glob(pattern))
    return ()
