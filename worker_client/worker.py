# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker that is running: heard on threads of its own, so that nobody in Blender's main thread waits for it."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import threading
import time
from pathlib import Path
from typing import IO, Protocol

from ..backend.contract import layout
from ..backend.contract.errors import UnderstudyError
from ..backend.contract.events import Event, JobRefused, from_line
from ..backend.contract.jobfolder import is_running
from ..backend.contract.wire import MessageTooNewError
from .mailbox import Mailbox

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.3
_LINES_AT_ONCE, _REST_S = 20, 0.01
"""Two thousand lines a second: a worker writes some ten."""


class Worker(Protocol):
    """Whoever does a job, as the queue sees it."""

    mailbox: Mailbox

    def is_over(self) -> bool:
        """Whether it has ended and all it said is in the mailbox."""

    def ask_to_stop(self) -> None:
        """Ask it to stop soon. It tells when it has."""

    def let_go(self) -> None:
        """Turn away from it: a worker on a leash stops then, a detached one goes on."""


class Child:
    """A worker that this Blender started in a job's folder."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self.mailbox = Mailbox()
        self._process, self._folder = process, folder
        assert process.stdout
        self._ear = threading.Thread(target=_hear, args=(process.stdout, self.mailbox), daemon=True)
        self._ear.start()

    def is_over(self) -> bool:
        """Whether the process has ended and its last line is read."""
        return self._process.poll() is not None and not self._ear.is_alive()

    def ask_to_stop(self) -> None:
        """Write the stop line, which a pipe holds until it is read, and lay the file that a detached one heeds."""
        _lay_cancel_file(self._folder)
        stdin = self._process.stdin
        with contextlib.suppress(OSError, ValueError):
            if stdin:
                stdin.write(f"{layout.STOP_LINE}\n")
                stdin.flush()

    def let_go(self) -> None:
        """Close its stdin."""
        with contextlib.suppress(OSError):
            if self._process.stdin:
                self._process.stdin.close()

    def kill(self) -> None:
        """End it at once: only for a question, which leaves nothing half done that anybody reads."""
        self._process.kill()


class Detached:
    """A worker that needs no Blender; it is heard by its event file, and stopped by a file.

    skipped: how many of the file's events are known already.
    """

    def __init__(self, folder: Path, skipped: int = 0) -> None:
        self.mailbox = Mailbox()
        self._folder, self._skipped = folder, skipped
        self._is_let_go = threading.Event()
        self._ear = threading.Thread(target=self._follow, daemon=True)
        self._ear.start()

    def is_over(self) -> bool:
        """Whether nobody does the job any more."""
        return not self._ear.is_alive()

    def ask_to_stop(self) -> None:
        """Lay the cancel file."""
        _lay_cancel_file(self._folder)

    def let_go(self) -> None:
        """Stop listening."""
        self._is_let_go.set()

    def _follow(self) -> None:
        path, offset, skip = self._folder / layout.EVENTS, 0, self._skipped
        while not self._is_let_go.is_set():
            goes_on = is_running(self._folder)
            with contextlib.suppress(OSError), path.open("rb") as file:
                file.seek(offset)
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    offset += len(line)
                    if skip:
                        skip -= 1
                    else:
                        _read(line.decode("utf-8", "replace"), self.mailbox)
            if not goes_on:
                return
            time.sleep(_LOOK_EVERY_S)


def _lay_cancel_file(folder: Path) -> None:
    with contextlib.suppress(OSError):
        (folder / layout.CANCEL).touch()


def _hear(lines: IO[str], mailbox: Mailbox) -> None:
    """Read what a worker writes, resting now and then: Blender waits for whoever holds the interpreter."""
    with contextlib.suppress(OSError, ValueError):
        for number, line in enumerate(lines, start=1):
            _read(line, mailbox)
            if number % _LINES_AT_ONCE == 0:
                time.sleep(_REST_S)


def _read(line: str, mailbox: Mailbox) -> None:
    """Pass an event on. A line that is none is lost without harm: the job's own event file is the truth."""
    try:
        event: Event = from_line(line)
    except MessageTooNewError as error:
        event = JobRefused(error=type(error).__name__, message=str(error), hint=error.hint)
    except UnderstudyError as error:
        log.info("A worker wrote %r, which is no event: %s", line[:200], error)
        return
    mailbox.put(event)
