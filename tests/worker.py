# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker as a process, for tests: started, listened to, killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backend.contract.events import Event, from_line

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Hold:
    """Where a worker stands still: after the nth event of a kind and stage, until a file is there."""

    kind: type[Event]
    stage: str
    until: Path
    nth: int = 1

    def is_of(self, event: Event) -> bool:
        """Whether the event is of that kind and stage."""
        return isinstance(event, self.kind) and getattr(event, "stage", "") == self.stage

    @property
    def words(self) -> list[str]:
        """Give the module to run, and its first words."""
        return ["tests.held", self.kind.kind, self.stage, str(self.nth), str(self.until)]


class Worker:
    """`python -m backend WORDS --json`, running. Its stdin stays open until `close_stdin`.

    hold: where it stands still until `go_on`, so that what is done to it in between strikes it there.
    """

    def __init__(self, *words: str | Path, cwd: Path = ROOT, hold: Hold | None = None) -> None:
        self.hold = hold
        self.process = subprocess.Popen(
            [sys.executable, "-m", *(hold.words if hold else ["backend"]), *map(str, words), "--json"],
            cwd=cwd,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )

    def events(self) -> Iterator[Event]:
        """Yield events as they come, until the worker ends."""
        assert self.process.stdout
        for line in self.process.stdout:
            yield from_line(line)

    def await_hold(self) -> None:
        """Listen until it stands still."""
        assert self.hold
        told = []
        for event in self.events():
            told.append(event)
            if sum(map(self.hold.is_of, told)) == self.hold.nth:
                return
        raise AssertionError(f"{self.hold} never came: {told}")

    def go_on(self) -> None:
        """Let it go on from where it stands."""
        assert self.hold
        self.hold.until.touch()

    def end(self) -> tuple[int, list[Event]]:
        """Wait for the end. Returns exit code and the events that were not read yet."""
        events = list(self.events())
        return self.process.wait(timeout=600), events

    def kill(self) -> None:
        """SIGKILL: no handler runs."""
        self.process.kill()
        self.process.wait()

    def write(self, line: str) -> None:
        """Send a request."""
        assert self.process.stdin
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def close_stdin(self) -> None:
        """End the worker's stdin, as a starter that died does."""
        assert self.process.stdin
        self.process.stdin.close()


def delivered_bytes(version: Path) -> dict[str, bytes]:
    """Read all delivered pictures of a version, by pass and frame number."""
    return {
        f"{path.parent.name}/{path.name.split('.')[1]}": path.read_bytes() for path in sorted(version.glob("*/*.png"))
    }
