# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is in a shot, as a record that can be kept; and one id for each person over all sampled frames."""

from __future__ import annotations

import json
from collections.abc import Sequence as Many
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .appearance import TOLD_APART, Appearance, leaning, likeness, typical
from .judge import FACELESS
from .window import Box, area, overlap

SAME_LIKENESS = 0.55
"""Least likeness of clothes between two sampled frames of one person."""

_FEW_SAMPLES = 4
"""In fewer frames than that, who was seen once is not doubted."""


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

    def box_at(self, frame: float) -> Box:
        """Guess the box in or between any frames: linear between the sampled ones, the nearest one outside them."""
        at = [seen.frame for seen in self.seen]
        boxes = np.stack([seen.box for seen in self.seen])
        return np.array([np.interp(frame, at, edge) for edge in boxes.T], np.float32)

    def is_missed(self, frame: int) -> bool:
        """Tell whether a frame shows nothing of the person though frames before and after it do."""
        at = [seen.frame for seen in self.seen]
        return at[0] < frame < at[-1] and frame not in at

    def also_seen(self, seen: Seen) -> Person:
        """Add what was seen in one more frame."""
        return replace(self, seen=tuple(sorted((*self.seen, seen), key=lambda seen: seen.frame)))


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
                    {"frame": seen.frame, "box": [round(float(edge), 2) for edge in seen.box], "score": seen.score}
                    for seen in person.seen
                ],
            }
            for person in self.persons
        ]
        text = json.dumps({"frame_count": self.frame_count, "persons": persons})
        path.write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> People:
        """Read what `save` wrote."""
        data = json.loads(path.read_text(encoding="utf-8"))
        persons = tuple(
            Person(
                person["id"],
                tuple(Seen(seen["frame"], np.array(seen["box"], np.float32), seen["score"]) for seen in person["seen"]),
                np.array(person["looks"], np.float32),
            )
            for person in data["persons"]
        )
        return cls(data["frame_count"], persons)


@dataclass(frozen=True, slots=True)
class Glimpse:
    """A person in one sampled frame, not yet known to be anyone."""

    seen: Seen
    looks: Appearance


def linked(frames: Many[Many[Glimpse]]) -> tuple[Person, ...]:
    """Give ids: each frame's people, frames in order, go to those known so far, the likeliest pair first."""
    known: list[list[Glimpse]] = []
    for glimpses in frames:
        pairs = _pairs(glimpses, known)
        for glimpse, chain in pairs:
            known[chain].append(glimpses[glimpse])
        new = set(range(len(glimpses))) - {glimpse for glimpse, _ in pairs}
        taken = [glimpses[glimpse] for glimpse, _ in pairs]
        known += [[glimpses[number]] for number in sorted(new) if not _is_rest(glimpses[number], taken)]
    known = [chain for chain in known if _is_believed(chain, len(frames))] or known
    known.sort(key=lambda chain: -sum(area(glimpse.seen.box) for glimpse in chain))
    return tuple(
        Person(number, tuple(g.seen for g in chain), typical([g.looks for g in chain]))
        for number, chain in enumerate(known, 1)
    )


def _is_rest(glimpse: Glimpse, others: list[Glimpse]) -> bool:
    """Tell whether this is the legs of one of the others: no face, the same clothes, boxes that overlap."""
    return glimpse.seen.score <= FACELESS and any(
        likeness(glimpse.looks, other.looks) > TOLD_APART and overlap(glimpse.seen.box, other.seen.box) > 0
        for other in others
    )


def _is_believed(chain: list[Glimpse], frame_count: int) -> bool:
    """Doubt who was seen in one of many frames and has no face: an egg on a shelf, legs at the frame's edge."""
    return frame_count < _FEW_SAMPLES or len(chain) > 1 or chain[0].seen.score > FACELESS


def _pairs(glimpses: Many[Glimpse], known: list[list[Glimpse]]) -> list[tuple[int, int]]:
    """Pair glimpses with known people, each at most once."""
    looks = [typical([glimpse.looks for glimpse in chain]) for chain in known]
    scores = {
        (g, k): _affinity(glimpse, chain[-1], looks[k], looks)
        for g, glimpse in enumerate(glimpses)
        for k, chain in enumerate(known)
    }
    pairs: list[tuple[int, int]] = []
    for (g, k), score in sorted(scores.items(), key=lambda entry: -entry[1]):
        if score > 0 and all(g != pair[0] and k != pair[1] for pair in pairs):
            pairs.append((g, k))
    return pairs


def _affinity(glimpse: Glimpse, last: Glimpse, looks: Appearance, everybody: list[Appearance]) -> float:
    """Weigh clothes, beside all others' too, and place against a known person's last glimpse; 0 if it can't be."""
    alike = likeness(glimpse.looks, looks)
    if alike <= SAME_LIKENESS:
        return 0.0
    box, before = glimpse.seen.box, last.seen.box
    moved = np.linalg.norm((box - before).reshape(2, 2).mean(0)) / max(float(before[3] - before[1]), 1.0)
    place = 0.5 * float(np.exp(-moved)) + 0.5 * overlap(box, before)
    away = max(leaning(glimpse.looks, looks, other) for other in everybody)
    return max(alike + place + 0.5 * (glimpse.seen.score - away), 0.0)
