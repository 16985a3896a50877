# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the making of an environment is, in megabytes."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ..contract.events import Event, StageStarted, StepsDone

MB = 1_000_000
_SURE_AFTER_S = 5.0
"""Before that, the time that is left can't be guessed."""


class Progress:
    """Tells of a stage's megabytes, each once. had_bytes: what was in place when it began."""

    def __init__(self, stage: str, tell: Callable[[Event], None], total_bytes: int, had_bytes: int = 0) -> None:
        self._stage, self._tell = stage, tell
        self._total, self._had = total_bytes, had_bytes
        self._said_mb = -1
        self._began_s = time.monotonic()
        tell(StageStarted(stage=stage, key=""))

    def at(self, done_bytes: int) -> None:
        """Say how many bytes are in place, if that is news."""
        done_mb = min(done_bytes, self._total) // MB
        if done_mb > self._said_mb:
            self._said_mb = done_mb
            total_mb = self._total // MB
            left_s = self._left_s(done_bytes)
            self._tell(StepsDone(stage=self._stage, done_steps=done_mb, total_steps=total_mb, seconds_left=left_s))

    def _left_s(self, done_bytes: int) -> float:
        took_s, new_bytes = time.monotonic() - self._began_s, done_bytes - self._had
        if took_s < _SURE_AFTER_S or new_bytes <= 0:
            return -1.0
        return max(0.0, self._total - done_bytes) * took_s / new_bytes


def sizes_below(folder: Path) -> Iterator[int]:
    """Give the bytes of each file below a folder in which another process is at work."""
    for inner, _, names in os.walk(folder):  # which, unlike `rglob`, passes over a folder that has just gone
        for name in names:
            with contextlib.suppress(OSError):
                if stat.S_ISREG((found := Path(inner, name).lstat()).st_mode):
                    yield found.st_size
