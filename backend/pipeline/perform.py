# SPDX-License-Identifier: GPL-3.0-or-later
"""A job from its folder to its ending. Whatever happens, one last event tells it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from ..contract import layout
from ..contract.disk import as_artist_error_or_none
from ..contract.errors import StoppedError, UnderstudyError
from ..contract.events import Event, JobCrashed, JobDone, JobRefused, JobStopped
from ..contract.job import Mode
from ..contract.jobfolder import read_job
from .animate import animate
from .replace import replace
from .run import Run

log = logging.getLogger(__name__)


def perform(folder: Path, tell: Callable[[Event], None], should_stop: Callable[[], bool]) -> Event:
    """Do the job of a folder, or what is left of it. Returns the event that ends it; raises nothing."""
    _log_to(folder / layout.LOG)
    started = time.monotonic()
    try:
        job = read_job(folder)
        run = Run(folder, job, tell, should_stop)
        (replace if job.mode is Mode.REPLACE else animate)(run)
    except StoppedError:
        return JobStopped()
    except UnderstudyError as error:
        return _refused(error, folder)
    except Exception as error:  # the one wide net of the worker's process: a bug must reach the artist too
        known = as_artist_error_or_none(error)
        if known:
            return _refused(known, folder)
        log.exception("The job in %s failed", folder)
        return JobCrashed(message=f"{type(error).__name__}: {error}", log=str(folder / layout.LOG))
    return JobDone(seconds=round(time.monotonic() - started, 3))


def _refused(error: UnderstudyError, folder: Path) -> JobRefused:
    log.info("The job in %s was refused", folder, exc_info=error)
    return JobRefused(error=type(error).__name__, message=str(error), hint=error.hint)


def _log_to(path: Path) -> None:
    logging.basicConfig(
        filename=path, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", encoding="utf-8"
    )
