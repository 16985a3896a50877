# SPDX-License-Identifier: GPL-3.0-or-later
"""The one writer of the command line: event lines for programs, or sentences for people."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol, assert_never

from ..contract.errors import UnderstudyError
from ..contract.events import (
    CharacterRead,
    Delivered,
    Event,
    FoundPerson,
    FramesDone,
    JobCrashed,
    JobDone,
    JobRefused,
    JobStopped,
    Noticed,
    PeopleFound,
    PictureShown,
    Planned,
    PreviewMade,
    StageDone,
    StageKept,
    StageStarted,
    StepsDone,
    WorkerStarted,
    to_line,
)
from ..contract.wire import Json

_STAGES = {
    "frames": "reading the clip",
    "find": "finding the people",
    "cast": "choosing the performer",
    "track": "tracking the performer",
    "correct": "moving the corrected joints",
    "roto": "rendering your matte",
    "matte": "matting the performer",
    "plate": "painting the clean plate",
    "character": "reading the character",
    "background": "filling the character's background",
    "weights": "reading the weights",
    "foresee": "looking ahead",
    "generate": "drawing the character",
    "deliver": "writing the layers",
    "fetch": "fetching packages",
    "unpack": "unpacking packages",
}
_IN_MEGABYTES = ("weights", "fetch", "unpack")


class Say(Protocol):
    """Where a command's output goes."""

    def event(self, event: Event) -> None:
        """Tell what happened in a job."""

    def answer(self, data: dict[str, Json], text: str) -> None:
        """Give a command's answer: as data to a program, as text to a person."""

    def error(self, error: UnderstudyError) -> None:
        """Tell an error that no job's events carry."""


class SayJson:
    """One JSON object a line. A reader that went away is no error: the job's own event file is the truth."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out

    def event(self, event: Event) -> None:
        """Write the event's line."""
        self._write(to_line(event))

    def answer(self, data: dict[str, Json], text: str) -> None:  # noqa: ARG002
        """Write the data."""
        self._write(json.dumps(data, ensure_ascii=False))

    def error(self, error: UnderstudyError) -> None:
        """Write the error as the event that a refused job ends with."""
        self.event(JobRefused(error=type(error).__name__, message=str(error), hint=error.hint))

    def _write(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._out.write(line + "\n")
            self._out.flush()


class SayPeople:
    """Sentences; progress with time left on one line of a terminal, or every tenth where there is none."""

    def __init__(self, out: IO[str], errors: IO[str]) -> None:
        self._out, self._errors = out, errors
        self._is_terminal = out.isatty()
        self._tenth = -1
        self._open_line = ""

    def event(self, event: Event) -> None:  # noqa: C901  a row for each kind of event
        """Say the event."""
        match event:
            case FramesDone():
                self._progress(event, event.done_frames, event.total_frames, "")
            case StepsDone():
                self._progress(
                    event, event.done_steps, event.total_steps, " MB" if event.stage in _IN_MEGABYTES else " steps"
                )
            case PictureShown():
                pass  # for those who can see it
            case Planned():
                self._line(_plan_text(event))
            case StageStarted():
                self._tenth = -1
            case StageDone():
                self._line(f"  {_STAGES.get(event.stage, event.stage)}: done in {time_text(event.seconds)}")
            case StageKept():
                self._line(f"  {_STAGES.get(event.stage, event.stage)}: in place already")
            case Noticed():
                self._line(f"  Note: {event.text}")
            case CharacterRead():
                self._line(f"  Found in character {event.place + 1}: {', '.join(event.found)}")
            case Delivered():
                self._line(_delivered_text(event))
            case PeopleFound():
                self._line("\n".join(map(_person_text, event.people)))
            case PreviewMade():
                self._line(f"Preview of frame {event.frame}: {event.path}")
            case WorkerStarted():
                self._line(f"Understudy {event.version}, job {event.job}")
            case JobDone():
                self._line(f"Done in {time_text(event.seconds)}.")
            case JobStopped():
                self._line("Stopped. What is in place stays; `resume` goes on from there.")
            case JobRefused():
                self._line(f"{event.message} {event.hint}", self._errors)
            case JobCrashed():
                self._line(f"Understudy failed: {event.message}. The log {event.log} tells more.", self._errors)
            case _:
                assert_never(event)

    def answer(self, data: dict[str, Json], text: str) -> None:  # noqa: ARG002
        """Write the text."""
        self._line(text)

    def error(self, error: UnderstudyError) -> None:
        """Write message and hint."""
        self._line(error.advice, self._errors)

    def _progress(self, event: FramesDone | StepsDone, done: int, total: int, unit: str) -> None:
        left = f", {time_text(event.seconds_left)} left" if event.seconds_left >= 0 else ""
        text = f"  {_STAGES.get(event.stage, event.stage)}: {done}/{total}{unit}{left}"
        tenth = 10 * done // max(total, 1)
        if self._is_terminal:
            self._write(self._out, "\r" + text.ljust(len(self._open_line)))
            self._open_line = text
        elif tenth > self._tenth:
            self._write(self._out, text + "\n")
        self._tenth = tenth

    def _line(self, text: str, to: IO[str] | None = None) -> None:
        if self._open_line:
            self._write(self._out, "\r" + " " * len(self._open_line) + "\r")
            self._open_line = ""
        self._write(to or self._out, text + "\n")

    def _write(self, to: IO[str], text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            to.write(text)
            to.flush()


def time_text(seconds: float) -> str:
    """Write a duration: `7 s`, `3:05`, `1:02:09`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def own_streams() -> tuple[IO[str], IO[str]]:
    """Take stdout and stderr for the command alone: what libraries write to theirs afterwards goes nowhere else.

    Returns copies of the two; call `libraries_write_to` to say where the originals lead.
    """
    return tuple(  # type: ignore[return-value]  # two streams in, two out
        os.fdopen(os.dup(stream.fileno()), "w", encoding="utf-8", errors="replace")
        for stream in (sys.stdout, sys.stderr)
    )


@contextlib.contextmanager
def libraries_write_to(log: Path) -> Iterator[None]:
    """Lead this process's stdout and stderr into a log, so that no library can break the event lines."""
    kept = [os.dup(1), os.dup(2)]
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        for number, copy in enumerate(kept, start=1):
            os.dup2(copy, number)
            os.close(copy)


def _plan_text(event: Planned) -> str:
    facts = f"  {event.frames} frames, about {event.disk_bytes / 1e6:,.0f} MB on disk"
    return "\n".join((facts, *(f"  Note: {remark}" for remark in event.remarks)))


def _person_text(person: FoundPerson) -> str:
    largest = max(person.seen, key=lambda seen: seen.y1 - seen.y)
    box = ",".join(f"{edge:.0f}" for edge in (largest.x, largest.y, largest.x1, largest.y1))
    seen = f"seen in {len(person.seen)} of the frames looked at"
    return f"performer {person.id}: {seen}, largest box:{box} in frame {largest.frame}"


def _delivered_text(event: Delivered) -> str:
    last = event.first_number + event.frame_count - 1
    return "\n".join(
        (
            f"Delivered {event.folder}",
            f"  frames {event.first_number} to {last}, passes: {', '.join(event.passes)}",
            f"  look at it: {event.sheet}",
        )
    )
