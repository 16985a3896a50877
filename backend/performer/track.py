# SPDX-License-Identifier: GPL-3.0-or-later
"""Follow one performer through a shot, from the frame where all agrees best to both ends at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..contract.watch import Watch
from ..media.ahead import ahead
from ..media.sequence import Sequence, SequenceWriter
from .abreast import abreast
from .appearance import appearance, likeness, share_hidden
from .beyond import cover_leaving
from .bridge import Found, interpolated, left_after, tracks_of
from .coverage import bridged_coverage, moved, performer_coverage
from .detect import Body, Detector, Mask
from .find import NobodyFoundError
from .judge import ACCEPTED, GOOD, continuity, keeps_shape, trunk_length
from .people import People, Person, Seen
from .prepare import as_rgb8
from .rivals import Course, covered_by, is_doubtful, is_near, is_off_course, without
from .sighting import Sighting, examine, face_window, find_hands
from .smooth import runs
from .tracks import Presence, Tracks
from .window import Box, Picture, frame_box, overlap, square

COVERAGE_FOLDER, TRACKS_FILE = "coverage", "tracks.safetensors"

_MARGIN = 1.5
"""Side of the window that follows, in sizes of the performer's last box."""

_OTHER_MARGINS = (2.2, 1.2)
"""Tried where that does not convince."""

_HARD_LOOK_FRAMES = 4
"""Every so many frames a track of poor consistency is not content with what it had before."""

_TRUNK_FRAMES = 8
"""Over so many sightings the usual length of the trunk is taken."""

_LEAST_LIKENESS = 0.35
_NEAR_WORTH = 0.3
"""How much likeness of clothes a place near the last one is worth."""

_RIVAL = 0.1
"""How much more alike to somebody else a candidate must be to be taken for him."""

_MOST_PAINTED = 2
"""So many others are painted over, one after the other, to see who is behind them."""

_MOST_HIDDEN = 0.5
"""Part of a trunk behind somebody from which a pose is a guess."""

_AHEAD_FRAMES = 1
"""So far a walk is ahead of what is added to its sightings: both cores have work when the other walk is at its end."""

_Sighted = tuple[int, Picture, Sighting | None]
_Step = tuple[int, Found | None]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Whom a walk follows, and the others of the shot, for whom nobody is to be mistaken."""

    person: Person
    rivals: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class _Now:
    """A frame, and what was known when the walk came to it: the last sighting, the trunk of late, how long lost."""

    frame: Picture
    index: int
    before: Sighting
    trunk_px: float
    lost_frames: int
    expected: NDArray[np.float32] | None = None
    hidden: NDArray[np.bool_] | None = None


def track_performer(frames: Sequence, person: Person, people: People, into: Path, watch: Watch) -> Tracks:
    """Track a person over all frames; write `tracks.safetensors` and `coverage/` into a folder.

    coverage: one 8-bit grey picture a frame, the rough matte of this performer alone; 0 where absent.
    Raises NobodyFoundError if the person is nowhere to be tracked.
    """
    wanted = _Wanted(person, tuple(other for other in people.persons if other.id != person.id))
    found: list[Found | None] = [None] * len(frames)
    seed, folder = _seed(person, len(frames)).frame, into / COVERAGE_FOLDER
    orders = range(seed, len(frames)), range(seed - 1, -1, -1)
    walks = [ahead(_walk(frames, wanted, order), _AHEAD_FRAMES) for order in orders]
    for done, (index, what) in enumerate(abreast([_completed(walk, folder) for walk in walks]), 1):
        found[index] = what
        watch.frames_done(done, len(frames))
    if not any(found):
        raise NobodyFoundError(len(frames))
    hidden = _hidden(found, wanted.rivals)
    tracks = tracks_of(found, frame_box(as_rgb8(frames[seed])), hidden)
    _cover_bridged(frames, tracks, folder)
    cover_leaving(frames, tracks, folder, hidden, watch)
    _tell_absent(tracks.presence, watch)
    tracks.save(into / TRACKS_FILE)
    return tracks


def track_single(
    frames: Sequence, index: int, standing: Mapping[int, Person], watch: Watch
) -> tuple[dict[int, Tracks], Mask]:
    """Track one frame by itself, quickly, and then each of some others by itself where that succeeds.

    standing: the person as believed to be in each frame, `index` among them. Gives tracks of length 1 by frame, and the
    coverage of `index`, `h w` uint8. Raises NobodyFoundError if the person is not tracked in `index`.
    """
    with Detector(most_bodies=2) as detector:
        single, covered = _alone(detector, frames, index, standing[index])
        singles = {index: single}
        for other in standing.keys() - {index}:
            watch.check_stop()
            with suppress(NobodyFoundError):
                singles[other], _ = _alone(detector, frames, other, standing[other])
    return singles, covered


def _alone(detector: Detector, frames: Sequence, index: int, person: Person) -> tuple[Tracks, Mask]:
    """Track one frame by itself. Raises NobodyFoundError."""
    frame = as_rgb8(frames[index])
    sighting = _start(detector, frame, _Wanted(person, ()), index)
    if sighting is None:
        raise NobodyFoundError(1)
    sighting = _with_hands(detector, frame, sighting)
    covered = performer_coverage(detector, frame, sighting.body, sighting.box)
    return tracks_of([Found.of(sighting)], frame_box(frame)), covered


def _seed(person: Person, frame_count: int) -> Seen:
    """Choose where to start: where all agrees, and rather in the middle, for then both ends take equally long."""
    return max(person.seen, key=lambda seen: seen.score - 0.2 * abs(2 * seen.frame / max(frame_count - 1, 1) - 1))


def _walk(frames: Sequence, wanted: _Wanted, order: range) -> Iterator[_Sighted]:
    before: Sighting | None = None
    lost_frames = 0
    trunks: deque[float] = deque(maxlen=_TRUNK_FRAMES)
    course = Course()
    with Detector(most_bodies=3 if wanted.rivals else 2) as detector:
        for index in order:
            frame = as_rgb8(frames[index])
            if before is None:
                sighting = _start(detector, frame, wanted, index)
            else:
                trunk_px = float(np.median(trunks))
                now = _Now(frame, index, before, trunk_px, lost_frames, course.leads_to(index))
                sighting = _follow(detector, now, wanted)
            lost_frames = lost_frames + 1 if sighting is None else 0
            if sighting is not None:
                before = sighting
                trunks.append(trunk_length(before.body))
                course.add(index, before.body)
            yield index, frame, sighting


def _completed(walk: Iterator[_Sighted], coverage: Path) -> Iterator[_Step]:
    """Add hands, and write coverage: no walk needs them to go on."""
    with Detector() as detector, SequenceWriter(coverage) as writer:
        for index, frame, sighting in walk:
            if sighting is None:
                writer.write(index, np.zeros(frame.shape[:2], np.uint8))
                yield index, None
            else:
                writer.write(index, performer_coverage(detector, frame, sighting.body, sighting.box))
                yield index, Found.of(_with_hands(detector, frame, sighting))


def _start(detector: Detector, frame: Picture, wanted: _Wanted, index: int) -> Sighting | None:
    """Find the person where it is believed to be, without knowledge of other frames."""
    box = wanted.person.box_at(index)
    bodies = detector.bodies(frame, square(box, _MARGIN)) or detector.bodies(frame, frame_box(frame))
    sightings = [examine(detector, frame, body) for body in bodies]
    fits = [seen for seen in sightings if seen.consistency >= ACCEPTED and overlap(seen.box, box) > 0.2]
    return max(fits, key=lambda seen: seen.consistency + overlap(seen.box, box), default=None)


def _content(now: _Now) -> float:
    """Say from which consistency on no other window is tried: what was as good as could be had is mostly enough."""
    is_hard_look = now.lost_frames > 0 or now.index % _HARD_LOOK_FRAMES == 0
    return GOOD if is_hard_look else min(GOOD, now.before.consistency)


def _windows(now: _Now, person: Person) -> list[Box]:
    """Give where to look in turn; for one who was lost, wider every frame and where `find` saw the person."""
    box = now.before.box
    if not now.lost_frames:
        return [square(box, _MARGIN), frame_box(now.frame), *(square(box, margin) for margin in _OTHER_MARGINS)]
    wider = min(_MARGIN + 0.15 * now.lost_frames, 3.0)
    is_expected = person.seen[0].frame <= now.index <= person.seen[-1].frame
    expected = [square(person.box_at(now.index), _MARGIN)] if is_expected else []
    return [square(box, wider), *expected, frame_box(now.frame)]


def _follow(detector: Detector, now: _Now, wanted: _Wanted) -> Sighting | None:
    """Find the person in one window after the other, until body, face and coverage agree."""
    best, others = None, list[Body]()
    waiting, led, painted = _windows(now, wanted.person), False, 0
    while waiting and (best is None or best.consistency < _content(now)):
        sightings = _seen_in(detector, now, waiting.pop(0), wanted, others)
        best = max([*sightings, *([best] if best else [])], key=lambda seen: _rank(seen, now.before), default=None)
        faces = [seen.face for seen in sightings if seen.face is not None and seen.consistency < GOOD]
        if faces and not led:
            waiting.insert(0, face_window(faces[0]))
            led = True
        if not waiting and best is None and others and painted < _MOST_PAINTED:
            now, others, painted = _behind(now, others[0]), list[Body](), painted + 1
            waiting += _windows(now, wanted.person)[:2]
    return best if best is not None and best.consistency >= ACCEPTED else None


def _seen_in(detector: Detector, now: _Now, box: Box, wanted: _Wanted, others: list[Body]) -> list[Sighting]:
    """Examine those in a window who can be the person; add to `others` who is somebody else."""
    sightings = []
    for body in detector.bodies(now.frame, box):
        if not _is(wanted, now, body):
            others.append(body)
        elif keeps_shape(body, now.before.body, now.trunk_px, now.lost_frames):
            sightings.append(examine(detector, now.frame, body))
    return sightings


def _behind(now: _Now, other: Body) -> _Now:
    """Give the same frame with somebody else painted over."""
    hidden = covered_by(other)
    return replace(now, frame=without(now.frame, other), hidden=hidden if now.hidden is None else hidden | now.hidden)


def _rank(sighting: Sighting, before: Sighting) -> float:
    return sighting.consistency + 0.5 * continuity(sighting.body, before.body)


def _is(wanted: _Wanted, now: _Now, body: Body) -> bool:
    """Tell whether a candidate is the person and not somebody else of the shot."""
    if now.hidden is not None and share_hidden(body, now.hidden) > _MOST_HIDDEN:
        return False
    is_passed = now.lost_frames > 0 or is_near(body.box, now.index, wanted.rivals)
    if (
        wanted.rivals
        and is_passed
        and now.expected is not None
        and is_off_course(body, now.expected, now.trunk_px, now.lost_frames)
    ):
        return False
    looks = appearance(now.frame, body, now.hidden)
    if is_doubtful(looks, body.box, now.index, wanted.person, wanted.rivals):
        return False
    own = likeness(looks, wanted.person.looks) + _NEAR_WORTH * continuity(body, now.before.body)
    return own > _LEAST_LIKENESS and all(likeness(looks, other.looks) < own + _RIVAL for other in wanted.rivals)


def _with_hands(detector: Detector, frame: Picture, sighting: Sighting) -> Sighting:
    left, right = find_hands(detector, frame, sighting.body)
    return replace(sighting, left_hand=left, right_hand=right)


def _hidden(found: list[Found | None], rivals: tuple[Person, ...]) -> NDArray[np.bool_]:
    """Tell in which frames somebody else is believed to be where the person is or should be: `f`."""
    known = np.array([what is not None for what in found])
    boxes = interpolated(np.stack([what.box if what else np.zeros(4, np.float32) for what in found]), known)
    return np.array([is_near(box, at, rivals) for at, box in enumerate(boxes)])


def _cover_bridged(frames: Sequence, tracks: Tracks, coverage: Path) -> None:
    bridged = np.flatnonzero(tracks.presence == Presence.BRIDGED).tolist()
    if not bridged:
        return
    with Detector() as detector, SequenceWriter(coverage) as writer:
        for index in bridged:
            last_seen = left_after(tracks.presence, index)
            if last_seen is None:
                frame = as_rgb8(frames[index])
                writer.write(index, bridged_coverage(detector, frame, tracks.body[index], tracks.box[index]))
            else:
                seen = as_rgb8(Sequence(coverage, len(frames))[last_seen])[..., 0]
                writer.write(index, moved(seen, tracks.body[last_seen], tracks.body[index]))


def _tell_absent(presence: NDArray[np.int8], watch: Watch) -> None:
    gaps = runs(presence == Presence.ABSENT)
    if gaps:
        listed = ", ".join(f"{first} to {last}" for first, last in gaps)
        watch.notice(
            "performer_absent",
            f"The performer is not seen in frames {listed} of the shot; there the plate stands. "
            "If the performer is there, draw a box round the person in one of these frames.",
        )
