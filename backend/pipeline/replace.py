# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job: the shot with its performers replaced."""

from __future__ import annotations

from dataclasses import dataclass

from ..contract.errors import UnderstudyError
from ..contract.job import Casting, Mode
from ..media.sequence import Sequence
from .preflight import Cleared
from .run import Run
from .sequences import Windows
from .stage import Result
from .stages import Cast, Character, Find, Frames, Matte, Plate, Track, Window


class SamePerformerError(UnderstudyError):
    """Two characters were cast for one performer."""

    hint = "Choose another performer for one of them; `find` shows who is there."

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second} were cast for the same performer.")
        self.first, self.second = first, second


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


def track_performers(run: Run, frames: Result) -> tuple[Result, ...]:
    """Find who is in the shot, who of them is meant by each casting, and track them. Raises SamePerformerError."""
    people = run.stage(Find(frames))
    cast: dict[str, Casting] = {}
    persons = []
    for casting in run.job.cast:
        person = run.stage(Cast(frames, people, casting.performer, run.job.shot.first))
        other = cast.setdefault(person.digest, casting)
        if other is not casting:
            raise SamePerformerError(other.character, casting.character)
        persons.append(person)
    return tuple(run.stage(Track(frames, people, person)) for person in persons)


def make_parts(run: Run, frames: Result, characters: tuple[Result, ...]) -> tuple[Part, ...]:
    """Track and matte every performer that is cast."""
    return tuple(
        Part(casting=casting, character=character, track=track, matte=make_matte(run, casting, frames, track))
        for casting, character, track in zip(run.job.cast, characters, track_performers(run, frames), strict=True)
    )


def make_matte(run: Run, casting: Casting, frames: Result, track: Result) -> Result:
    """Matte one performer, or take the artist's own matte."""
    override, garbage = (run.fingerprint_or_none(path) for path in (casting.matte, casting.garbage_matte))
    return run.stage(Matte(frames, track, override, garbage))


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
