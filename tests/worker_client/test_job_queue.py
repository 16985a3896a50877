# SPDX-License-Identifier: GPL-3.0-or-later
"""The queue with pretended workers and a clock that the test turns."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from understudy.backend.contract.events import (
    Event,
    FramesDone,
    JobCrashed,
    JobDone,
    JobRefused,
    JobStopped,
    Noticed,
    StageStarted,
    WorkerStarted,
)
from understudy.worker_client.job_queue import BUDGET_S, JobQueue
from understudy.worker_client.launch import WorkerNotStartedError
from understudy.worker_client.mailbox import Mailbox
from understudy.worker_client.states import State, moved
from understudy.worker_client.view import JobView

STARTED = WorkerStarted(job="a", pid=1, version="0.1.0")


class PretendedWorker:
    def __init__(self, *events: Event) -> None:
        self.mailbox, self.is_done, self.was_asked, self.is_let_go = Mailbox(), False, False, False
        for event in events:
            self.mailbox.put(event)

    def is_over(self) -> bool:
        return self.is_done

    def ask_to_stop(self) -> None:
        self.was_asked = True

    def let_go(self) -> None:
        self.is_let_go = True


class Stage:
    """A queue, and the workers that it starts: the first of those given for the first job, and so on."""

    def __init__(self, *workers: PretendedWorker) -> None:
        self.now_s, self.step_s = 0.0, 0.0
        self.left = list(workers)
        self.queue = JobQueue(lambda folder: self.left.pop(0), self.clock)
        for number in range(len(workers)):
            self.queue.add(JobView(id=str(number), folder=Path(str(number)), name="shot"))

    def clock(self) -> float:
        self.now_s += self.step_s
        return self.now_s

    def states(self) -> list[State]:
        return [view.state for view in self.queue.views]


def test_one_job_runs_at_a_time_and_the_next_follows() -> None:
    first, second = PretendedWorker(STARTED), PretendedWorker(STARTED)
    stage = Stage(first, second)
    stage.queue.tick()
    assert stage.states() == [State.RUNNING, State.WAITING]
    first.mailbox.put(JobDone(seconds=1.0))
    first.is_done = True
    stage.queue.tick()
    assert stage.states() == [State.DONE, State.RUNNING]


def test_a_flood_of_events_takes_no_more_than_the_budget_of_a_tick() -> None:
    worker = PretendedWorker(*(Noticed(code=str(n), text=str(n)) for n in range(1000)))
    stage = Stage(worker)
    stage.queue.tick()
    stage.step_s = BUDGET_S / 10
    happened = [len(stage.queue.tick()) for _ in range(200)]
    assert max(happened) <= 10
    assert sum(happened) == 1000


def test_progress_that_nobody_read_is_one_event_and_the_newest() -> None:
    mailbox = Mailbox()
    for done in range(100_000):
        mailbox.put(FramesDone(stage="matte", done_frames=done, total_frames=100_000, seconds_left=1.0))
    assert len(mailbox) == 1
    last = mailbox.take_or_none()
    assert isinstance(last, FramesDone)
    assert last.done_frames == 99_999


def test_progress_of_two_stages_is_two_events_and_what_was_not_taken_yet_is_counted() -> None:
    mailbox = Mailbox()
    told = [FramesDone(stage=name, done_frames=1, total_frames=9, seconds_left=1.0) for name in ("matte", "plate")]
    for event in told:
        mailbox.put(event)
    assert mailbox.take_or_none() == told[0]
    assert len(mailbox) == 1
    assert mailbox.take_or_none() == told[1]


def test_a_worker_that_is_gone_without_a_word_is_told_and_can_be_resumed() -> None:
    worker, again = PretendedWorker(STARTED), PretendedWorker(STARTED)
    stage = Stage(worker)
    stage.left.append(again)
    stage.queue.tick()
    worker.is_done = True
    stage.queue.tick()
    stage.queue.tick()
    [view] = stage.queue.views
    assert view.state is State.INTERRUPTED
    assert "Resume" in view.hint
    stage.queue.resume("0")
    stage.queue.tick()
    assert stage.states() == [State.RUNNING]


@pytest.mark.parametrize(
    ("ending", "state"),
    [
        (JobDone(seconds=1.0), State.DONE),
        (JobStopped(), State.STOPPED),
        (JobRefused(error="E", message="m", hint="h"), State.REFUSED),
        (JobCrashed(message="m", log="l"), State.CRASHED),
    ],
)
def test_a_job_ends_as_its_worker_says(ending: Event, state: State) -> None:
    worker = PretendedWorker(STARTED, StageStarted(stage="find", key="k"), ending)
    stage = Stage(worker)
    stage.queue.tick()
    worker.is_done = True
    stage.queue.tick()
    stage.queue.tick()
    assert stage.states() == [state]


def test_cancel_asks_who_runs_and_takes_out_who_waits() -> None:
    worker, other = PretendedWorker(STARTED), PretendedWorker(STARTED)
    stage = Stage(worker, other)
    stage.queue.tick()
    stage.queue.tick()
    stage.queue.cancel("0")
    stage.queue.cancel("1")
    assert worker.was_asked
    assert stage.states() == [State.STOPPING, State.STOPPED]


def test_a_worker_that_does_not_start_is_told_and_does_not_hold_up_the_next() -> None:
    def start(folder: Path) -> PretendedWorker:
        if folder.name == "0":
            raise WorkerNotStartedError(Path("python"), "no such file")
        return PretendedWorker()

    queue = JobQueue(start)
    for number in range(2):
        queue.add(JobView(id=str(number), folder=Path(str(number)), name="shot"))
    queue.tick()
    queue.tick()
    assert [view.state for view in queue.views] == [State.REFUSED, State.RUNNING]
    assert "no such file" in queue.views[0].message


def test_when_blender_ends_every_worker_is_let_go() -> None:
    worker = PretendedWorker(STARTED)
    stage = Stage(worker)
    stage.queue.tick()
    stage.queue.let_go()
    assert worker.is_let_go
    assert stage.queue.is_idle


def test_the_last_words_of_a_worker_that_is_gone_are_all_heard() -> None:
    worker = PretendedWorker(STARTED, *(Noticed(code=str(n), text=str(n)) for n in range(30)), JobDone(seconds=1.0))
    stage = Stage(worker)
    stage.queue.tick()
    worker.is_done, stage.step_s = True, BUDGET_S / 10
    for _ in range(9):
        stage.queue.tick()
    assert stage.states() == [State.DONE]
    assert len(stage.queue.views[0].notices) == 30


def test_a_queue_with_a_job_in_line_is_not_idle() -> None:
    stage = Stage(PretendedWorker(STARTED))
    assert not stage.queue.is_idle


def test_a_job_put_back_in_line_says_nothing_of_its_last_ending() -> None:
    worker = PretendedWorker(STARTED, JobRefused(error="E", message="m", hint="h"))
    stage = Stage(worker)
    stage.queue.tick()
    worker.is_done = True
    stage.queue.tick()
    stage.queue.resume("0")
    [view] = stage.queue.views
    assert (view.state, view.message, view.hint) == (State.WAITING, "", "")


def test_a_job_is_not_forgotten_while_a_worker_is_at_it() -> None:
    worker = PretendedWorker(STARTED, JobStopped())
    stage = Stage(worker)
    stage.queue.tick()
    stage.queue.forget("0")
    assert stage.queue.is_attended("0") and stage.queue.view("0")
    worker.is_done = True
    stage.queue.tick()
    stage.queue.tick()
    stage.queue.forget("0")
    assert not stage.queue.is_attended("0") and stage.queue.views == ()


ENDED_EARLY = {State.STOPPED, State.REFUSED, State.CRASHED, State.INTERRUPTED}
ALLOWED = {
    *((State.WAITING, to) for to in (State.RUNNING, State.STOPPED, State.REFUSED)),
    *((State.RUNNING, to) for to in (State.STOPPING, State.DONE, *ENDED_EARLY)),
    *((State.STOPPING, to) for to in (State.DONE, *ENDED_EARLY)),
    *((ended, State.WAITING) for ended in ENDED_EARLY),
}
"""What an artist is promised: what ended early can be resumed, what is done stays done."""


@pytest.mark.parametrize(("state", "to"), list(product(State, State)), ids=str)
def test_a_job_moves_as_an_artist_is_promised(state: State, to: State) -> None:
    if (state, to) in ALLOWED:
        assert moved(state, to) is to
    else:
        with pytest.raises(ValueError, match="does not move"):
            moved(state, to)
