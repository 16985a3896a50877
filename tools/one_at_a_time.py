# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep two commands from making the same thing at once: the second waits for the first."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import say

_WAIT_S = 1.0


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file. The system frees it when the process ends, however it ends.

    Children started with `close_fds=False` hold it too (not on Windows): where this process is killed and its pip goes
    on, the next command waits for that.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+b") as file:
        os.set_inheritable(file.fileno(), True)
        if not _taken(file.fileno()):
            say.line(f"Another command is at work on {lock.stem}; waiting for it.")
            while not _taken(file.fileno()):
                time.sleep(_WAIT_S)
        yield


if sys.platform == "win32":
    import msvcrt

    def _taken(descriptor: int) -> bool:
        try:
            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _taken(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
