# SPDX-License-Identifier: GPL-3.0-or-later
"""A few frames of a shot and who stands in one of them, with what the artist put right: in seconds, for a preview."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import UnderstudyError
from ..contract.job import Casting, Combine, Job, PerformerChoice, Rendering
from ..contract.joints import JointFix, fixes_over
from ..contract.watch import Watch
from ..media.clip import open_shot
from ..media.images import Pixels
from ..media.sequence import Sequence, SequenceWriter, frame_name
from ..performer.choose import choose
from ..performer.correct import move_joints
from ..performer.find import find_people
from ..performer.matte import combined, given_matte, held_out, matte_frame
from ..performer.people import People, Person, Seen
from ..performer.track import track_single
from ..performer.tracks import Tracks, spread_out
from ..performer.window import Box
from .preflight import Cleared
from .replace import frames_stage, matte_shot
from .run import Run
from .sequences import Files, artist_matte
from .stage import Result
from .stages import COVERAGE, PEOPLE, Cast, Find, Track, frames_of, tracks_of

Bytes = NDArray[np.uint8]

_REACH_FRAMES = 36
"""How far to either side other frames are looked at for what the performer hides."""
_OTHER_FRAMES = 5


class FrameOutsideError(UnderstudyError):
    """A frame is to be previewed that does not go in. frame: of the clip."""

    hint = "Preview one of the frames that go in, or change the range."

    def __init__(self, frame: int, first: int, last: int) -> None:
        super().__init__(f"Frame {frame} is not one of those that go in, {first} to {last}.")
        self.frame, self.first, self.last = frame, first, last


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """A few frames of a clip. numbers: of each within the clip; here: the place of the one that is previewed."""

    frames: Sequence
    numbers: tuple[int, ...]
    here: int

    @property
    def frame(self) -> int:
        """The number of the one that is previewed."""
        return self.numbers[self.here]


@dataclass(frozen=True, slots=True, kw_only=True)
class Performer:
    """Who is replaced. boxes: one for each frame at hand; tracks, matte: of the frame that is previewed."""

    boxes: tuple[Box, ...]
    tracks: Tracks
    matte: Bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """Who is there, seen in `frames`, which have these numbers within the clip. found: the stages, if a job left them.

    Where none did, somebody has looked at a few of the frames at hand.
    """

    people: People
    frames: Sequence
    numbers: tuple[int, ...]
    found: tuple[Result, Result] | None = None

    def boxes(self, person: Person, glance: Glance) -> tuple[Box, ...]:
        """Guess where one of the people is in frames at hand."""
        places = np.interp(glance.numbers, self.numbers, range(len(self.numbers)))
        return tuple(person.box_at(float(place)) for place in places)


def glance_at(run: Run, cleared: Cleared, frame: int, watch: Watch) -> Glance:
    """Read a frame and some others round it, of those that go in: a job sees no others either."""
    first, last = max(run.job.shot.first, frame - _REACH_FRAMES), min(cleared.last, frame + _REACH_FRAMES)
    others = np.linspace(first, last, _OTHER_FRAMES).astype(int).tolist()
    return _read(run, cleared, frame, others, "frames", watch)


def look_at_performers(run: Run, cleared: Cleared, glance: Glance, watch: Watch) -> list[Performer]:
    """Choose, track and matte in the frame whoever is cast: by what a job has left of this shot, else quickly.

    Raises what choosing, tracking and moving joints raise, and what is wrong with the artist's mattes.
    """
    known = _known_or_none(run, cleared) or _seen_hastily(glance, watch)
    return [_performer(run, cleared, known, place, glance, watch) for place in range(len(run.job.cast))]


def check_frame(run: Run, cleared: Cleared, frame: int) -> None:
    """Raise FrameOutsideError if a frame of the clip does not go in."""
    if not run.job.shot.first <= frame <= cleared.last:
        raise FrameOutsideError(frame, run.job.shot.first, cleared.last)


def _read(run: Run, cleared: Cleared, frame: int, others: Iterable[int], name: str, watch: Watch) -> Glance:
    """Read a frame and others into a folder of the job's."""
    numbers, into = tuple(sorted({frame, *others})), run.folder / name
    with SequenceWriter(into) as writer:
        for place, image in enumerate(cleared.clip.picked(numbers, run.job.delivery.depth_bits)):
            writer.write(place, image)
            watch.check_stop()
    return Glance(frames=Sequence(into, len(numbers)), numbers=numbers, here=numbers.index(frame))


def _known_or_none(run: Run, cleared: Cleared) -> _Known | None:
    frames = run.result_or_none(frames_stage(run, cleared))
    people = run.result_or_none(Find(frames)) if frames else None
    if not frames or not people:
        return None
    numbers = tuple(range(run.job.shot.first, cleared.last + 1))
    seen = People.load(people.folder / PEOPLE)
    return _Known(people=seen, frames=frames_of(frames), numbers=numbers, found=(frames, people))


def _seen_hastily(glance: Glance, watch: Watch) -> _Known:
    places = sorted({0, glance.here, len(glance.numbers) - 1})
    frames = Files(glance.frames.folder, len(places), tuple(glance.frames.folder / frame_name(p) for p in places))
    people = find_people(frames, watch, hastily=True)
    return _Known(people=people, frames=frames, numbers=tuple(glance.numbers[place] for place in places))


def _performer(run: Run, cleared: Cleared, known: _Known, place: int, glance: Glance, watch: Watch) -> Performer:
    """Look at one of those who are cast. place: of the casting in the job, from 0."""
    casting = run.job.cast[place]
    person = _chosen(run, cleared, known, casting.performer)
    tracked = _tracked_or_none(run, known, casting, glance.frame)
    if tracked is None:
        fixes = fixes_over(casting.joints, glance.frame)
        keyed = _with_keyed(run, cleared, glance, fixes, watch)
        tracked, left_out = _tracked_quickly(keyed, person, known.boxes(person, keyed), fixes, watch)
        _tell_left_out(run.job, place, left_out, watch)
    matte = _matte(run, cleared, casting, glance, *tracked)
    return Performer(boxes=known.boxes(person, glance), tracks=tracked[0], matte=matte)


def _chosen(run: Run, cleared: Cleared, known: _Known, choice: PerformerChoice) -> Person:
    """Choose a person, by the frame that is nearest to the one pointed at; where that does not go in, as a job does."""
    first, numbers = run.job.shot.first, known.numbers
    if first <= choice.frame <= cleared.last:
        nearest = min(range(len(numbers)), key=lambda place: abs(numbers[place] - choice.frame))
        first = choice.frame - nearest
    return choose(known.people, choice, first, known.frames)


def _tracked_or_none(run: Run, known: _Known, casting: Casting, frame: int) -> tuple[Tracks, Bytes] | None:
    """Take a frame's tracks, with joints moved, and its coverage from what a job has left."""
    first = run.job.shot.first
    person = run.result_or_none(Cast(*known.found, casting.performer, first)) if known.found else None
    track = run.result_or_none(Track(*known.found, person)) if known.found and person else None
    if track is None:
        return None
    moved = move_joints(tracks_of(track), [fix.counted_from(first) for fix in casting.joints])
    coverage = Sequence(track.folder / COVERAGE, len(moved))[frame - first]
    return moved.only(frame - first), np.asarray(coverage, np.uint8)


def _with_keyed(run: Run, cleared: Cleared, glance: Glance, fixes: tuple[JointFix, ...], watch: Watch) -> Glance:
    """Have the frames too in which joints are keyed: they may be far away, and are read apart if they are."""
    keyed = {fix.frame for fix in fixes}
    return glance if keyed <= set(glance.numbers) else _read(run, cleared, glance.frame, keyed, "keyed", watch)


def _tracked_quickly(
    glance: Glance, person: Person, boxes: tuple[Box, ...], fixes: tuple[JointFix, ...], watch: Watch
) -> tuple[tuple[Tracks, Bytes], set[int]]:
    """Track the frame by itself, and those in which joints are keyed; give the frame's tracks with these moved.

    A job tracks some frames that a look at one alone can not. Keys in these are left out; gives their frames as well.
    """
    places = {glance.here, *(glance.numbers.index(fix.frame) for fix in fixes)}
    standing = {place: _standing(person, place, boxes[place]) for place in places}
    singles, coverage = track_single(glance.frames, glance.here, standing, watch)
    tracked = {glance.numbers[place]: single for place, single in singles.items()}
    first = min(tracked)
    spread = spread_out({number - first: single for number, single in tracked.items()})
    moved = move_joints(spread, [fix.counted_from(first) for fix in fixes if fix.frame in tracked])
    return (moved.only(glance.frame - first), coverage), {fix.frame for fix in fixes} - set(tracked)


def _tell_left_out(job: Job, place: int, frames: Collection[int], watch: Watch) -> None:
    """Tell in which frames of the clip a performer's joints were keyed in vain, if in any.

    They are numbered as where they were keyed: a strip's as the scene does, a file's from 0.
    """
    if not frames:
        return
    strip = job.shot.rendering
    numbers = ", ".join(str(strip.scene_first + frame) for frame in sorted(frames))
    listed = f"{'frame' if len(frames) == 1 else 'frames'} {numbers} of the {'scene' if strip.command else 'clip'}"
    who = "the performer" if len(job.cast) == 1 else f"performer {place + 1} of the cast"
    watch.notice(
        "keys_left_out",
        f"This preview leaves out what is keyed in {listed}: there {who} is not found without the frames around. "
        "Start the job: it tracks through them, and later previews show these keys too.",
    )


def _standing(person: Person, frame: int, box: Box) -> Person:
    """Say of a person that was seen in other frames where it stands in this one."""
    return replace(person, seen=(Seen(frame, box, 1.0),))


def _matte(run: Run, cleared: Cleared, casting: Casting, glance: Glance, tracks: Tracks, coverage: Bytes) -> Bytes:
    """Matte the frame quickly, and lay on it what the artist gives."""
    picture = glance.frames[glance.here]
    shape = picture.shape[:2]

    def given(what: str, name: str, rendering: Rendering) -> Bytes | None:
        if not name:
            return None
        index = glance.frame - run.job.shot.first
        return given_matte(what, index, _given(run, cleared, name, rendering, glance.frame), shape)

    own = given("matte", casting.matte, casting.matte_rendering)
    garbage = given("garbage matte", casting.garbage_matte, casting.garbage_rendering)
    if own is not None and casting.matte_combine is Combine.REPLACE:
        matte = own
    else:
        matte = matte_frame(picture, coverage, tracks)
        matte = matte if own is None else combined(matte, own, casting.matte_combine)
    return matte if garbage is None else held_out(matte, garbage)


def _given(run: Run, cleared: Cleared, name: str, rendering: Rendering, frame: int) -> Pixels:
    """Read the frame's picture of a matte of the artist's, or let Blender render it."""
    if rendering.command:
        return open_shot(matte_shot(cleared, name, rendering), run.folder).frame(frame, 8)
    first = run.job.shot.first
    return artist_matte(run.folder / name, cleared.last - first + 1)[frame - first]
