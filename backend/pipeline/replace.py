# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job: the shot with its performers replaced."""

from __future__ import annotations

from dataclasses import dataclass

from ..contract.errors import UnderstudyError
from ..contract.job import Casting, Mode
from ..media.sequence import Sequence
from ..performer.find import People, Person, choose
from .preflight import Cleared
from .run import Run
from .sequences import Windows
from .stage import Result
from .stages import PEOPLE, Character, Find, Frames, Matte, Plate, Track, Window


class SamePerformerError(UnderstudyError):
    """Two characters were cast for one performer."""

    hint = "Choose another performer for one of them; `find` shows who is there."

    def __init__(self, person_id: int) -> None:
        super().__init__(f"Performer {person_id} was given two characters.")
        self.person_id = person_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One performer and the character who takes the part, as far as it is computed."""

    casting: Casting
    character: Result
    track: Result
    matte: Result


def read_shot(run: Run, cleared: Cleared) -> Result:
    """Bring the shot's frames into place."""
    shot = run.job.shot
    return run.stage(
        Frames(run.fingerprint(shot.source), shot.first, cleared.last, shot.fps, run.job.delivery.depth_bits)
    )


def read_character(run: Run, casting: Casting) -> Result:
    """Let the engine read the character's picture, before any frame: a picture that will not do ends the job here."""
    return run.stage(Character(run.job.engine, run.fingerprint(casting.character), casting.fit.mirror))


def cast_performers(run: Run, frames: Result) -> tuple[Result, tuple[Person, ...]]:
    """Find who is in the shot and who of them is meant by each casting. Raises SamePerformerError."""
    found = run.stage(Find(frames))
    people = People.load(found.folder / PEOPLE)
    persons = tuple(choose(people, casting.performer, run.job.shot.first) for casting in run.job.cast)
    for place, person in enumerate(persons):
        if person in persons[:place]:
            raise SamePerformerError(person.id)
    return found, persons


def make_parts(run: Run, frames: Result, characters: tuple[Result, ...]) -> tuple[Part, ...]:
    """Track and matte every performer that is cast."""
    found, persons = cast_performers(run, frames)
    tracks = [run.stage(Track(frames, found, person)) for person in persons]
    return tuple(
        Part(
            casting=casting,
            character=character,
            track=track,
            matte=run.stage(
                Matte(
                    frames,
                    track,
                    run.fingerprint_or_none(casting.matte),
                    run.fingerprint_or_none(casting.garbage_matte),
                )
            ),
        )
        for casting, character, track in zip(run.job.cast, characters, tracks, strict=True)
    )


def make_plate(run: Run, frames: Result, parts: tuple[Part, ...]) -> Result:
    """Paint the shot without the performers that are cast."""
    mattes, tracks = tuple(part.matte for part in parts), tuple(part.track for part in parts)
    return run.stage(Plate(frames, mattes, tracks, run.job.shadow))


def draw_part(run: Run, cleared: Cleared, mode: Mode, frames: Result, plate: Result, part: Part) -> Sequence:
    """Draw one character over the whole shot, window by window."""
    folders = []
    for first, last in cleared.plan.windows:
        window = Window(
            run.job.engine,
            mode,
            frames,
            plate,
            part.matte,
            part.track,
            part.character,
            part.casting.fit,
            run.job.seed,
            first,
            last,
        )
        if first == 0:
            cleared.engine.foresee(window.inputs(), run.begin("foresee"))
        folders.append((last, run.stage(window).folder))
    return Windows(folders[0][1], cleared.frame_count, tuple(folders))
