# SPDX-License-Identifier: GPL-3.0-or-later
"""The queue of jobs of one Blender, and the list of them that the panel shows."""

from __future__ import annotations

import atexit
import logging
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
from bpy.types import Context

from ..backend.contract import layout
from ..backend.contract.errors import UnderstudyError
from ..backend.contract.events import Delivered
from ..backend.contract.jobfolder import read_job
from ..preferences import is_kept_running
from ..properties import window_of
from ..sequencer.shot import render_program
from ..worker_client.job_queue import JobQueue
from ..worker_client.search import Search
from ..worker_client.states import BUSY, State, moved
from ..worker_client.view import JobView, view_of
from ..worker_client.worker import Detached, Worker
from . import marks
from .placing import is_due, place_over_strip
from .program import start_worker

log = logging.getLogger(__name__)


class ForeignJobError(UnderstudyError):
    """A job would start another program than this Blender to render its strip."""

    hint = "Press Use Its Settings, then Replace: that makes the same job for this Blender."

    def __init__(self, folder: Path) -> None:
        super().__init__(f"The job in {folder} was made by another Blender or another installation of Understudy.")
        self.folder = folder


def _start(folder: Path) -> Worker:
    """Start a job's worker, on a leash or as one that goes on without Blender.

    A job's folder may be anybody's, and its shot and mattes are commands: only this Blender's own are run. Raises
    ForeignJobError, and what `start_worker` raises.
    """
    job, ours = read_job(folder), render_program()
    mattes = (each for casting in job.cast for each in (casting.matte_rendering, casting.garbage_rendering))
    for rendering in (job.shot.rendering, *mattes):
        if rendering.command and rendering.command[: len(ours)] != ours:
            raise ForeignJobError(folder)
    detached = ("--detached",) if is_kept_running(bpy.context) else ()
    return start_worker(folder, "run", str(folder), *detached, engine=job.engine)


queue = JobQueue(_start)
_shown: tuple[JobView, ...] = ()
_search: Search | None = None
_to_place: deque[str] = deque()
"""Ids of jobs whose results stand; they wait while Blender renders."""


def add(folder: Path) -> JobView:
    """Put a job that stands in its folder in line."""
    view = view_of(folder)
    queue.add(view)
    _list()
    for manager in bpy.data.window_managers:
        window_of(manager).active_job = 0
    return view


def look_for_jobs(works: Iterable[Path]) -> None:
    """Begin to look for jobs of work folders: `hear` takes them in."""
    global _search
    _search = Search(tuple(sorted({work / layout.JOBS for work in works})))


def _take_found() -> None:
    """Take in what the search found. Whom a worker that outlived its Blender does is listened to."""
    global _search
    found = _search.views_or_none() if _search else None
    if found is None:
        return
    _search = None
    for view in found:
        if queue.view(view.id) is None:
            _take_in(view)
    _list()


def _take_in(view: JobView) -> None:
    if view.state in BUSY:
        queue.attach(view, Detached(view.folder, skipped=view.events))
    elif view.state is State.WAITING:  # it was in line when Blender closed; nobody pressed anything since
        queue.add(replace(view, state=moved(view.state, State.STOPPED)))
    else:
        queue.add(view)
        if is_due(view):
            _to_place.append(view.id)


def hear() -> bool:
    """Hear the workers, place what stands; tell whether there is anything new to show."""
    global _shown
    _take_found()
    _to_place.extend(view.id for view, event in queue.tick() if isinstance(event, Delivered))
    is_rendering: Any = bpy.app.is_job_running("RENDER")  # type: ignore[func-returns-value]
    if _to_place and not is_rendering:
        _place(_to_place.popleft())
    is_new, _shown = queue.views != _shown, queue.views
    return is_new


def _place(job_id: str) -> None:
    """Place results; what stands in the way is shown with the job, whose files are whole."""
    view = queue.view(job_id)
    if view is None:
        return
    try:
        place_over_strip(view)
    except UnderstudyError as error:
        log.warning("The results of %s were not placed: %s", view.id, error)
        queue.add(replace(view, message=str(error), hint=f"{error.hint} Then press Place Again."))


def active_view(context: Context) -> JobView | None:
    """Give the job that is chosen in the list."""
    assert context.window_manager is not None
    window = window_of(context.window_manager)
    if not 0 <= window.active_job < len(window.jobs):
        return None
    return queue.view(window.jobs[window.active_job].name)


def _list() -> None:
    """Let the list in the panel name the queue's jobs, the newest first."""
    for manager in bpy.data.window_managers:
        window = window_of(manager)
        chosen = window.jobs[window.active_job].name if 0 <= window.active_job < len(window.jobs) else ""
        window.jobs.clear()
        for view in reversed(queue.views):
            window.jobs.add().name = view.id
        window.active_job = max(0, window.jobs.find(chosen))


def forget(job_id: str) -> None:
    """Take a job off the list."""
    queue.forget(job_id)
    _list()


def shutdown() -> None:
    """Turn away from all workers: those on a leash stop. Called when the extension is switched off or Blender ends."""
    global queue, _search
    queue.let_go()
    queue, _search = JobQueue(_start), None
    _to_place.clear()


def register() -> None:
    """Be told when Blender ends, and of undo."""
    marks.register()
    atexit.register(shutdown)


def unregister() -> None:
    """Begin anew when switched on again: what is on disk decides."""
    marks.unregister()
    atexit.unregister(shutdown)
    shutdown()
