# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker as a process, for tests: started, listened to, killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from backend.contract.events import Event, from_line

ROOT = Path(__file__).resolve().parents[1]


class Worker:
    """`python -m backend WORDS --json`, running. Its stdin stays open until `close_stdin`."""

    def __init__(self, *words: str | Path, cwd: Path = ROOT) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "backend", *map(str, words), "--json"],
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
