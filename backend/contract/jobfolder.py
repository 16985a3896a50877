# SPDX-License-Identifier: GPL-3.0-or-later
"""A job on disk: its folder is made, read, locked, and its events appended."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from . import layout
from .disk import FolderReadOnlyError, disk_errors
from .errors import FileMissingError, UnderstudyError
from .events import Event, from_line, to_line
from .job import Job
from .wire import CONTRACT_VERSION, MessageInvalidError, check_version, from_json, to_json

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


_TRIES, _TRY_AGAIN_S = 6, 0.1


class JobBusyError(UnderstudyError):
    """Another worker runs this job."""

    hint = "Wait until it is done, or stop it first."

    def __init__(self, folder: Path) -> None:
        super().__init__(f"The job in {folder} is already running.")
        self.folder = folder


def new_job_id() -> str:
    """Make a short name that no other job has; it sorts by time."""
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:6]}"


def job_folder(delivery_folder: Path, job_id: str, kind: str = layout.JOBS) -> Path:
    """Where a job is kept: in a hidden folder beside its deliveries. kind: JOBS, or QUESTIONS that deliver nothing."""
    return delivery_folder / layout.WORK / kind / job_id


def is_job_folder(folder: Path) -> bool:
    """Whether a folder holds a job."""
    return (folder / layout.JOB).is_file()


def write_job(folder: Path, job: Job) -> None:
    """Put `job.json` into a folder, made if needed. A job is immutable: raises FileExistsError if one is there."""
    make_folder(folder)
    text = json.dumps({"v": CONTRACT_VERSION, **to_json(job)}, indent=2, ensure_ascii=False)
    with (folder / layout.JOB).open("x", encoding="utf-8") as file:
        file.write(text + "\n")


def make_folder(folder: Path) -> None:
    """Make a folder and those above it. Raises FolderReadOnlyError, DiskFullError, PathTooLongError."""
    with disk_errors(folder):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise FolderReadOnlyError(folder) from error


def read_job(folder: Path) -> Job:
    """Read `job.json`. Raises FileMissingError, MessageInvalidError, MessageTooNewError."""
    path = folder / layout.JOB
    if not path.is_file():
        raise FileMissingError(path, "job file")
    try:
        data = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise MessageInvalidError(str(path), "is no JSON") from error
    return from_json(Job, dict(check_version(data, str(path))), layout.JOB)


def read_events(folder: Path) -> Iterator[Event]:
    """Tell what happened so far. A last line cut by a kill is left out."""
    with contextlib.suppress(FileNotFoundError):
        *lines, _ = (folder / layout.EVENTS).read_bytes().split(b"\n")
        yield from (from_line(line.decode("utf-8")) for line in lines)


class EventLog:
    """Appends events to a job's `events.jsonl`, each flushed; a line that a kill cut short is taken off first."""

    def __init__(self, folder: Path) -> None:
        path = folder / layout.EVENTS
        if path.exists():
            os.truncate(path, path.read_bytes().rfind(b"\n") + 1)
        self._file = path.open("a", encoding="utf-8")

    def append(self, event: Event) -> None:
        """Write one event."""
        self._file.write(to_line(event) + "\n")
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


class JobLock:
    """Held by the one worker of a job; the system lets go of it when the process dies, however it dies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        file = (self._folder / layout.LOCK).open("a+", encoding="utf-8")
        for tries_left in reversed(range(_TRIES)):  # whoever asks `is_running` holds it for a moment
            try:
                _lock(file)
                break
            except OSError as error:
                if not tries_left:
                    file.close()
                    raise JobBusyError(self._folder) from error
                time.sleep(_TRY_AGAIN_S)
        file.truncate(0)
        json.dump({"pid": os.getpid(), "started": time.time()}, file)
        file.flush()
        self._file = file
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            self._file.close()


def is_running(folder: Path) -> bool:
    """Whether a worker holds the job now."""
    try:
        file = (folder / layout.LOCK).open("r+", encoding="utf-8")
    except OSError:  # none was ever there, or nobody may write here and so nobody works here
        return False
    with file:
        try:
            _lock(file)
        except OSError:
            return True
    return False


def _lock(file: IO[str]) -> None:
    if sys.platform == "win32":
        # far behind the text, so that others can still read it
        file.seek(1 << 20)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
