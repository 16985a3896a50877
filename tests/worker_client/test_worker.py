# SPDX-License-Identifier: GPL-3.0-or-later
"""Real processes: started behind the artist's work, heard without waiting, stopped by their leash."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from understudy.backend.contract import layout
from understudy.backend.contract.events import Event, JobDone, JobRefused, JobStopped, WorkerStarted, to_line
from understudy.backend.contract.job import Delivery, Job, Mode, Shot
from understudy.backend.contract.jobfolder import EventLog, JobLock, write_job
from understudy.worker_client.launch import Program, WorkerNotStartedError, environment, start
from understudy.worker_client.states import State
from understudy.worker_client.view import view_of
from understudy.worker_client.worker import Child, Detached, Worker

STARTED = WorkerStarted(job="a", pid=1, version="0.1.0")
_TICKS = """
import os, sys, time
from backend.contract.events import FramesDone, JobDone, JobStopped, Noticed, to_line
def say(event): print(to_line(event), flush=True)
if "chatter" in sys.argv:
    print("[libav] a library writes what it likes", flush=True)
if "nice" in sys.argv:
    say(FramesDone(stage="nice", done_frames=os.nice(0), total_frames=len(os.sched_getaffinity(0)), seconds_left=0.0))
elif "newer" in sys.argv:
    print('{"v": 99, "kind": "job_done", "seconds": 1.0}', flush=True)
elif "flood" in sys.argv:
    for number in range(200):
        say(Noticed(code=str(number), text=""))
    say(JobDone(seconds=1.0))
elif "wait" in sys.argv:
    say(JobStopped() if sys.stdin.readline() else JobDone(seconds=0.0))
else:
    say(JobDone(seconds=1.0))
"""


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """A stand-in for the worker, beside the real contract."""
    root = Path(__file__).resolve().parents[2]
    code = tmp_path / "code"
    (code / "backend").mkdir(parents=True)
    (code / "backend" / "__init__.py").touch()
    (code / "backend" / "contract").symlink_to(root / "backend" / "contract")
    (code / "backend" / "__main__.py").write_text(_TICKS)
    return Program(python=Path(sys.executable), code=code, libraries=())


def heard(worker: Worker, limit_s: float = 120.0) -> list[Event]:
    """Wait for a worker's end, as a test may and Blender may not."""
    events, end = list[Event](), time.monotonic() + limit_s
    while time.monotonic() < end and not (worker.is_over() and not len(worker.mailbox)):
        event = worker.mailbox.take_or_none()
        events += [event] if event else []
        time.sleep(0 if event else 0.01)
    return events


def test_what_a_worker_says_arrives(program: Program, tmp_path: Path) -> None:
    assert heard(Child(start(program, (), tmp_path, cores=1), tmp_path)) == [JobDone(seconds=1.0)]


def test_a_worker_is_not_over_before_its_last_line_is_read(program: Program, tmp_path: Path) -> None:
    events = heard(Child(start(program, ("flood",), tmp_path, cores=1), tmp_path))
    assert len(events) == 201
    assert events[-1] == JobDone(seconds=1.0)


def test_a_line_that_is_no_event_is_lost_without_harm(program: Program, tmp_path: Path) -> None:
    assert heard(Child(start(program, ("chatter",), tmp_path, cores=1), tmp_path)) == [JobDone(seconds=1.0)]


def test_a_worker_of_a_newer_version_is_no_silence_but_a_refusal_in_words(program: Program, tmp_path: Path) -> None:
    [event] = heard(Child(start(program, ("newer",), tmp_path, cores=1), tmp_path))
    assert isinstance(event, JobRefused)
    assert "99" in event.message and "Update" in event.hint


def test_the_artists_own_python_settings_do_not_reach_the_worker(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONINSPECT"):
        monkeypatch.setenv(name, "the artist's")
    monkeypatch.setenv("TMPDIR", "kept")
    given = environment(replace(program, libraries=(tmp_path / "libraries",)))
    assert "the artist's" not in given.values()
    assert given["PYTHONPATH"].split(os.pathsep) == [str(program.code), str(tmp_path / "libraries")]
    assert given["TMPDIR"] == "kept"


def test_nothing_that_lies_in_a_jobs_folder_is_imported(program: Program, tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit(1)")
    assert heard(Child(start(program, (), tmp_path, cores=1), tmp_path)) == [JobDone(seconds=1.0)]


def test_a_worker_that_hears_no_stdin_is_stopped_by_the_cancel_file(program: Program, tmp_path: Path) -> None:
    child = Child(start(program, ("wait",), tmp_path, cores=1), tmp_path)
    child.ask_to_stop()
    assert (tmp_path / layout.CANCEL).exists()
    heard(child)


@pytest.mark.skipif(sys.platform != "linux", reason="cores are bound on Linux and Windows, looked at on Linux")
def test_a_worker_steps_back_behind_the_artists_work(program: Program, tmp_path: Path) -> None:
    process = start(program, ("nice",), tmp_path, cores=1)
    assert os.getpriority(os.PRIO_PROCESS, process.pid) > os.getpriority(os.PRIO_PROCESS, 0)
    assert os.sched_getaffinity(process.pid) < os.sched_getaffinity(0) or os.cpu_count() == 1
    heard(Child(process, tmp_path))


@pytest.mark.parametrize(
    ("end", "ending"),
    [(Child.ask_to_stop, JobStopped()), (Child.let_go, JobDone(seconds=0.0))],
    ids=["asked to stop", "leash let go"],
)
def test_a_worker_hears_the_stop_line_and_the_end_of_its_leash(
    end: Callable[[Child], None], ending: Event, program: Program, tmp_path: Path
) -> None:
    child = Child(start(program, ("wait",), tmp_path, cores=1), tmp_path)
    end(child)
    assert heard(child) == [ending]


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    missing = Program(python=tmp_path / "python", code=tmp_path, libraries=())
    with pytest.raises(WorkerNotStartedError, match="could not be started"):
        start(missing, (), tmp_path, cores=1)


def a_job(folder: Path) -> Path:
    delivery = Delivery(folder="out", name="sc010")
    write_job(folder, Job(id="j1", mode=Mode.REPLACE, shot=Shot(source="a"), cast=(), delivery=delivery))
    return folder


def test_a_detached_worker_is_followed_by_its_event_file(tmp_path: Path) -> None:
    folder = a_job(tmp_path / "job")
    with JobLock(folder), EventLog(folder) as log:
        log.append(STARTED)
        worker = Detached(folder, skipped=1)
        worker.ask_to_stop()
        assert (folder / layout.CANCEL).exists()
        log.append(JobStopped())
    assert heard(worker) == [JobStopped()]


def test_a_line_that_is_still_being_written_is_read_when_it_is_whole(tmp_path: Path) -> None:
    folder = a_job(tmp_path / "job")
    line = f"{to_line(STARTED)}\n"
    with JobLock(folder):
        (folder / layout.EVENTS).write_text(line[:20])
        worker = Detached(folder)
        time.sleep(0.1)
        (folder / layout.EVENTS).write_text(line)
    assert heard(worker) == [STARTED]


def test_a_job_whose_worker_was_killed_is_interrupted_and_one_that_runs_is_running(tmp_path: Path) -> None:
    folder = a_job(tmp_path / "job")
    with EventLog(folder) as log:
        log.append(STARTED)
    assert view_of(folder).state is State.INTERRUPTED
    with JobLock(folder):
        assert view_of(folder).state is State.RUNNING


def test_a_line_cut_by_a_kill_is_left_out_of_a_view(tmp_path: Path) -> None:
    folder = a_job(tmp_path / "job")
    (folder / layout.EVENTS).write_text(f"{to_line(STARTED)}\n{to_line(JobDone(seconds=1.0))}")
    assert view_of(folder).events == 1
