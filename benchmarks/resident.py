# SPDX-License-Identifier: GPL-3.0-or-later
"""The process's own memory, that of mapped files left out, as Linux tells it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

_LOOK_EVERY_S = 0.002


def peak_bytes(run: Callable[[], object]) -> int:
    """Run something, and tell how far memory rose over what it was before."""
    start, peak, done = _anonymous_bytes(), 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(_LOOK_EVERY_S):
            peak = max(peak, _anonymous_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    run()
    done.set()
    watcher.join()
    return max(0, peak - start)


def _anonymous_bytes() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))
