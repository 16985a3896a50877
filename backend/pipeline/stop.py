# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways in which a running job is asked to stop; each sets the same flag, which the watch reads between frames."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import sys
import threading
from pathlib import Path

from ..contract import layout


class StopFlag:
    """Set once, by a signal, a line or the end of stdin, or the cancel file in the job folder."""

    def __init__(self, job_folder: Path) -> None:
        self._cancel = job_folder / layout.CANCEL
        self._set = threading.Event()
        self._cancel.unlink(missing_ok=True)

    def set(self) -> None:
        """Ask to stop."""
        self._set.set()

    def is_set(self) -> bool:
        """Whether anybody asked; looks for the cancel file too."""
        return self._set.is_set() or self._cancel.exists()

    def obey_signals(self) -> None:
        """Let Ctrl-C and SIGTERM ask to stop; a second one kills at once."""

        def stop(number: int, _frame: object) -> None:
            signal.signal(number, signal.SIG_DFL)
            self.set()

        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGTERM, stop)

    def obey_stdin(self) -> None:
        """Let the stop line or the end of stdin ask to stop, if a program holds the other end of a pipe."""
        if sys.stdin is None or not _is_pipe(sys.stdin.fileno()):
            return
        threading.Thread(target=self._listen, name="stdin", daemon=True).start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in sys.stdin:
                if line.strip() == layout.STOP_LINE:
                    break
        self.set()


def outlive_the_starter() -> None:
    """Go on when the program or terminal that started this worker closes."""
    if sys.platform != "win32":
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with contextlib.suppress(PermissionError):
            os.setsid()


def _is_pipe(descriptor: int) -> bool:
    with contextlib.suppress(OSError):
        mode = os.fstat(descriptor).st_mode
        return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
    return False
