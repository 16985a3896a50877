# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker's program as this Blender has it: its own Python, this extension's code, the wheels that came with it."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import bpy

from ..preferences import worker_cores
from ..worker_client.launch import Program, start
from ..worker_client.worker import Child

_OF_THE_WHEELS = "mediapipe"


def start_worker(folder: Path, *words: str) -> Child:
    """Start the worker in a job's folder with a command's words. Raises WorkerNotStartedError."""
    return Child(start(program(), words, folder, worker_cores(bpy.context)), folder)


def program() -> Program:
    """Name the program. Blender unpacks the wheels of all extensions into one folder."""
    found = find_spec(_OF_THE_WHEELS)
    libraries = (Path(found.origin).parents[1],) if found and found.origin else ()
    return Program(python=Path(sys.executable), code=Path(__file__).parents[1], libraries=libraries)
