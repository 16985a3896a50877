# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker as a process of its own: timed, its memory watched, its results found again."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from backend.contract import layout
from backend.contract.errors import UnderstudyError
from backend.contract.events import Delivered, Event, JobDone, PreviewMade, StageDone, StageKept, from_line
from backend.media.images import Pixels, read_picture
from backend.media.sequence import Sequence
from backend.performer.tracks import Tracks
from backend.pipeline.stages import HOLE, MATTE, PLATE, PLATE_CONFIDENCE, TRACKS

ROOT = Path(__file__).resolve().parents[1]
_LOOK_EVERY_S = 0.1


class WorkerFailedError(UnderstudyError):
    """A job that was to be measured did not end well."""

    hint = "Read the log in the job's folder."

    def __init__(self, words: tuple[str, ...], ending: Event | None) -> None:
        super().__init__(f"`{' '.join(words)}` ended with {ending}.")
        self.words, self.ending = words, ending


@dataclass(frozen=True, slots=True)
class Files(Sequence):
    """A delivered pass: pictures under names of their own, in order."""

    paths: tuple[Path, ...]

    def __getitem__(self, index: int) -> Pixels:
        return read_picture(self.paths[index])


@dataclass(frozen=True, slots=True)
class Worked:
    """A job done: its folder, its events with the seconds since the start when they came, and its peak memory.

    peak_bytes: of resident memory; 0 where the system does not tell.
    """

    output: Path
    events: tuple[tuple[float, Event], ...]
    peak_bytes: int

    @property
    def seconds(self) -> float:
        """From the process's start to its last event."""
        return self.events[-1][0]

    @property
    def tracks(self) -> Tracks:
        """The performer's tracks, as delivered."""
        return Tracks.load(self._result("track") / TRACKS)

    @property
    def frames(self) -> Sequence:
        """The source's frames."""
        return self._sequence("frames", "frames")

    @property
    def matte(self) -> Sequence:
        """The performer's matte."""
        return self._sequence("matte", MATTE)

    @property
    def plate(self) -> Sequence:
        """The clean plate."""
        return self._sequence("plate", PLATE)

    @property
    def confidence(self) -> Sequence:
        """The plate's confidence."""
        return self._sequence("plate", PLATE_CONFIDENCE)

    @property
    def hole(self) -> Sequence:
        """Where the plate differs from the source."""
        return self._sequence("plate", HOLE)

    def delivered(self, name: str) -> Sequence:
        """Open a delivered pass."""
        folder = next(Path(event.folder) for _, event in self.events if isinstance(event, Delivered)) / name
        paths = tuple(sorted(folder.glob("*.png")))
        return Files(folder, len(paths), paths)

    def stage_seconds(self) -> dict[str, float]:
        """Seconds of each stage. Delivering is none; it lasts from the last stage's end to the version that stands."""
        spent: dict[str, float] = {}
        last_s = 0.0
        for at_s, event in self.events:
            if isinstance(event, StageDone):
                spent[event.stage] = spent.get(event.stage, 0.0) + event.seconds
                last_s = at_s
            elif isinstance(event, Delivered):
                spent["deliver"] = at_s - last_s
        return spent

    def _sequence(self, stage: str, name: str) -> Sequence:
        folder = self._result(stage) / name
        return Sequence(folder, sum(1 for _ in folder.glob("*.png")))

    def _result(self, stage: str) -> Path:
        events = (event for _, event in self.events if isinstance(event, StageDone | StageKept))
        key = next(event.key for event in events if event.stage == stage)
        return self.output / layout.WORK / layout.STAGES / f"{stage}-{key}"


class Worker:
    """`python -m backend WORDS --json`, running since `started_s` of the monotonic clock. Use as a context manager."""

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words, self.started_s = words, time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "backend", *words, "--json"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )

    def next_event(self) -> tuple[float, Event] | None:
        """Wait for an event; return it with the seconds since the start. None when the worker has ended."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        return (time.monotonic() - self.started_s, from_line(line)) if line else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def work(output: Path, *words: str) -> Worked:
    """Run the worker to its end, results into `output`. Raises WorkerFailedError."""
    words = (*words, f"--output={output}")
    events: list[tuple[float, Event]] = []
    with Worker(words) as worker, _PeakMemory(worker.process.pid) as memory:
        while (timed := worker.next_event()) is not None:
            events.append(timed)
    ending = events[-1][1] if events else None
    if not isinstance(ending, JobDone | PreviewMade):
        raise WorkerFailedError(words, ending)
    return Worked(output, tuple(events), memory.peak_bytes)


class _PeakMemory:
    """Looks at a process's high-water mark from time to time: it is gone when the process is."""

    def __init__(self, pid: int) -> None:
        self.peak_bytes = 0
        self._status = Path(f"/proc/{pid}/status")
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        if os.name == "posix" and self._status.exists():
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()

    def _watch(self) -> None:
        while not self._is_over.wait(_LOOK_EVERY_S):
            try:
                lines = self._status.read_text().splitlines()
            except OSError:  # the process has ended
                return
            mark = next((line for line in lines if line.startswith("VmHWM:")), None)
            if mark:
                self.peak_bytes = max(self.peak_bytes, int(mark.split()[1]) * 1024)
