# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages from a file to the drawn character. Each only names its inputs and calls its room."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..contract.errors import UnderstudyError
from ..contract.job import Combine, Fit, Mode, PerformerChoice, Setting, Shadow
from ..contract.joints import JointFix
from ..contract.watch import Watch
from ..contract.wire import from_json, to_json
from ..engines.base import Inputs
from ..media.images import write_picture
from ..media.sequence import Sequence, SequenceWriter, frame_name
from ..performer.choose import choose
from ..performer.correct import move_joints
from ..performer.find import find_people
from ..performer.matte import OwnMatte, matte_of_picture, refine_matte
from ..performer.people import People
from ..performer.track import track_performer
from ..performer.tracks import Tracks
from ..plate.build import build_plate
from .engines import engine_named
from .fingerprint import Fingerprint, Source
from .sequences import Held, artist_matte
from .stage import Result, Stage

FRAMES, COVERAGE, MATTE, PLATE = "frames", "coverage", "matte", "plate"
TRACKS, PEOPLE, PERSON, SHOT = "tracks.safetensors", "people.json", "person.json", "shot.json"
ROTO = "roto.txt"
HOLE, PLATE_CONFIDENCE, PLATE_REPORT = "hole", "plate_confidence", "plate.json"


class FrameCountError(UnderstudyError):
    """A clip gave another number of frames than it promised. Nothing is delivered from it."""

    hint = "Transcode the clip to an image sequence and choose that."

    def __init__(self, clip: Path, wanted: int, found: int) -> None:
        super().__init__(f"{clip} gave {found} frames where {wanted} were asked for.")
        self.clip, self.wanted, self.found = clip, wanted, found


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotFacts:
    """What the frames stage knows of its frames. pixels: hash of them all; numbers: of the source's files or frames."""

    width_px: int
    height_px: int
    frame_count: int
    fps: str
    depth_bits: int
    numbers: tuple[int, ...]
    pixels: str

    @classmethod
    def load(cls, result: Path) -> ShotFacts:
        """Read from a frames result."""
        return from_json(cls, json.loads((result / SHOT).read_text("utf-8")), SHOT)


def frames_of(result: Result) -> Sequence:
    """Open a frames result as a sequence."""
    return Sequence(result.folder / FRAMES, ShotFacts.load(result.folder).frame_count)


def mattes_of(result: Result, count: int) -> Sequence:
    """Open a matte result as a sequence."""
    return Sequence(result.folder / MATTE, count)


def tracks_of(result: Result) -> Tracks:
    """Open a track result."""
    return Tracks.load(result.folder / TRACKS)


@dataclass(frozen=True)
class Frames(Stage):
    """The shot's frames at the delivered depth. first..last inclusive, in frames of the clip."""

    name, version = "frames", 1
    source: Source
    first: int
    last: int
    fps: str
    depth_bits: int

    def run(self, into: Path, watch: Watch) -> None:
        clip = self.source.clip
        total, pixels = self.last - self.first + 1, hashlib.sha256()
        done = 0
        with SequenceWriter(into / FRAMES, threads=2) as writer:
            for image in clip.frames(self.first, self.last, self.depth_bits):
                writer.write(done, image)
                pixels.update(np.ascontiguousarray(image).data)
                done += 1
                watch.frames_done(done, total)
        if done != total:
            raise FrameCountError(self.source.path, total, done)
        numbers = clip.info.numbers or tuple(range(clip.info.frame_count))
        facts = ShotFacts(
            width_px=clip.info.width_px,
            height_px=clip.info.height_px,
            frame_count=total,
            fps=str(clip.info.fps),
            depth_bits=self.depth_bits,
            numbers=numbers[self.first : self.last + 1],
            pixels=pixels.hexdigest(),
        )
        (into / SHOT).write_text(json.dumps(to_json(facts)), "utf-8")

    def digest(self, folder: Path) -> str:
        facts = ShotFacts.load(folder)
        return f"{facts.pixels}:{facts.width_px}x{facts.height_px}x{facts.frame_count}:{facts.depth_bits}"


@dataclass(frozen=True)
class Find(Stage):
    """Who is in the shot."""

    name, version = "find", 3
    frames: Result

    def run(self, into: Path, watch: Watch) -> None:
        find_people(frames_of(self.frames), watch).save(into / PEOPLE)


@dataclass(frozen=True)
class Cast(Stage):
    """The person that a choice means. Its digest is the person: two choices that mean the same one share a track."""

    name, version = "cast", 2
    frames: Result
    people: Result
    choice: PerformerChoice
    first: int

    def run(self, into: Path, watch: Watch) -> None:
        people = People.load(self.people.folder / PEOPLE)
        person = choose(people, self.choice, self.first, frames_of(self.frames))
        replace(people, persons=(person,)).save(into / PERSON)
        watch.frames_done(1, 1)

    def digest(self, folder: Path) -> str:
        return hashlib.sha256((folder / PERSON).read_bytes()).hexdigest()


@dataclass(frozen=True)
class Track(Stage):
    """One person's body, face and hands, and the coarse coverage."""

    name, version = "track", 4
    frames: Result
    people: Result
    person: Result

    def run(self, into: Path, watch: Watch) -> None:
        people = People.load(self.people.folder / PEOPLE)
        person = People.load(self.person.folder / PERSON).persons[0]
        track_performer(frames_of(self.frames), person, people, into, watch)


@dataclass(frozen=True)
class Correct(Stage):
    """A track with joints where the artist put them. Frames of the fixes are counted from the shot's first."""

    name, version = "correct", 2
    track: Result
    fixes: tuple[JointFix, ...]

    def run(self, into: Path, watch: Watch) -> None:
        move_joints(tracks_of(self.track), self.fixes).save(into / TRACKS)
        watch.frames_done(1, 1)


@dataclass(frozen=True)
class Roto(Stage):
    """A matte of the artist's that Blender renders; frames first..last of it. Its digest is that of its pixels."""

    name, version = "roto", 1
    source: Source
    first: int
    last: int

    def run(self, into: Path, watch: Watch) -> None:
        pixels, total = hashlib.sha256(), self.last - self.first + 1
        with SequenceWriter(into / MATTE) as writer:
            for done, picture in enumerate(self.source.clip.frames(self.first, self.last, 8)):
                matte = matte_of_picture(picture)
                writer.write(done, matte)
                pixels.update(np.ascontiguousarray(matte).data)
                watch.frames_done(done + 1, total)
        (into / ROTO).write_text(f"{pixels.hexdigest()}:{'x'.join(map(str, matte.shape))}x{total}", "utf-8")

    def digest(self, folder: Path) -> str:
        return (folder / ROTO).read_text("utf-8")


@dataclass(frozen=True)
class Matte(Stage):
    """One performer's soft matte. track: what was seen; tracks: the same, or with joints put right."""

    name, version = "matte", 4
    frames: Result
    track: Result
    tracks: Result
    own: Fingerprint | Result | None
    combine: Combine
    garbage: Fingerprint | Result | None

    def run(self, into: Path, watch: Watch) -> None:
        frames = frames_of(self.frames)
        own, garbage = (_artists(given, len(frames)) for given in (self.own, self.garbage))
        coverage = Sequence(self.track.folder / COVERAGE, len(frames))
        mattes = refine_matte(
            frames, coverage, tracks_of(self.tracks), OwnMatte(own, self.combine) if own else None, garbage, watch
        )
        with SequenceWriter(into / MATTE) as writer:
            for index, matte in enumerate(mattes):
                writer.write(index, matte)


def _artists(given: Fingerprint | Result | None, count: int) -> Sequence | None:
    """Open a matte of the artist's, from files or rendered."""
    if isinstance(given, Fingerprint):
        return artist_matte(given.path, count)
    return mattes_of(given, count) if given else None


@dataclass(frozen=True)
class Plate(Stage):
    """The shot without its performers."""

    name, version = "plate", 2
    frames: Result
    mattes: tuple[Result, ...]
    tracks: tuple[Result, ...]
    shadow: Shadow

    def run(self, into: Path, watch: Watch) -> None:
        frames = frames_of(self.frames)
        mattes = tuple(mattes_of(matte, len(frames)) for matte in self.mattes)
        build_plate(frames, mattes, tuple(tracks_of(track) for track in self.tracks), self.shadow, into, watch)


@dataclass(frozen=True)
class EngineStage(Stage):
    """What an engine computes. The engine has a version too, so that a change of one leaves the other's results."""

    engine: str

    @property
    def versions(self) -> tuple[int, ...]:
        """Name the stage's code and the engine's."""
        return self.version, engine_named(self.engine).version


@dataclass(frozen=True)
class Character(EngineStage):
    """What an engine makes of the character's picture alone."""

    name, version = "character", 1
    picture: Fingerprint
    mirror: bool

    def run(self, into: Path, watch: Watch) -> None:
        engine_named(self.engine).prepare(self.picture.path, self.mirror, into, watch)


@dataclass(frozen=True)
class Background(EngineStage):
    """The character picture's own background, without the character: one picture, for every frame of an animate job."""

    name, version = "background", 1
    picture: Fingerprint
    mirror: bool
    character: Result

    def run(self, into: Path, watch: Watch) -> None:
        engine = engine_named(self.engine)
        (into / PLATE).mkdir()
        plate = engine.background(self.picture.path, self.mirror, self.character.folder)
        write_picture(into / PLATE / frame_name(0), plate)
        watch.frames_done(1, 1)


def plate_of(result: Result, count: int) -> Sequence:
    """Open a plate result, or the one picture of a background result, as a sequence."""
    folder = result.folder / PLATE
    is_held = count > 1 and not (folder / frame_name(1)).exists()
    return Held(folder, count, folder / frame_name(0)) if is_held else Sequence(folder, count)


@dataclass(frozen=True)
class Window(EngineStage):
    """The character drawn over frames first..last of the shot. matte: None in animate mode.

    before: the window before this one, where the engine goes on from it.
    """

    name, version = "generate", 1
    settings: tuple[Setting, ...]
    weights: tuple[Fingerprint, ...]
    mode: Mode
    frames: Result
    plate: Result
    matte: Result | None
    track: Result
    character: Result
    fit: Fit
    seed: int
    first: int
    last: int
    before: Result | None = None

    def run(self, into: Path, watch: Watch) -> None:
        engine_named(self.engine, self.settings).generate(self.inputs(), self.first, self.last, into, watch)

    def inputs(self) -> Inputs:
        """Open everything the engine draws from."""
        frames = frames_of(self.frames)
        return Inputs(
            mode=self.mode,
            frames=frames,
            plate=plate_of(self.plate, len(frames)),
            performer_matte=mattes_of(self.matte, len(frames)) if self.matte else None,
            tracks=tracks_of(self.track),
            character=self.character.folder,
            fit=self.fit,
            seed=self.seed,
            before=self.before.folder if self.before else None,
        )
