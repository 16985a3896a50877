# SPDX-License-Identifier: GPL-3.0-or-later
"""The Wan engine's Python environment: made on the artist's click, or looked at; one of the two at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import bpy

from ..backend.contract.environment import environment_of, python_of
from ..backend.contract.errors import UnderstudyError
from ..backend.contract.events import (
    Event,
    JobDone,
    JobRefused,
    JobStopped,
    Noticed,
    StageStarted,
    StepsDone,
)
from ..preferences import choose_wan_python
from ..worker_client.worker import Child
from .program import DRAFT, WAN, environment_folder, start_worker

_SILENT = "The worker ended without an answer."
_SILENT_HINT = "Press the button again; the folder of the environment has a log, worker.log."
_STOPPED = "Stopped. What was fetched is kept: press Create Environment to go on."


class OfflineError(UnderstudyError):
    """Blender may not go online, and packages would be fetched."""

    hint = "Switch on Preferences > System > Network > Allow Online Access, or choose the Python of an environment."

    def __init__(self) -> None:
        super().__init__("Blender is set to stay offline, and creating the environment fetches packages.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the preferences show. ready: what the environment was found to hold. Time left is -1 while unknown."""

    is_busy: bool = False
    is_creating: bool = False
    is_answered: bool = False
    stage: str = ""
    done_mb: int = 0
    total_mb: int = 0
    seconds_left: float = -1.0
    ready: str = ""
    message: str = ""
    hint: str = ""


shown = Shown()
_worker: Child | None = None


def create() -> None:
    """Begin to make the environment, or go on with it. Raises OfflineError, WorkerNotStartedError."""
    if not bpy.app.online_access:
        raise OfflineError
    _start(Shown(is_busy=True, is_creating=True), "create-environment", str(environment_folder()))


def check() -> None:
    """Ask the Python that is chosen what it holds. Raises what `program` raises, and WorkerNotStartedError."""
    _start(Shown(is_busy=True), "check-environment", engine=WAN)


def stop() -> None:
    """Ask to stop; what was fetched is kept."""
    if _worker:
        _worker.ask_to_stop()


def hear() -> bool:
    """Take what was told; say whether there is anything new to show. Never waits."""
    global shown, _worker
    if _worker is None:
        return False
    before = shown
    while (event := _worker.mailbox.take_or_none()) is not None:
        shown = _after(shown, event)
    if _worker.is_over() and not len(_worker.mailbox):
        _worker, shown = None, _closed(shown)
        if before.is_creating and not shown.message:
            _take_what_was_made()
    return shown != before


def _start(begun: Shown, *words: str, engine: str = DRAFT) -> None:
    global shown, _worker
    _worker = start_worker(environment_folder(), *words, engine=engine)
    shown = begun


def _take_what_was_made() -> None:
    """Choose it, and ask it what it holds."""
    global shown
    choose_wan_python(bpy.context, python_of(environment_of(environment_folder())))
    try:
        check()
    except UnderstudyError as error:
        shown = replace(shown, message=str(error), hint=error.hint)


def _closed(last: Shown) -> Shown:
    """Say that the worker is gone; and that it said nothing, if so."""
    over = replace(last, is_busy=False, is_creating=False, stage="")
    return over if last.is_answered else replace(over, message=_SILENT, hint=_SILENT_HINT)


def _after(last: Shown, event: Event) -> Shown:
    match event:
        case StageStarted():
            return replace(last, stage=event.stage, done_mb=0, total_mb=0, seconds_left=-1.0)
        case StepsDone():
            done, total = event.done_steps, event.total_steps
            return replace(last, done_mb=done, total_mb=total, seconds_left=event.seconds_left)
        case JobDone():
            return replace(last, is_answered=True)
        case Noticed():
            return replace(last, is_answered=True, ready=event.text)
        case JobRefused():
            return replace(last, is_answered=True, message=event.message, hint=event.hint)
        case JobStopped():
            return replace(last, is_answered=True, message=_STOPPED)
        case _:
            return last


def register() -> None:
    """Nothing is made yet."""


def unregister() -> None:
    """Turn away from the worker: it stops then, and what was fetched is kept."""
    global shown, _worker
    if _worker:
        _worker.let_go()
    _worker, shown = None, Shown()
