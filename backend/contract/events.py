# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened: one JSON object a line, in `events.jsonl` (the truth) and on stdout under `--json` (a copy).

A reader matches on the class and ends with `assert_never`, so that a new kind fails the type check at every reader.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar

from .wire import CONTRACT_VERSION, MessageInvalidError, check_version, from_json, to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStarted:
    """The worker runs and has taken the job. pid is its process."""

    kind: ClassVar[str] = "worker_started"
    job: str
    pid: int
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The job was looked over and may start.

    seconds: a first guess of the whole job's time, with nothing in place. remarks: what the delivered depth can't hold
    of the clip, and how the clip is read where it does not declare it.
    """

    kind: ClassVar[str] = "planned"
    frames: int
    windows: int
    seconds: float
    peak_memory_bytes: int
    disk_bytes: int
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageStarted:
    """A stage is being computed. key: the hash that names its result."""

    kind: ClassVar[str] = "stage_started"
    stage: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageKept:
    """A stage's result was in place and is not computed again."""

    kind: ClassVar[str] = "stage_kept"
    stage: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageDone:
    """A stage's result was put in place."""

    kind: ClassVar[str] = "stage_done"
    stage: str
    key: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FramesDone:
    """So many frames of a stage are done. seconds_left: the whole job's, -1 while unknown."""

    kind: ClassVar[str] = "frames_done"
    stage: str
    done_frames: int
    total_frames: int
    seconds_left: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsDone:
    """So many steps of a stage are done, whose frames all come out together at its end. seconds_left: as above."""

    kind: ClassVar[str] = "steps_done"
    stage: str
    done_steps: int
    total_steps: int
    seconds_left: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureShown:
    """How a frame of the shot, counted from 0, comes out so far. path: a small PNG that the next one replaces."""

    kind: ClassVar[str] = "picture_shown"
    stage: str
    frame: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """Something the artist should know: a fault foreseen, a reduction, a part missing. code is stable."""

    kind: ClassVar[str] = "noticed"
    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacterRead:
    """What the engine found in a character's picture, a few words each. place: of its casting in the job, from 0."""

    kind: ClassVar[str] = "character_read"
    place: int
    found: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A version stands whole. sheet: path of its contact sheet. Paths are absolute."""

    kind: ClassVar[str] = "delivered"
    folder: str
    version: int
    first_number: int
    frame_count: int
    passes: tuple[str, ...]
    sheet: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonAt:
    """Where a person is in one frame of the clip: a box in pixels, and how surely it was seen, 0..1."""

    frame: int
    x: float
    y: float
    x1: float
    y1: float
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPerson:
    """Somebody in the clip: the id that `--performer id:N` takes, and where the person was seen, frames rising."""

    id: int
    seen: tuple[PersonAt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleFound:
    """Who is in the clip, the largest first."""

    kind: ClassVar[str] = "people_found"
    people: tuple[FoundPerson, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewMade:
    """A single preview frame stands. path: the picture. It is no delivery."""

    kind: ClassVar[str] = "preview_made"
    path: str
    frame: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDone:
    """The job is done; nothing follows."""

    kind: ClassVar[str] = "job_done"
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStopped:
    """The job was stopped on request and resumes from what is in place."""

    kind: ClassVar[str] = "job_stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRefused:
    """The job can't be done as it stands. error: the error's class name."""

    kind: ClassVar[str] = "job_refused"
    error: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCrashed:
    """A bug. log: path of the worker's log, with the traceback."""

    kind: ClassVar[str] = "job_crashed"
    message: str
    log: str


Event = (
    WorkerStarted
    | Planned
    | StageStarted
    | StageKept
    | StageDone
    | FramesDone
    | StepsDone
    | PictureShown
    | Noticed
    | CharacterRead
    | Delivered
    | PeopleFound
    | PreviewMade
    | JobDone
    | JobStopped
    | JobRefused
    | JobCrashed
)
KINDS: dict[str, type[Event]] = {kind.kind: kind for kind in Event.__args__}


def to_line(event: Event) -> str:
    """One line of JSON, without its newline."""
    return json.dumps({"v": CONTRACT_VERSION, "kind": event.kind, **to_json(event)}, ensure_ascii=False)


def from_line(line: str) -> Event:
    """Read what `to_line` wrote. Raises MessageInvalidError, MessageTooNewError."""
    try:
        data = check_version(json.loads(line), "event")
    except json.JSONDecodeError as error:
        raise MessageInvalidError("event", "is no JSON") from error
    kind = KINDS.get(str(data.pop("kind", "")))
    if kind is None:
        raise MessageInvalidError("event.kind", "is unknown")
    return from_json(kind, dict(data), kind.kind)
