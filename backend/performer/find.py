# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is in a shot: a coarse look at some of its frames, and one id for each person over all of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..contract.errors import UnderstudyError
from ..contract.watch import Watch
from ..media.sequence import Sequence
from .appearance import Appearance, appearance, likeness, typical
from .detect import Body, Detector
from .judge import ACCEPTED, same_person
from .prepare import as_rgb8
from .sighting import examine, person_box
from .window import Box, Picture, area, frame_box, overlap, share_within

SAMPLES = 12
"""Frames of a shot that are looked at."""

_MOST_PEOPLE = 5
_FRAME_WINDOW_PX = 1024
_TILED_SAMPLES = 3
_TILE = 0.5
"""Side of a tile for small people, in frame heights: a person of a fifth of the frame's height is found in it."""

_MOST_WITHIN = 0.5
"""A find in a tile that lies so far within somebody found before is a part of that body, not a person."""

_SAME_LIKENESS = 0.55
"""Least likeness of clothes between two samples of one person."""


class NobodyFoundError(UnderstudyError):
    """No person was found in any sampled frame of the shot."""

    hint = "Choose another range, or draw a box round the performer in one frame."

    def __init__(self, sampled_frames: int) -> None:
        super().__init__(f"Nobody was found in {sampled_frames} sampled frames of the shot.")
        self.sampled_frames = sampled_frames


@dataclass(frozen=True, slots=True)
class Seen:
    """A person in one sampled frame of the shot. score: consistency 0..1."""

    frame: int
    box: Box
    score: float


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the shot: id from 1 on, in order of size; where seen, by frame; what is worn."""

    id: int
    seen: tuple[Seen, ...]
    looks: Appearance

    def box_at(self, frame: int) -> Box:
        """Guess the box in any frame: linear between the sampled frames, the nearest one outside them."""
        at = [seen.frame for seen in self.seen]
        boxes = np.stack([seen.box for seen in self.seen])
        return np.array([np.interp(frame, at, edge) for edge in boxes.T], np.float32)


@dataclass(frozen=True, slots=True)
class People:
    """Everybody found in a shot of so many frames, the largest first."""

    frame_count: int
    persons: tuple[Person, ...]

    def save(self, path: Path) -> None:
        """Write as JSON."""
        persons = [
            {
                "id": person.id,
                "looks": [round(float(part), 5) for part in person.looks],
                "seen": [
                    {"frame": s.frame, "box": [round(float(v), 2) for v in s.box], "score": round(s.score, 4)}
                    for s in person.seen
                ],
            }
            for person in self.persons
        ]
        path.write_text(json.dumps({"frame_count": self.frame_count, "persons": persons}, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> People:
        """Read what `save` wrote."""
        data = json.loads(path.read_text(encoding="utf-8"))
        persons = tuple(
            Person(
                person["id"],
                tuple(Seen(s["frame"], np.array(s["box"], np.float32), s["score"]) for s in person["seen"]),
                np.array(person["looks"], np.float32),
            )
            for person in data["persons"]
        )
        return cls(data["frame_count"], persons)


@dataclass(frozen=True, slots=True)
class _Glimpse:
    seen: Seen
    looks: Appearance


def find_people(frames: Sequence, watch: Watch) -> People:
    """Look for everybody in about a dozen frames, spread evenly. Raises NobodyFoundError."""
    samples = sampled(len(frames))
    glimpses: list[list[_Glimpse]] = []
    with Detector(most_bodies=_MOST_PEOPLE) as detector:
        for done, (frame, with_tiles) in enumerate(samples, 1):
            glimpses.append(_look(detector, as_rgb8(frames[frame]), frame, with_tiles))
            watch.frames_done(done, len(samples))
        if not any(glimpses):
            glimpses = [_look(detector, as_rgb8(frames[frame]), frame, True) for frame, tiled in samples if not tiled]
    if not any(glimpses):
        raise NobodyFoundError(len(samples))
    return People(len(frames), _linked(glimpses))


def sampled(count: int) -> list[tuple[int, bool]]:
    """Choose the frames to look at, and in which of them tiles are looked at too."""
    number = min(SAMPLES, count)
    frames = [round(float(at)) for at in np.linspace(0, count - 1, number)]
    tiled = {frames[round(float(at))] for at in np.linspace(0, number - 1, min(_TILED_SAMPLES, number))}
    return [(frame, frame in tiled) for frame in frames]


def people_in(detector: Detector, frame: Picture, boxes: list[Box]) -> list[Body]:
    """Find each person once in several windows of a frame, the first window's find taking precedence."""
    found: list[Body] = []
    for box in boxes:
        for body in detector.bodies(frame, box, _FRAME_WINDOW_PX):
            if not any(same_person(body, other) for other in found):
                found.append(body)
    return found


def tiles(frame: Picture) -> list[Box]:
    """Cover a frame by overlapping squares for people too small in the whole."""
    height, width = frame.shape[:2]
    side = _TILE * height
    xs = np.linspace(0, max(width - side, 0), int(np.ceil(width / side * 1.5)))
    ys = np.linspace(0, height - side, 3)
    return [np.array([x, y, x + side, y + side], np.float32) for y in ys for x in xs]


def _look(detector: Detector, frame: Picture, index: int, with_tiles: bool) -> list[_Glimpse]:
    boxes = [frame_box(frame), *(tiles(frame) if with_tiles else [])]
    glimpses: list[_Glimpse] = []
    for body in people_in(detector, frame, boxes):
        # once more on a window of its own: in the whole frame the body may be only a few pixels of the network's
        closer = detector.bodies(frame, _grown(body.box))
        body = next((near for near in closer if same_person(body, near)), body)
        sighting = examine(detector, frame, body)
        seen = Seen(index, person_box(sighting), sighting.consistency)
        apart = all(share_within(seen.box, other.seen.box) < _MOST_WITHIN for other in glimpses)
        if apart and seen.score >= ACCEPTED:
            glimpses.append(_Glimpse(seen, appearance(frame, body)))
    return glimpses


def _grown(box: Box) -> Box:
    margin = 0.25 * max(box[2] - box[0], box[3] - box[1])
    return box + np.array([-margin, -margin, margin, margin], np.float32)


def _linked(frames: list[list[_Glimpse]]) -> tuple[Person, ...]:
    """Give ids: each frame's people go to those known so far, the most alike pair first."""
    known: list[list[_Glimpse]] = []
    for glimpses in frames:
        free = list(range(len(known)))
        for glimpse, chain in _pairs(glimpses, known):
            if chain in free:
                free.remove(chain)
                known[chain].append(glimpse)
                glimpses = [other for other in glimpses if other is not glimpse]
        known += [[glimpse] for glimpse in glimpses]
    known.sort(key=lambda chain: -float(np.sum([area(glimpse.seen.box) for glimpse in chain])))
    return tuple(
        Person(number, tuple(g.seen for g in chain), typical([g.looks for g in chain]))
        for number, chain in enumerate(known, 1)
    )


def _pairs(glimpses: list[_Glimpse], known: list[list[_Glimpse]]) -> Iterator[tuple[_Glimpse, int]]:
    """Give all admissible pairs of a glimpse and a known person, the best first; a glimpse may come more than once."""
    scored = [(_affinity(glimpse, chain), g, c) for g, glimpse in enumerate(glimpses) for c, chain in enumerate(known)]
    used: set[int] = set()
    for value, g, c in sorted(scored, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if value > 0 and g not in used:
            used.add(g)
            yield glimpses[g], c


def _affinity(glimpse: _Glimpse, chain: list[_Glimpse]) -> float:
    """Weigh clothes, place and size against the chain's last glimpse; 0 if it can't be the same person."""
    last = chain[-1].seen.box
    alike = likeness(glimpse.looks, typical([other.looks for other in chain]))
    height = max(last[3] - last[1], 1.0)
    centre = glimpse.seen.box.reshape(2, 2).mean(0) - last.reshape(2, 2).mean(0)
    near = float(np.exp(-np.linalg.norm(centre) / height))
    return alike + 0.5 * near + 0.5 * overlap(glimpse.seen.box, last) if alike > _SAME_LIKENESS else 0.0
