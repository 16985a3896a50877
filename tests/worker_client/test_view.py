# SPDX-License-Identifier: GPL-3.0-or-later
"""What a job looks like after each thing that a worker tells: what the panel shows is what was said."""

from __future__ import annotations

from pathlib import Path

import pytest
from understudy.backend.contract.events import (
    Delivered,
    Event,
    FramesDone,
    JobCrashed,
    JobDone,
    JobRefused,
    JobStopped,
    Noticed,
    PictureShown,
    Planned,
    StageStarted,
    StepsDone,
    WorkerStarted,
)
from understudy.backend.contract.job import Delivery, Job, Mode, Rendering, Shot
from understudy.backend.contract.jobfolder import EventLog, JobLock, write_job
from understudy.backend.contract.layout import JOBS
from understudy.worker_client.search import Search
from understudy.worker_client.states import State
from understudy.worker_client.view import JobView, after, interrupted, view_of

STARTED = WorkerStarted(job="a", pid=1, version="0.1.0")
PLANNED = Planned(frames=9, windows=1, seconds=1.0, peak_memory_bytes=1, disk_bytes=1, remarks=("8 bits", "sRGB"))
SHOWN = PictureShown(stage="generate", frame=3, path="newest.png")
DELIVERED = Delivered(
    folder="out/shot_v002", version=2, first_number=1001, frame_count=9, passes=("comp",), sheet="sheet.png"
)


def seen(*events: Event, state: State = State.RUNNING) -> JobView:
    view = JobView(id="a", folder=Path("a"), name="shot", state=state)
    for event in events:
        view = after(view, event)
    return view


@pytest.mark.parametrize(
    "event",
    [
        FramesDone(stage="matte", done_frames=3, total_frames=12, seconds_left=40.0),
        StepsDone(stage="matte", done_steps=3, total_steps=12, seconds_left=40.0),
    ],
)
def test_progress_is_the_share_of_the_stage_that_is_done(event: Event) -> None:
    view = seen(STARTED, event)
    assert (view.stage, view.done, view.total, view.share, view.seconds_left) == ("matte", 3, 12, 0.25, 40.0)


def test_a_stage_that_begins_has_nothing_done() -> None:
    view = seen(
        FramesDone(stage="matte", done_frames=12, total_frames=12, seconds_left=9.0),
        StageStarted(stage="plate", key="k"),
    )
    assert (view.stage, view.share) == ("plate", 0.0)


def test_what_the_artist_should_know_is_kept_once_and_not_without_end() -> None:
    view = seen(PLANNED, Noticed(code="c", text="hair"), Noticed(code="c", text="hair"))
    assert view.notices == ("8 bits", "sRGB", "hair")
    many = seen(*(Noticed(code="c", text=str(number)) for number in range(300)))
    assert many.notices == tuple(map(str, range(50)))


def test_the_newest_picture_and_the_delivery_are_at_hand() -> None:
    view = seen(SHOWN, DELIVERED)
    assert (view.shown, view.delivered) == (SHOWN, DELIVERED)


def test_a_job_that_is_begun_again_has_forgotten_what_was_said_before() -> None:
    view = seen(
        STARTED,
        Noticed(code="c", text="hair"),
        FramesDone(stage="matte", done_frames=1, total_frames=2, seconds_left=9.0),
        JobRefused(error="E", message="The disk is full.", hint="Free some space."),
        WorkerStarted(job="a", pid=2, version="0.2.0"),
    )
    assert (view.state, view.notices, view.message, view.hint) == (State.RUNNING, (), "", "")
    assert (view.seconds_left, view.worker_version) == (-1.0, "0.2.0")


def test_a_worker_that_begins_while_it_is_asked_to_stop_is_still_stopping() -> None:
    assert seen(STARTED, state=State.STOPPING).state is State.STOPPING


def test_an_ending_is_told_in_the_words_that_were_said() -> None:
    refused = seen(JobRefused(error="E", message="The disk is full.", hint="Free some space."))
    assert (refused.state, refused.message, refused.hint) == (State.REFUSED, "The disk is full.", "Free some space.")
    crashed = seen(JobCrashed(message="ValueError: 3", log="job/worker.log"))
    assert (crashed.state, crashed.message) == (State.CRASHED, "ValueError: 3")
    assert "job/worker.log" in crashed.hint
    assert seen(
        FramesDone(stage="a", done_frames=1, total_frames=2, seconds_left=9.0), JobDone(seconds=1.0)
    ) == JobView(
        id="a", folder=Path("a"), name="shot", state=State.DONE, stage="a", done=1, total=2, seconds_left=0.0, events=2
    )
    assert seen(JobStopped()).state is State.STOPPED
    assert interrupted(seen(STARTED)).message


def written(folder: Path, *events: Event) -> Path:
    delivery = Delivery(folder="out", name="sc010")
    shot = Shot(source="a", first=2, rendering=Rendering(scene_first=101))
    write_job(folder, Job(id=folder.name, mode=Mode.REPLACE, shot=shot, cast=(), delivery=delivery))
    with EventLog(folder) as log:
        for event in events:
            log.append(event)
    return folder


def test_a_job_that_another_worker_does_now_is_running_and_its_events_are_counted(tmp_path: Path) -> None:
    folder = written(tmp_path / "j1", STARTED, PLANNED)
    with JobLock(folder):
        view = view_of(folder)
    assert (view.id, view.name, view.state, view.events) == ("j1", "sc010", State.RUNNING, 2)
    assert view.first_frame == 103


def found(search: Search) -> list[JobView]:
    while (views := search.views_or_none()) is None:
        pass
    return views


def test_a_search_finds_the_jobs_of_all_places_the_oldest_first_whatever_else_lies_there(tmp_path: Path) -> None:
    one, other = tmp_path / "one" / JOBS, tmp_path / "other" / JOBS
    for folder in (one / "2", one / "1", other / "3"):
        written(folder, STARTED, JobDone(seconds=1.0))
    (one / "notes.txt").touch()
    (one / "empty").mkdir()
    broken = written(other / "4")
    (broken / "events.jsonl").write_bytes(b"\xff\xfe no event\n")
    assert [view.id for view in found(Search((one, other, tmp_path / "nowhere")))] == ["1", "2", "3"]
