# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for what another thread or process does: as long as a busy machine may take, no longer than it takes."""

from __future__ import annotations

import time
from collections.abc import Callable

_PATIENCE_S, _LOOK_EVERY_S = 120.0, 0.01


def comes_true(is_so: Callable[[], bool]) -> bool:
    """Wait until something is so; say whether it came to be."""
    end_s = time.monotonic() + _PATIENCE_S
    while not (so := is_so()) and time.monotonic() < end_s:
        time.sleep(_LOOK_EVERY_S)
    return so
