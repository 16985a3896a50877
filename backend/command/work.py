# SPDX-License-Identifier: GPL-3.0-or-later
"""The subcommands that make something: replace, animate, preview, run, resume, replay."""

from __future__ import annotations

import argparse
import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..contract import layout
from ..contract.errors import FileMissingError
from ..contract.events import Event, JobCrashed, JobDone, JobRefused, JobStopped, WorkerStarted
from ..contract.job import Casting, Delivery, Fit, Job, Mode, Shot
from ..version import VERSION
from .exits import Exit
from .missing import LibraryMissingError
from .parser import performer
from .say import Say, libraries_write_to

if TYPE_CHECKING:
    from ..pipeline.stop import StopFlag


_ENDINGS: dict[type[Event], Exit] = {
    JobDone: Exit.DONE,
    JobStopped: Exit.STOPPED,
    JobRefused: Exit.REFUSED,
    JobCrashed: Exit.CRASHED,
}


def replace(arguments: argparse.Namespace, say: Say) -> Exit:
    """Write the job that the panel would write, and do it."""
    return _start(arguments, Mode.REPLACE, say)


def animate(arguments: argparse.Namespace, say: Say) -> Exit:
    """Write an animate job, and do it."""
    return _start(arguments, Mode.ANIMATE, say)


def preview(arguments: argparse.Namespace, say: Say) -> Exit:
    """See one frame replaced, quickly. Nothing is delivered: the picture says that it is a preview."""
    from ..contract.events import PreviewMade
    from ..contract.jobfolder import is_job_folder, job_folder, make_folder, new_job_id, read_job
    from ..pipeline.preview import make_preview

    if is_job_folder(arguments.clip):
        folder, job = arguments.clip, read_job(arguments.clip)
    elif arguments.character is None:
        raise FileMissingError(arguments.clip, "job folder")
    else:
        job_id = new_job_id()
        folder = job_folder(arguments.output, job_id)
        make_folder(folder)
        job = _job(arguments, Mode.REPLACE, job_id, folder)
    frame = job.shot.first if arguments.frame is None else arguments.frame
    with libraries_write_to(folder / layout.LOG):
        path = make_preview(folder, job, frame, say.event, leash(folder, arguments).is_set)
    say.event(PreviewMade(path=str(path), frame=frame))
    return Exit.DONE


def run(arguments: argparse.Namespace, say: Say) -> Exit:
    """Do the job of a folder."""
    return _do(arguments.folder, arguments, say)


def replay(arguments: argparse.Namespace, say: Say) -> Exit:
    """Make a delivered version again, as a new version beside it."""
    from ..contract.jobfolder import job_folder, new_job_id, write_job
    from ..media.deliver import read_sidecar_job

    job = read_sidecar_job(arguments.sidecar)
    job = dataclasses.replace(job, id=new_job_id())
    folder = job_folder(arguments.sidecar.parent.parent, job.id)
    write_job(folder, job)
    return _do(folder, arguments, say)


def _start(arguments: argparse.Namespace, mode: Mode, say: Say) -> Exit:
    from ..contract.jobfolder import job_folder, new_job_id, write_job

    job_id = new_job_id()
    folder = job_folder(arguments.output, job_id)
    write_job(folder, _job(arguments, mode, job_id, folder))
    return _do(folder, arguments, say)


def _do(folder: Path, arguments: argparse.Namespace, say: Say) -> Exit:
    from ..contract.jobfolder import EventLog, JobLock

    if not (folder / layout.JOB).is_file():
        raise FileMissingError(folder / layout.JOB, "job file")
    with JobLock(folder), EventLog(folder) as events:
        flag = leash(folder, arguments)

        def tell(event: Event) -> None:
            events.append(event)
            say.event(event)

        tell(WorkerStarted(job=folder.name, pid=os.getpid(), version=VERSION))
        with libraries_write_to(folder / layout.LOG):
            ending = _perform(folder, tell, flag)
        tell(ending)
    return _ENDINGS[type(ending)]


def leash(folder: Path, arguments: argparse.Namespace) -> StopFlag:
    """Say what stops a command: signals, the cancel file, and the end of stdin where a program holds it."""
    from ..pipeline.stop import StopFlag, outlive_the_starter

    flag = StopFlag(folder)
    flag.obey_signals()
    if arguments.detached:
        outlive_the_starter()
    elif arguments.json:
        flag.obey_stdin()
    return flag


def _perform(folder: Path, tell: Callable[[Event], None], flag: StopFlag) -> Event:
    """Import what does the work only now, so that the starter hears of the worker at once, and do the job."""
    try:
        from ..pipeline.perform import perform
    except ImportError as error:
        missing = LibraryMissingError(error)
        return JobRefused(error=type(missing).__name__, message=str(missing), hint=missing.hint)
    return perform(folder, tell, flag.is_set)


def _job(arguments: argparse.Namespace, mode: Mode, job_id: str, folder: Path) -> Job:
    others = (
        Casting(character=path_from(folder, character), performer=performer(who), fit=_fit(arguments))
        for who, character in arguments.also
    )
    return Job(
        id=job_id,
        mode=mode,
        shot=shot_of(arguments, folder),
        cast=(_first_casting(arguments, folder), *others),
        delivery=Delivery(
            folder=path_from(folder, arguments.output),
            name=arguments.name or arguments.clip.stem,
            passes=arguments.passes,
            depth_bits=arguments.depth,
            first_number=arguments.first_number,
        ),
        engine=arguments.engine,
        settings=tuple(arguments.set),
        seed=arguments.seed,
        shadow=arguments.shadow,
    )


def _first_casting(arguments: argparse.Namespace, folder: Path) -> Casting:
    return Casting(
        character=path_from(folder, arguments.character),
        performer=arguments.performer,
        fit=_fit(arguments),
        matte=path_from(folder, arguments.matte),
        matte_combine=arguments.matte_combine,
        garbage_matte=path_from(folder, arguments.garbage_matte),
        joints=tuple(arguments.joint),
    )


def _fit(arguments: argparse.Namespace) -> Fit:
    return Fit(
        scale=arguments.scale,
        offset_x=arguments.offset[0],
        offset_y=arguments.offset[1],
        ground_offset=arguments.ground_offset,
        mirror=arguments.mirror,
        head_size=arguments.head_size,
    )


def shot_of(arguments: argparse.Namespace, folder: Path) -> Shot:
    """Read the clip and range off a command line, for a job in `folder`."""
    return Shot(source=path_from(folder, arguments.clip), first=arguments.first, last=arguments.last, fps=arguments.fps)


def path_from(folder: Path, path: Path | str) -> str:
    """Write a path as the job keeps it: relative to the job folder where that is possible, else absolute."""
    if not str(path):
        return ""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive on Windows
        return str(Path(path).absolute())
