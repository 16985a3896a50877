# SPDX-License-Identifier: GPL-3.0-or-later
"""Who was found in a shot, in the frame that is shown."""

from __future__ import annotations

from ..backend.contract.events import FoundPerson, PersonAt
from .canvas import Box, Point, is_inside


def box_at(person: FoundPerson, frame: int) -> Box:
    """Guess a person's box in a frame: linear between those in which it was seen, the nearest one outside them."""
    before = max((seen for seen in person.seen if seen.frame <= frame), key=_frame, default=person.seen[0])
    after = min((seen for seen in person.seen if seen.frame >= frame), key=_frame, default=person.seen[-1])
    share = (frame - before.frame) / (after.frame - before.frame) if after.frame > before.frame else 0.0
    x, y, x1, y1 = (a + share * (b - a) for a, b in zip(_box(before), _box(after), strict=True))
    return x, y, x1, y1


def person_at_or_none(people: tuple[FoundPerson, ...], frame: int, point: Point) -> FoundPerson | None:
    """Tell whose box a point lies in; the smaller one's where there are two."""
    hit = [person for person in people if is_inside(point, box_at(person, frame))]
    return min(hit, key=lambda person: _area(box_at(person, frame)), default=None)


def _frame(seen: PersonAt) -> int:
    return seen.frame


def _box(seen: PersonAt) -> Box:
    return seen.x, seen.y, seen.x1, seen.y1


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
