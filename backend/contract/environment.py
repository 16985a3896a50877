# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the Wan engine's own Python environment lies, and how one that is whole is told from one that was cut short.

In the folder is one environment for each Python, beside what making it needs. A seal is laid into it last.
"""

from __future__ import annotations

import sys
from pathlib import Path

_SEAL = "made_from.txt"


def environment_of(folder: Path) -> Path:
    """Say where the environment for this process's own Python lies."""
    return folder / f"python{sys.version_info.major}.{sys.version_info.minor}"


def python_of(environment: Path) -> Path:
    """Name its interpreter."""
    return environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def seal_of(environment: Path) -> Path:
    """Name the copy of the list that it was made from, which is there only if it is whole."""
    return environment / _SEAL


def is_whole(environment: Path) -> bool:
    """Tell whether it was made to its end, from whatever list."""
    return seal_of(environment).is_file()
