# SPDX-License-Identifier: GPL-3.0-or-later
"""The only writer of these tools: lines that stay, and one status line that is written over."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_QUIET_STATUS_INTERVAL_S = 15.0
"""Where output goes to a file, a status that moves is written only this often."""


def line(text: str = "") -> None:
    """Write one line that stays."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def table(rows: list[tuple[str, ...]]) -> None:
    """Write rows as columns, each as wide as its longest cell but the last."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        line("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


class Status:
    """One line that says what goes on now. On a terminal it is written over; in a file it is repeated rarely."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.started_s = self.said_s = time.monotonic()
        self._is_terminal = sys.stdout.isatty()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the work began."""
        return time.monotonic() - self.started_s

    def show(self, text: str) -> None:
        """Say what is done now."""
        whole = f"{self.subject}: {text} ({self.elapsed_s:.0f} s)"
        if self._is_terminal:
            sys.stdout.write("\r\x1b[K" + whole[: shutil.get_terminal_size().columns - 1])
            sys.stdout.flush()
        elif time.monotonic() - self.said_s >= _QUIET_STATUS_INTERVAL_S:
            self.said_s = time.monotonic()
            line(whole)

    def clear(self) -> None:
        """Take the moving line away."""
        if self._is_terminal:
            sys.stdout.write("\r\x1b[K")
            sys.stdout.flush()


@contextmanager
def status(subject: str) -> Iterator[Status]:
    """Give a status line for a piece of work and take it away at its end, however it ends."""
    shown = Status(subject)
    try:
        yield shown
    finally:
        shown.clear()
