# SPDX-License-Identifier: GPL-3.0-or-later
"""The jobs that this Blender knows of, one of them running at a time. Nothing here waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ..backend.contract.errors import UnderstudyError
from ..backend.contract.events import Event
from .states import BUSY, State, moved
from .view import JobView, after, interrupted
from .worker import Worker

_NOT_STARTED = "The worker could not be started."
_NOT_STARTED_HINT = "Blender's console tells why; press Resume to try again."
BUDGET_S = 0.004
"""How long one tick may go on reading events; the rest waits for the next."""


class JobQueue:
    """Jobs in the order in which they came, and their workers. Only Blender's main thread may touch it."""

    def __init__(self, start: Callable[[Path], Worker], clock: Callable[[], float] = time.monotonic) -> None:
        self._start, self._clock = start, clock
        self._views: dict[str, JobView] = {}
        self._workers: dict[str, Worker] = {}

    @property
    def views(self) -> tuple[JobView, ...]:
        """All jobs, the oldest first."""
        return tuple(self._views.values())

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to hear and nothing to start."""
        return not self._workers and all(view.state is not State.WAITING for view in self.views)

    def view(self, job_id: str) -> JobView | None:
        """Give a job by its id."""
        return self._views.get(job_id)

    def add(self, view: JobView) -> None:
        """Take a job in. One that waits is started when its turn comes."""
        self._views[view.id] = view

    def attach(self, view: JobView, worker: Worker) -> None:
        """Take in a job that somebody does already."""
        self._views[view.id], self._workers[view.id] = view, worker

    def cancel(self, job_id: str) -> None:
        """Ask a running job to stop, or take one that waits out of the line."""
        view = self._views[job_id]
        if view.state is State.WAITING:
            self._views[job_id] = replace(view, state=moved(view.state, State.STOPPED))
        elif view.state is State.RUNNING:
            self._workers[job_id].ask_to_stop()
            self._views[job_id] = replace(view, state=moved(view.state, State.STOPPING))

    def resume(self, job_id: str) -> None:
        """Put a job that ended early back in line. Raises ValueError for one that did not."""
        view = self._views[job_id]
        self._views[job_id] = replace(view, state=moved(view.state, State.WAITING), message="", hint="")

    def is_attended(self, job_id: str) -> bool:
        """Whether a worker is still at a job, be it on its way out."""
        return job_id in self._workers

    def forget(self, job_id: str) -> None:
        """Drop a job that nobody does."""
        if job_id not in self._workers:
            self._views.pop(job_id, None)

    def let_go(self) -> None:
        """Turn away from all workers, because Blender ends."""
        for worker in self._workers.values():
            worker.let_go()
        self._workers.clear()

    def tick(self) -> list[tuple[JobView, Event]]:
        """Hear what there is to hear within the budget, and start who is next. Returns events with the views after."""
        deadline, happened = self._clock() + BUDGET_S, list[tuple[JobView, Event]]()
        for job_id, worker in list(self._workers.items()):
            while self._clock() < deadline and (event := worker.mailbox.take_or_none()) is not None:
                self._views[job_id] = after(self._views[job_id], event)
                happened.append((self._views[job_id], event))
            if worker.is_over() and not len(worker.mailbox):
                self._end(job_id)
        if not self._workers:
            self._start_next()
        return happened

    def _end(self, job_id: str) -> None:
        del self._workers[job_id]
        if self._views[job_id].state in BUSY:
            self._views[job_id] = interrupted(self._views[job_id])

    def _start_next(self) -> None:
        waiting = next((view for view in self.views if view.state is State.WAITING), None)
        if waiting is None:
            return
        # Told before it is tried: what is no UnderstudyError is a bug that the timer logs, and not tried for ever.
        self._views[waiting.id] = refused = replace(
            waiting, state=moved(waiting.state, State.REFUSED), message=_NOT_STARTED, hint=_NOT_STARTED_HINT
        )
        try:
            worker = self._start(waiting.folder)
        except UnderstudyError as error:
            self._views[waiting.id] = replace(refused, message=str(error), hint=error.hint)
            return
        self._workers[waiting.id] = worker
        self._views[waiting.id] = replace(waiting, state=moved(waiting.state, State.RUNNING))
