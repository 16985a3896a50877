# SPDX-License-Identifier: GPL-3.0-or-later
"""A job as the panel shows it: a frozen record, and what each event makes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import assert_never

from ..backend.contract.events import (
    CharacterRead,
    Delivered,
    Event,
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
)
from ..backend.contract.jobfolder import is_running, read_events, read_job
from .notices import with_new
from .states import BUSY, State, moved

_KILLED = "The worker ended without a word: it was killed, or the machine went down."
_KILLED_HINT = "Press Resume: what is in place stays."


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """What is known of a job. message, hint: of its ending, if that was none wished for. seconds_left: -1 if unknown.

    done, total: frames of the stage at hand, or steps where its frames come out together. shown: how the newest frame
    comes out. first_frame: of the shot, as its scene counts. events: how many made it what it is.
    """

    id: str
    folder: Path
    name: str
    first_frame: int = 0
    state: State = State.WAITING
    stage: str = ""
    done: int = 0
    total: int = 0
    seconds_left: float = -1.0
    notices: tuple[str, ...] = ()
    message: str = ""
    hint: str = ""
    shown: PictureShown | None = None
    delivered: Delivered | None = None
    worker_version: str = ""
    events: int = 0

    @property
    def share(self) -> float:
        """How much of the stage at hand is done, 0..1."""
        return self.done / self.total if self.total else 0.0


def after(view: JobView, event: Event) -> JobView:  # noqa: C901  a row for each kind of event
    """Say what a job looks like after an event."""
    view = replace(view, events=view.events + 1)
    match event:
        case WorkerStarted():
            began = replace(view, notices=(), message="", hint="", seconds_left=-1.0, worker_version=event.version)
            return began if began.state in BUSY else replace(began, state=State.RUNNING)
        case StageStarted():
            return replace(view, stage=event.stage, done=0, total=0)
        case FramesDone():
            done, total = event.done_frames, event.total_frames
            return replace(view, stage=event.stage, done=done, total=total, seconds_left=event.seconds_left)
        case StepsDone():
            done, total = event.done_steps, event.total_steps
            return replace(view, stage=event.stage, done=done, total=total, seconds_left=event.seconds_left)
        case PictureShown():
            return replace(view, shown=event)
        case Planned():
            return replace(view, notices=with_new(view.notices, *event.remarks))
        case Noticed():
            return replace(view, notices=with_new(view.notices, event.text))
        case Delivered():
            return replace(view, delivered=event)
        case StageDone() | StageKept() | CharacterRead() | PeopleFound() | PreviewMade():
            return view
        case JobDone() | JobStopped() | JobRefused() | JobCrashed():
            return _ended(view, event)
        case _:
            assert_never(event)


def interrupted(view: JobView) -> JobView:
    """Say of a job whose worker is gone that it is."""
    return replace(view, state=moved(view.state, State.INTERRUPTED), message=_KILLED, hint=_KILLED_HINT)


def view_of(folder: Path) -> JobView:
    """Read a job from its folder: what is on disk decides. Raises FileMissingError, MessageInvalidError and others."""
    job = read_job(folder)
    first = job.shot.rendering.scene_first + job.shot.first
    view = JobView(id=job.id, folder=folder, name=job.delivery.name, first_frame=first)
    for event in read_events(folder):
        view = after(view, event)
    return interrupted(view) if view.state in BUSY and not is_running(folder) else view


def _ended(view: JobView, event: JobDone | JobStopped | JobRefused | JobCrashed) -> JobView:
    match event:
        case JobDone():
            return replace(view, state=State.DONE, seconds_left=0.0)
        case JobStopped():
            return replace(view, state=State.STOPPED)
        case JobRefused():
            return replace(view, state=State.REFUSED, message=event.message, hint=event.hint)
        case JobCrashed():
            hint = f"That is a fault of Understudy's. Send the report: its log is {event.log}."
            return replace(view, state=State.CRASHED, message=event.message, hint=hint)
        case _:
            assert_never(event)
