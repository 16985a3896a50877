# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job: the shot with its performers replaced."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..contract.errors import UnderstudyError
from ..contract.events import CharacterRead
from ..contract.job import Casting, Combine, Job, Rendering, Shot
from ..contract.joints import TrackedCast
from ..contract.layout import JOINTS
from ..contract.wire import to_json
from ..media.clip import open_shot
from ..media.deliver import Layers
from ..media.sequence import Sequence
from ..performer.control import draw_control
from ..performer.correct import tell_joints
from ..performer.tracks import Tracks
from .delivery import deliver_layers
from .engines import engine_named
from .fingerprint import Fingerprint
from .preflight import Cleared, clear
from .run import Run
from .sequences import Windows
from .stage import Result
from .stages import (
    HOLE,
    PLATE_CONFIDENCE,
    PLATE_REPORT,
    Cast,
    Character,
    Correct,
    Find,
    Frames,
    Matte,
    Plate,
    Roto,
    ShotFacts,
    Track,
    Window,
    frames_of,
    mattes_of,
    plate_of,
    tracks_of,
)


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
    tracks: Result
    matte: Result | None


def replace(run: Run) -> None:
    """Do a replace job and deliver it. Raises what its stages raise."""
    cleared = clear(run.job, run.folder)
    run.expect(cleared)
    characters = read_characters(run)
    frames = run.stage(frames_stage(run, cleared))
    parts = make_parts(run, cleared, frames, characters)
    plate = make_plate(run, frames, parts)
    drawn = _rearmost_first(draw_part(run, cleared, frames, plate, part) for part in parts)
    count = cleared.frame_count
    layers = Layers(
        plate=plate_of(plate, count),
        characters=tuple(sequence for sequence, _ in drawn),
        source=frames_of(frames),
        hole=Sequence(plate.folder / HOLE, count),
        plate_confidence=Sequence(plate.folder / PLATE_CONFIDENCE, count),
        performer_mattes=tuple(mattes_of(part.matte, count) for part in parts if part.matte),
        control=lambda picture, index: draw_control(picture, [tracks for _, tracks in drawn], index),
    )
    report = json.loads((plate.folder / PLATE_REPORT).read_text("utf-8"))
    deliver_layers(run, cleared, ShotFacts.load(frames.folder), layers, report)


def frames_stage(run: Run, cleared: Cleared) -> Frames:
    """Describe the stage that brings the job's frames into place."""
    shot = run.job.shot
    return Frames(run.source(shot, cleared.clip), shot.first, cleared.last, shot.fps, run.job.delivery.depth_bits)


def read_characters(run: Run) -> tuple[Result, ...]:
    """Let the engine read the characters' pictures, before any frame: one that will not do ends the job here."""
    engine, characters = engine_named(run.job.engine), []
    for place, casting in enumerate(run.job.cast):
        stage = Character(run.job.engine, run.fingerprint(casting.character), casting.fit.mirror)
        characters.append(run.stage(stage))
        run.tell(CharacterRead(place=place, found=engine.describe(characters[-1].folder)))
    return tuple(characters)


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
    tracks = tuple(run.stage(Track(frames, people, person)) for person in persons)
    told = TrackedCast(performers=tuple(tell_joints(tracks_of(track)) for track in tracks))
    (run.folder / JOINTS).write_text(json.dumps(to_json(told)), "utf-8")
    return tracks


def make_parts(run: Run, cleared: Cleared, frames: Result, characters: tuple[Result, ...]) -> tuple[Part, ...]:
    """Track and matte every performer that is cast."""
    parts = []
    for casting, character, track in zip(run.job.cast, characters, track_performers(run, frames), strict=True):
        tracks = correct_joints(run, casting, track)
        matte = make_matte(run, cleared, casting, frames, track, tracks)
        parts.append(Part(casting=casting, character=character, tracks=tracks, matte=matte))
    return tuple(parts)


def correct_joints(run: Run, casting: Casting, track: Result) -> Result:
    """Move the joints of one performer's track that the artist has keyed, if any."""
    fixes = tuple(fix.counted_from(run.job.shot.first) for fix in casting.joints)
    return run.stage(Correct(track, fixes)) if fixes else track


def make_matte(run: Run, cleared: Cleared, casting: Casting, frames: Result, track: Result, tracks: Result) -> Result:
    """Matte one performer, with what the artist gives for it."""
    own = artists_matte(run, cleared, casting.matte, casting.matte_rendering)
    garbage = artists_matte(run, cleared, casting.garbage_matte, casting.garbage_rendering)
    combine = casting.matte_combine if own else Combine.REPLACE
    return run.stage(Matte(frames, track, tracks, own, combine, garbage))


def artists_matte(run: Run, cleared: Cleared, name: str, rendering: Rendering) -> Fingerprint | Result | None:
    """Hash the files of a matte that the artist gives, or let Blender render it."""
    if not rendering.command:
        return run.fingerprint_or_none(name)
    shot = matte_shot(cleared, name, rendering)
    return run.stage(Roto(run.source(shot, open_shot(shot, run.folder)), run.job.shot.first, cleared.last))


def matte_shot(cleared: Cleared, name: str, rendering: Rendering) -> Shot:
    """Say what Blender renders for a matte of the artist's, as a shot of its own."""
    return Shot(source=name, fps=str(cleared.clip.info.fps), rendering=rendering)


def make_plate(run: Run, frames: Result, parts: tuple[Part, ...]) -> Result:
    """Paint the shot without the performers that are cast."""
    mattes, tracks = tuple(part.matte for part in parts if part.matte), tuple(part.tracks for part in parts)
    return run.stage(Plate(frames, mattes, tracks, run.job.shadow))


def draw_part(run: Run, cleared: Cleared, frames: Result, plate: Result, part: Part) -> tuple[Sequence, Tracks]:
    """Draw one character over the whole shot, window by window. Returns it with the tracks that drove it."""
    weights = run.read_weights(cleared)
    windows = [_window(run.job, weights, frames, plate, part, span) for span in cleared.plan.windows]
    inputs = windows[0].inputs()
    cleared.engine.foresee(inputs, run.begin("foresee"))
    folders: list[tuple[int, Path]] = []
    before: Result | None = None
    for window in windows:
        drawn = run.stage(dataclasses.replace(window, before=before))
        before = drawn if cleared.plan.is_chained else None
        folders.append((window.last, drawn.folder))
    return Windows(folders[0][1], cleared.frame_count, tuple(folders)), cleared.engine.driving_tracks(inputs)


def _window(
    job: Job, weights: tuple[Fingerprint, ...], frames: Result, plate: Result, part: Part, span: tuple[int, int]
) -> Window:
    return Window(
        engine=job.engine,
        settings=job.settings,
        weights=weights,
        mode=job.mode,
        frames=frames,
        plate=plate,
        matte=part.matte,
        track=part.tracks,
        character=part.character,
        fit=part.casting.fit,
        seed=job.seed,
        first=span[0],
        last=span[1],
    )


def _rearmost_first(drawn: Iterable[tuple[Sequence, Tracks]]) -> tuple[tuple[Sequence, Tracks], ...]:
    """Sort by where the performers stand: whose box ends lower in the picture is nearer, on the median frame."""
    return tuple(sorted(drawn, key=lambda part: float(np.median(part[1].box[:, 3]))))
