# SPDX-License-Identifier: GPL-3.0-or-later
"""Real footage for tests, where the machine has some; a test says so when it skips."""

import os
from pathlib import Path

import pytest

VARIABLE = "UNDERSTUDY_FOOTAGE"


def footage_named(name: str) -> Path:
    """Give a file of the footage folder; skips the test where there is none."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        pytest.skip(f"{VARIABLE} names no folder of footage")
    path = Path(folder) / name
    if not path.exists():
        pytest.skip(f"the footage in {folder} has no {name}")
    return path
