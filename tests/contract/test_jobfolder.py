# SPDX-License-Identifier: GPL-3.0-or-later
"""A job on disk: written once, read strictly, held by one worker, its events whole after a kill."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.contract import layout
from backend.contract.errors import FileMissingError
from backend.contract.events import JobDone, JobStopped
from backend.contract.job import Delivery, Job, Mode, Shot
from backend.contract.jobfolder import EventLog, JobBusyError, JobLock, is_running, read_events, read_job, write_job
from backend.contract.wire import MessageInvalidError, MessageTooNewError

JOB = Job(id="1", mode=Mode.REPLACE, shot=Shot(source="ä b.mp4"), cast=(), delivery=Delivery(folder="o", name="n"))


def test_a_job_is_read_as_it_was_written_and_never_written_over(tmp_path: Path) -> None:
    write_job(tmp_path, JOB)
    assert read_job(tmp_path) == JOB
    with pytest.raises(FileExistsError):
        write_job(tmp_path, JOB)


@pytest.mark.parametrize(
    ("text", "error"),
    [("{", MessageInvalidError), ("[]", MessageInvalidError), ('{"v": 99}', MessageTooNewError)],
)
def test_a_damaged_or_newer_job_is_refused(tmp_path: Path, text: str, error: type[Exception]) -> None:
    (tmp_path / layout.JOB).write_text(text)
    with pytest.raises(error):
        read_job(tmp_path)


def test_a_folder_without_a_job_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileMissingError, match="job file"):
        read_job(tmp_path)


def test_a_line_cut_by_a_kill_is_taken_off_and_later_lines_stand(tmp_path: Path) -> None:
    with EventLog(tmp_path) as log:
        log.append(JobStopped())
    with (tmp_path / layout.EVENTS).open("a") as file:
        file.write('{"v": 1, "kind": "job_d')
    assert list(read_events(tmp_path)) == [JobStopped()]
    with EventLog(tmp_path) as log:
        log.append(JobDone(seconds=1.0))
    assert list(read_events(tmp_path)) == [JobStopped(), JobDone(seconds=1.0)]


def test_an_event_is_there_for_others_as_soon_as_it_is_told(tmp_path: Path) -> None:
    with EventLog(tmp_path) as log:
        log.append(JobStopped())
        assert list(read_events(tmp_path)) == [JobStopped()]


def test_one_worker_holds_a_job_and_tells_who_it_is(tmp_path: Path) -> None:
    with JobLock(tmp_path):
        assert is_running(tmp_path)
        assert json.loads((tmp_path / layout.LOCK).read_text())["pid"] > 0
        with pytest.raises(JobBusyError), JobLock(tmp_path):
            pass
    assert not is_running(tmp_path)
