# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages' results on disk: each written beside and renamed into place in one step, never computed twice.

A folder that has its final name is whole. A kill at any moment leaves at most a partial folder, which nobody reads
and which the same job removes when it starts again. Partial folders bear the job's id, and one process runs a job.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from ..contract.events import Event, StageDone, StageKept, StageStarted
from ..contract.watch import PassingOn, Watch
from .heap import give_back_freed
from .stage import Result, Stage

_PARTIAL = ".partial"
_NOTICES = "notices.json"
"""What a stage told the artist is part of its result: a job that finds the result in place tells it again."""


class Store:
    """A folder of results that jobs share; this one hands them to job `job_id`."""

    def __init__(self, folder: Path, job_id: str, tell: Callable[[Event], None]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._job_id, self._tell = folder, job_id, tell
        for leftover in folder.glob(f".*.{job_id}{_PARTIAL}"):
            shutil.rmtree(leftover)

    def result_or_none(self, stage: Stage) -> Result | None:
        """Find the stage's result if it is in place."""
        place = self._place(stage)
        return Result(place, stage.digest(place)) if place.is_dir() else None

    def get(self, stage: Stage, watch: Watch) -> Result:
        """Find the stage's result, or compute it now. Raises what the stage raises, leaving nothing."""
        kept = self.result_or_none(stage)
        if kept:
            self._tell(StageKept(stage=stage.name, key=stage.key))
            for code, text in json.loads((kept.folder / _NOTICES).read_text("utf-8")):
                watch.notice(code, text)
            return kept
        self._tell(StageStarted(stage=stage.name, key=stage.key))
        started = time.monotonic()
        place = self._compute(stage, watch)
        self._tell(StageDone(stage=stage.name, key=stage.key, seconds=round(time.monotonic() - started, 3)))
        return Result(place, stage.digest(place))

    def _place(self, stage: Stage) -> Path:
        return self._folder / f"{stage.name}-{stage.key}"

    def _compute(self, stage: Stage, watch: Watch) -> Path:
        place = self._place(stage)
        partial = place.with_name(f".{place.name}.{self._job_id}{_PARTIAL}")
        partial.mkdir()
        try:
            noted = _NotingWatch(watch)
            stage.run(partial, noted)
            (partial / _NOTICES).write_text(json.dumps(noted.notices), "utf-8")
            flush_folder(partial)
            put_in_place(partial, place)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        give_back_freed()
        return place


def put_in_place(partial: Path, place: Path) -> None:
    """Rename a whole folder to its final name. If another job was faster with the same result, theirs stays."""
    try:
        partial.rename(place)
    except OSError:
        if not place.is_dir():
            raise


def flush_folder(folder: Path) -> None:
    """Bring a folder's files to the disk itself, so that a rename never outlives its content in a power cut."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())


class _NotingWatch(PassingOn):
    def __init__(self, inner: Watch) -> None:
        super().__init__(inner)
        self.notices: list[tuple[str, str]] = []

    def notice(self, code: str, text: str) -> None:
        self.notices.append((code, text))
        super().notice(code, text)
