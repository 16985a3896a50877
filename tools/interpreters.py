# SPDX-License-Identifier: GPL-3.0-or-later
"""Find a Python of a given version: one process holds one bpy, and each bpy wants its own Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from .failures import PythonMissingError

_ASK_VERSION = "import sys; sys.stdout.write('%d.%d' % sys.version_info[:2])"
_ASK_TIMEOUT_S = 20.0


def find_python(version: str, wanted_by: str) -> Path:
    """Return an interpreter of `version` ("3.11"). Raises PythonMissingError."""
    for candidate in _candidates(version):
        if _version_of(candidate) == version:
            return candidate
    raise PythonMissingError(version, wanted_by)


def _candidates(version: str) -> Iterator[Path]:
    """Yield this interpreter, then those on the path, then pyenv's, which need not be on the path."""
    yield Path(sys.executable)
    for name in (f"python{version}", "python3", "python"):
        found = shutil.which(name)
        if found:
            yield Path(found)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"), reverse=True)
    yield from sorted(pyenv.glob(f"pyenv-win/versions/{version}.*/python.exe"), reverse=True)


def _version_of(python: Path) -> str:
    """Ask an interpreter for its version; "" where it does not start (a shim without a Python behind it)."""
    try:
        asked = subprocess.run(
            [python, "-I", "-c", _ASK_VERSION], capture_output=True, text=True, timeout=_ASK_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout if asked.returncode == 0 else ""
