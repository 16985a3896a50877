# SPDX-License-Identifier: GPL-3.0-or-later
"""Follow one performer through a shot, from the frame where all agrees best to both ends at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..contract.watch import Watch
from ..media.sequence import Sequence, SequenceWriter
from .appearance import appearance, likeness
from .bridge import Found, tracks_of
from .detect import Body, Detector, Mask
from .find import NobodyFoundError, People, Person, Seen
from .judge import ACCEPTED, GOOD, continuity
from .prepare import as_rgb8
from .sighting import Sighting, examine, find_hands, person_box
from .tracks import Tracks
from .window import Box, Picture, frame_box, overlap, square

COVERAGE_FOLDER, TRACKS_FILE = "coverage", "tracks.safetensors"

_MARGINS = (1.5, 2.2, 1.2)
"""Windows tried one after the other, in sizes of the performer's last box."""

_LEAST_LIKENESS = 0.35
_RIVAL = 0.1
"""How much more alike to somebody else a candidate must be to be taken for him."""

_Step = tuple[int, Found | None]


def track_performer(frames: Sequence, person: Person, people: People, into: Path, watch: Watch) -> Tracks:
    """Track a person over all frames; write `tracks.safetensors` and `coverage/` into a folder.

    coverage: one 8-bit grey picture a frame, the rough matte of this performer alone; 0 where absent.
    Raises NobodyFoundError if the person is lost already where `find` saw it.
    """
    found: list[Found | None] = [None] * len(frames)
    seed = _seed(person, len(frames))
    with ThreadPoolExecutor(2) as pool:
        walks = [
            _walk(frames, person, people, range(seed.frame, len(frames)), into / COVERAGE_FOLDER),
            _walk(frames, person, people, range(seed.frame, -1, -1), into / COVERAGE_FOLDER),
        ]
        done = 0
        while steps := [step for step in pool.map(lambda walk: next(walk, None), walks) if step]:
            for index, what in steps:
                found[index] = what
            done += len(steps)
            watch.frames_done(min(done, len(frames)), len(frames))
    if not any(found):
        raise NobodyFoundError(len(frames))
    tracks = tracks_of(found)
    tracks.save(into / TRACKS_FILE)
    return tracks


def track_single(frames: Sequence, index: int, person: Person) -> tuple[Tracks, Mask]:
    """Track one frame by itself, quickly: Tracks of length 1 and the coverage, `h w` uint8. Raises NobodyFoundError."""
    frame = as_rgb8(frames[index])
    with Detector(most_bodies=2) as detector:
        sighting = _start(detector, frame, person.box_at(index))
        if sighting is None:
            raise NobodyFoundError(1)
        sighting = _with_hands(detector, frame, sighting)
    return tracks_of([Found.of(sighting)]), sighting.body.window.paste(sighting.mask)


def _seed(person: Person, frame_count: int) -> Seen:
    """Choose where to start: where all agrees, and rather in the middle, for then both ends take equally long."""
    return max(person.seen, key=lambda seen: seen.score - 0.2 * abs(2 * seen.frame / max(frame_count - 1, 1) - 1))


def _walk(frames: Sequence, person: Person, people: People, order: range, coverage: Path) -> Iterator[_Step]:
    height, width = frames[0].shape[:2]
    rivals = [other for other in people.persons if other.id != person.id]
    with Detector(most_bodies=3 if rivals else 1) as detector, SequenceWriter(coverage) as writer:
        before: Sighting | None = None
        for index in order:
            frame = as_rgb8(frames[index])
            if before is None:
                sighting = _start(detector, frame, person.box_at(index))
            else:
                sighting = _follow(detector, frame, before, person, rivals)
            if sighting is None:
                writer.write(index, np.zeros((height, width), np.uint8))
                yield index, None
                continue
            sighting = before = _with_hands(detector, frame, sighting)
            writer.write(index, sighting.body.window.paste(sighting.mask))
            yield index, Found.of(sighting)


def _start(detector: Detector, frame: Picture, box: Box) -> Sighting | None:
    """Find the person where it is believed to be, without knowledge of other frames."""
    bodies = detector.bodies(frame, square(box, 1.5)) or detector.bodies(frame, frame_box(frame))
    sightings = [examine(detector, frame, body) for body in bodies]
    fits = [s for s in sightings if s.consistency >= ACCEPTED and overlap(person_box(s), box) > 0.2]
    return max(fits, key=lambda s: s.consistency + overlap(person_box(s), box), default=None)


def _follow(
    detector: Detector, frame: Picture, before: Sighting, person: Person, rivals: list[Person]
) -> Sighting | None:
    """Find the person near its last box, in wider windows where the first does not convince."""
    boxes = [square(person_box(before), margin) for margin in _MARGINS]
    boxes.insert(1, frame_box(frame))
    best, best_rank = None, 0.0
    for box in boxes:
        for body in detector.bodies(frame, box):
            near = continuity(body, before.body)
            if not _is(person, rivals, frame, body, near):
                continue
            sighting = examine(detector, frame, body)
            rank = sighting.consistency + 0.5 * near
            if sighting.consistency >= ACCEPTED and rank > best_rank:
                best, best_rank = sighting, rank
        if best is not None and best.consistency >= GOOD:
            break
    return best


def _is(person: Person, rivals: list[Person], frame: Picture, body: Body, near: float) -> bool:
    """Tell whether a candidate is the person and not somebody else of the shot."""
    looks = appearance(frame, body)
    own = likeness(looks, person.looks) + 0.3 * near
    return own > _LEAST_LIKENESS and all(likeness(looks, other.looks) < own + _RIVAL for other in rivals)


def _with_hands(detector: Detector, frame: Picture, sighting: Sighting) -> Sighting:
    left, right = find_hands(detector, frame, sighting.body)
    return replace(sighting, left_hand=left, right_hand=right)
