# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at a clip that make no delivery."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..contract.events import Event, FoundPerson, PeopleFound, PersonAt
from ..contract.job import Job
from ..media.clip import open_shot
from ..media.clipinfo import check_range
from ..performer.people import People, Person
from .preflight import clear
from .replace import read_characters
from .run import Run
from .stages import PEOPLE, Find, Frames


def check_job(folder: Path, job: Job, tell: Callable[[Event], None]) -> None:
    """Look a job over as it would be before its start: tell the plan, and what is found in the characters' pictures.

    Raises the first thing that will not do. The pictures are not read again by a job that follows.
    """
    run = Run(folder, job, tell, should_stop=lambda: False)
    run.expect(clear(job, folder))
    read_characters(run)


def find_in_clip(folder: Path, job: Job, tell: Callable[[Event], None], should_stop: Callable[[], bool]) -> PeopleFound:
    """Find who is in the clip of a job that need not have a cast. Its stages are those that a later job begins with.

    Raises NobodyFoundError and whatever is wrong with the clip.
    """
    run = Run(folder, job, tell, should_stop)
    clip = open_shot(job.shot, folder)
    last = clip.info.frame_count - 1 if job.shot.last == -1 else job.shot.last
    check_range(clip.info, job.shot.first, last)
    frames = run.stage(Frames(run.source(job.shot, clip), job.shot.first, last, job.shot.fps, job.delivery.depth_bits))
    people = People.load(run.stage(Find(frames)).folder / PEOPLE)
    return PeopleFound(people=tuple(_told(person, job.shot.first) for person in people.persons))


def _told(person: Person, first: int) -> FoundPerson:
    """Word a person for the contract, frames counted from the clip's first."""
    seen = (
        PersonAt(frame=first + seen.frame, x=x, y=y, x1=x1, y1=y1, score=seen.score)
        for seen in person.seen
        for x, y, x1, y1 in [map(float, seen.box)]
    )
    return FoundPerson(id=person.id, seen=tuple(seen))
