# SPDX-License-Identifier: GPL-3.0-or-later
"""How the worker is started: Blender's own Python as a process of its own, behind the artist's other work."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ..backend.contract import layout
from ..backend.contract.errors import UnderstudyError

_NICENESS = 10
_MOST_CORES = 63
"""More do not fit the mask by which Windows binds a process."""
_KEPT_OUT = ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONINSPECT")
"""What the artist's own Python settings must not change in the worker."""


class WorkerNotStartedError(UnderstudyError):
    """The operating system would not start the worker."""

    hint = "Restart Blender; if that does not help, install Understudy again."

    def __init__(self, python: Path, reason: str) -> None:
        super().__init__(f"The worker could not be started by {python}: {reason}.")
        self.python, self.reason = python, reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The worker's program. code: the folder that holds `backend`; libraries: where its packages are unpacked."""

    python: Path
    code: Path
    libraries: tuple[Path, ...]


def start(program: Program, words: tuple[str, ...], folder: Path, cores: int) -> subprocess.Popen[str]:
    """Start `python -m backend WORDS --json` in a job folder, at below-normal priority, on so many cores at most.

    Its stdin is a leash: the worker stops when it ends. A job's folder may be anybody's: `-P` keeps modules that lie in
    it from being imported. Raises WorkerNotStartedError.
    """
    command = [str(program.python), "-s", "-P", "-m", "backend", *words, "--json"]
    try:
        with (folder / layout.LOG).open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment(program),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
                creationflags=_windows_flags(),
            )
    except OSError as error:
        raise WorkerNotStartedError(program.python, error.strerror or str(error)) from error
    _step_back(process, cores)
    return process


def environment(program: Program) -> dict[str, str]:
    """Give the worker's environment variables: this process's, but for Python the program's own paths alone."""
    kept = {name: value for name, value in os.environ.items() if name not in _KEPT_OUT}
    paths = os.pathsep.join(map(str, (program.code, *program.libraries)))
    return kept | {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1", "PYTHONNOUSERSITE": "1"}


def _windows_flags() -> int:
    if sys.platform != "win32":
        return 0
    return subprocess.BELOW_NORMAL_PRIORITY_CLASS | subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP


def _step_back(process: subprocess.Popen[str], cores: int) -> None:
    """Lower the priority and leave cores free. What a system does not offer is left: macOS binds to no cores."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            mask = ctypes.c_size_t((1 << min(cores, _MOST_CORES)) - 1)
            ctypes.windll.kernel32.SetProcessAffinityMask(ctypes.c_void_p(int(process._handle)), mask)
            return
        os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
        if sys.platform == "linux":
            os.sched_setaffinity(process.pid, sorted(os.sched_getaffinity(0))[-cores:])
