# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions that a worker answers within seconds: one frame replaced, who is there. They make no delivery.

One at a time, beside the jobs: a new question ends the one before it.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..backend.contract.events import (
    CharacterRead,
    Event,
    FoundPerson,
    FramesDone,
    JobCrashed,
    JobRefused,
    Noticed,
    PeopleFound,
    Planned,
    PreviewMade,
    StageStarted,
)
from ..worker_client.notices import with_new
from ..worker_client.worker import Child
from .order import Order
from .program import DRAFT, start_worker

_SILENT = "The worker ended without an answer."
_SILENT_HINT = "Ask again; if that does not help, install Understudy again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the panel shows of questions.

    people: of the shot `shown`, see `Order`. found: in a character's picture, by its name. notices: what the answer
    alone does not show.
    """

    is_asking: bool = False
    question: str = ""
    is_answered: bool = False
    message: str = ""
    hint: str = ""
    notices: tuple[str, ...] = ()
    preview: Path | None = None
    people: tuple[FoundPerson, ...] = ()
    shown: tuple[str, range] = ("", range(0))
    plan: Planned | None = None
    found: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


answers = Answers()
_worker: Child | None = None
_folder: Path | None = None
_characters: tuple[str, ...] = ()
"""Names of the pictures that the open question is about, as they are cast."""


_first_frame = 0
"""Of the scene, which is the first one of the shot that the open question is about."""


def ask(order: Order, *words: str) -> None:
    """Put a question about an order: `preview`, `find` or `check`. Raises what `start_worker` raises.

    Only a check asks the job's own engine: the others are answered by the draft engine and by none.
    """
    global answers, _characters, _first_frame, _folder, _worker
    folder = order.folder
    end()
    if _folder is not None:  # it holds a copy of the .blend, and nobody reads it again
        shutil.rmtree(_folder, ignore_errors=True)
    engine = order.job.engine if words[0] == "check" else DRAFT
    _folder, _worker = folder, start_worker(folder, words[0], str(folder), *words[1:], engine=engine)
    kept = answers.people if answers.shown == order.shown else ()
    _characters, _first_frame = order.characters, order.frames[0]
    answers = Answers(is_asking=True, question=words[0], shown=order.shown, people=kept, found=answers.found)


def end(question: str = "") -> None:
    """Give up the question that is open; if one is named, only that."""
    global answers, _worker
    if question not in ("", answers.question):
        return
    if _worker:
        _worker.kill()
    _worker, answers = None, replace(answers, is_asking=False)


def hear() -> bool:
    """Take what was answered; tell whether there is anything new to show. Never waits."""
    global answers, _worker
    if _worker is None:
        return False
    before = answers
    while (event := _worker.mailbox.take_or_none()) is not None:
        answers = _after(answers, event)
    if _worker.is_over() and not len(_worker.mailbox):
        _worker, answers = None, _closed(answers)
    return answers != before


def _closed(shown: Answers) -> Answers:
    """Say that the worker is gone; and that it said nothing, if so."""
    if shown.is_answered and shown.question == "check" and not shown.hint:
        return replace(shown, is_asking=False, message="Ready to start")
    if shown.is_answered or shown.hint:
        return replace(shown, is_asking=False)
    return replace(shown, is_asking=False, message=_SILENT, hint=_SILENT_HINT)


def _after(shown: Answers, event: Event) -> Answers:
    match event:
        case PreviewMade():
            message = f"Preview of frame {_first_frame + event.frame}"
            return replace(shown, preview=Path(event.path), is_answered=True, message=message)
        case Planned():
            return replace(shown, plan=event, is_answered=shown.question == "check")
        case CharacterRead():
            return replace(shown, found={**shown.found, _characters[event.place]: event.found})
        case PeopleFound():
            return replace(shown, people=event.people, is_answered=True, message=_count_text(len(event.people)))
        case Noticed():
            return replace(shown, notices=with_new(shown.notices, event.text))
        case JobRefused():
            return replace(shown, message=event.message, hint=event.hint)
        case JobCrashed():
            return replace(shown, message=event.message, hint=f"The log is {event.log}.")
        case StageStarted() | FramesDone():
            return replace(shown, message=event.stage)
        case _:
            return shown


def _count_text(people: int) -> str:
    return "1 person found" if people == 1 else f"{people} people found"


def register() -> None:
    """Nothing is asked yet."""


def unregister() -> None:
    """Drop the open question."""
    global answers
    end()
    answers = Answers()
