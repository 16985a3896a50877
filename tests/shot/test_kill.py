# SPDX-License-Identifier: GPL-3.0-or-later
"""Work in progress survives a kill at any moment, and every way to stop."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.contract import layout
from backend.contract.events import Delivered, Event, FramesDone, JobStopped, StageDone, StageKept, StageStarted
from backend.contract.jobfolder import is_running, read_events
from tests.shot.conftest import KILLED_FRAMES, SmallShot
from tests.worker import Hold, Worker, delivered_bytes

_WITHIN: dict[str, tuple[int, ...]] = {
    "character": (),
    "frames": (4,),
    "find": (3,),
    "cast": (),
    "track": (5,),
    "matte": (2,),
    "plate": (7,),
    "generate": (4,),
}
"""Stored stage -> after how many tellings of its frames it is struck. The two without are over in one step."""
_WITHIN_DELIVERY = (1, KILLED_FRAMES)
_FREELY = {"frames": 0.05, "matte": 0.15, "deliver": 0.1}
"""Stage -> seconds after a worker has come to it: on an idle machine that is within it, on a busy one wherever."""


def _holds(until: Path) -> list[Hold]:
    """At the start of every stage, within it and just after it was put in place; twice within delivery and after it."""
    return [
        *(
            Hold(kind, stage, until, nth)
            for stage, within in _WITHIN.items()
            for kind, nths in ((StageStarted, (1,)), (FramesDone, within), (StageDone, (1,)))
            for nth in nths
        ),
        *(Hold(FramesDone, "deliver", until, nth) for nth in _WITHIN_DELIVERY),
        Hold(Delivered, "", until),
    ]


@pytest.fixture(scope="module")
def undisturbed(small_shot: SmallShot, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of a job that nobody disturbed."""
    output = tmp_path_factory.mktemp("undisturbed")
    assert small_shot.replace(output).end()[0] == 0
    return output


def test_a_job_killed_at_twenty_moments_and_more_resumes_to_the_same_bits(
    small_shot: SmallShot, undisturbed: Path, tmp_path: Path
) -> None:
    first, *others = _holds(tmp_path / "never")
    worker = small_shot.replace(tmp_path / "killed", hold=first)
    for hold in (*others, None):
        worker.await_hold()
        worker.kill()
        [job] = (tmp_path / "killed" / layout.WORK / layout.JOBS).iterdir()
        assert not is_running(job)
        worker = Worker("resume", job, hold=hold)
    assert len(others) >= 20
    _assert_ends_as(undisturbed, worker, job)


def test_a_job_killed_wherever_it_may_be_resumes_to_the_same_bits(
    small_shot: SmallShot, undisturbed: Path, tmp_path: Path
) -> None:
    worker = small_shot.replace(tmp_path / "killed")
    for stage, delay_s in _FREELY.items():
        for event in worker.events():
            if getattr(event, "stage", "") == stage:  # or it ended: the last kill may have come that late
                break
        time.sleep(delay_s)
        worker.kill()
        [job] = (tmp_path / "killed" / layout.WORK / layout.JOBS).iterdir()
        worker = Worker("resume", job)
    _assert_ends_as(undisturbed, worker, job)


def _assert_ends_as(undisturbed: Path, worker: Worker, job: Path) -> None:
    code, events = worker.end()
    output = job.parents[2]
    assert code == 0
    assert delivered_bytes(_folder_of(events)) == delivered_bytes(undisturbed / "small_v001")
    assert [path.name for path in output.glob("[!.]*")] == ["small_v001"]
    _assert_nothing_in_place_ran_again(list(read_events(job)))
    assert not list(output.rglob("*.partial"))


def _folder_of(events: list[Event]) -> Path:
    return next(Path(event.folder) for event in events if isinstance(event, Delivered))


def _assert_nothing_in_place_ran_again(events: list[Event]) -> None:
    in_place: set[str] = set()
    for event in events:
        if isinstance(event, StageStarted):
            assert event.key not in in_place, f"{event.stage} ran twice"
        if isinstance(event, StageDone):
            in_place.add(event.key)


def test_another_character_redoes_no_tracking_matte_or_plate(small_shot: SmallShot, undisturbed: Path) -> None:
    code, events = small_shot.replace(undisturbed, "--mirror").end()
    done = Counter(event.stage for event in events if isinstance(event, StageDone))
    assert code == 0
    assert done == {"character": 1, "generate": 1}
    assert _kept(events) == {"frames", "find", "cast", "track", "matte", "plate"}
    assert sorted(path.name for path in undisturbed.glob("[!.]*")) == ["small_v001", "small_v002"]


def _kept(events: list[Event]) -> set[str]:
    return {event.stage for event in events if isinstance(event, StageKept)}


def _by_line(worker: Worker, job: Path) -> None:
    worker.write(layout.STOP_LINE)


def _by_end_of_stdin(worker: Worker, job: Path) -> None:
    worker.close_stdin()


def _by_cancel_file(worker: Worker, job: Path) -> None:
    (job / layout.CANCEL).touch()


def _by_ctrl_c(worker: Worker, job: Path) -> None:
    worker.process.send_signal(signal.SIGINT)


def _by_sigterm(worker: Worker, job: Path) -> None:
    worker.process.send_signal(signal.SIGTERM)


_WAYS: dict[str, Callable[[Worker, Path], None]] = {
    "frames": _by_line,
    "find": _by_end_of_stdin,
    "track": _by_cancel_file,
    "matte": _by_ctrl_c,
    "plate": _by_sigterm,
}
"""Each after a stage of its own, so that one job serves for all."""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise on Windows")
def test_every_way_to_stop_leaves_a_job_that_resumes(small_shot: SmallShot, tmp_path: Path) -> None:
    holds = {stage: Hold(StageDone, stage, tmp_path / f".after_{stage}") for stage in _WAYS}
    worker, job = small_shot.replace(tmp_path, hold=holds["frames"]), Path()
    for stage, stop in _WAYS.items():
        if job.name:
            worker = Worker("resume", job, hold=holds[stage])
        worker.await_hold()
        [job] = (tmp_path / layout.WORK / layout.JOBS).iterdir()
        stop(worker, job)
        worker.go_on()
        code, events = worker.end()
        assert (code, events[-1]) == (4, JobStopped()), stage
    code, events = Worker("resume", job).end()
    assert code == 0
    assert _kept(events) >= set(_WAYS)


@pytest.mark.skipif(os.name == "nt", reason="sessions are a thing of POSIX")
def test_a_detached_worker_outlives_its_starter_and_obeys_the_cancel_file(
    small_shot: SmallShot, tmp_path: Path
) -> None:
    worker = small_shot.replace(tmp_path, "--detached", hold=Hold(StageDone, "frames", tmp_path / ".go_on"))
    worker.await_hold()
    worker.close_stdin()
    worker.process.send_signal(signal.SIGHUP)
    [job] = (tmp_path / layout.WORK / layout.JOBS).iterdir()
    worker.go_on()
    assert any(isinstance(event, FramesDone) and event.stage == "track" for event in worker.events())
    (job / layout.CANCEL).touch()
    code, events = worker.end()
    assert code == 4
    assert isinstance(events[-1], JobStopped)
