# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the people found is meant by what the artist pointed at."""

from __future__ import annotations

import numpy as np

from ..contract.errors import UnderstudyError
from ..contract.job import PerformerChoice, Pick
from ..media.sequence import Sequence
from .appearance import appearance
from .detect import Detector
from .judge import ACCEPTED
from .people import People, Person, Seen
from .prepare import as_rgb8
from .sighting import examine
from .window import Box, area, overlap

_LEAST_OVERLAP = 0.2
_POINT_REACH = 0.25
"""How far beside a person a point may lie, in parts of the person's height."""

_SEARCHES = (0.15, 0.3, 0.6)
"""Windows round a point, in parts of the frame's height, in which somebody is sought whom `find` did not see."""


class NoSuchPerformerError(UnderstudyError):
    """What the artist chose is nobody in the shot."""

    hint = "Choose one of the ids that `find` lists, or draw a box closely round the performer."

    def __init__(self, what: str, ids: tuple[int, ...]) -> None:
        listed = ", ".join(map(str, ids)) or "none"
        super().__init__(f"There is no performer {what}. The ids in this shot: {listed}.")
        self.what, self.ids = what, ids


def choose(people: People, choice: PerformerChoice, first_frame: int, frames: Sequence) -> Person:
    """Pick a person. first_frame: the source frame that is the shot's first, for `choice.frame` counts source frames.

    A box or point where nobody was found is looked at closely; who is found there gets the next free id.
    Raises NoSuchPerformerError.
    """
    ids = tuple(person.id for person in people.persons)
    if choice.pick is Pick.LARGEST and people.persons:
        return people.persons[0]
    if choice.pick in (Pick.LARGEST, Pick.ID):
        return _by_id(people, choice, ids)
    index = choice.frame - first_frame
    if not 0 <= index < people.frame_count:
        raise NoSuchPerformerError(f"in frame {choice.frame}, which is outside the shot", ids)
    known = _nearest_or_none(people, choice, index)
    found = known or _sought_or_none(people, choice, index, frames)
    if found is None:
        raise NoSuchPerformerError(f"at the {choice.pick} chosen in frame {choice.frame}", ids)
    return found


def _by_id(people: People, choice: PerformerChoice, ids: tuple[int, ...]) -> Person:
    for person in people.persons:
        if person.id == choice.id:
            return person
    raise NoSuchPerformerError(f"with id {choice.id}", ids)


def _nearest_or_none(people: People, choice: PerformerChoice, index: int) -> Person | None:
    fits = [(_fit(choice, person.box_at(index)), -person.id, person) for person in people.persons]
    fit, _, person = max(fits, default=(0.0, 0, None), key=lambda entry: entry[:2])
    return person if fit > 0 else None


def _fit(choice: PerformerChoice, box: Box) -> float:
    """Say how well a person's box answers the choice, 0 if not at all."""
    if choice.pick is Pick.BOX:
        together = overlap(_box(choice), box)
        return together if together > _LEAST_OVERLAP else 0.0
    outside = np.maximum(np.maximum(box[:2] - (choice.x, choice.y), (choice.x, choice.y) - box[2:]), 0)
    away = float(np.linalg.norm(outside)) / max(float(box[3] - box[1]), 1.0)
    return 1.0 - away + 1e-9 / area(box) if away < _POINT_REACH else 0.0


def _sought_or_none(people: People, choice: PerformerChoice, index: int, frames: Sequence) -> Person | None:
    frame = as_rgb8(frames[index])
    with Detector() as detector:
        for box in _search_boxes(choice, frame.shape[0]):
            for body in detector.bodies(frame, box):
                sighting = examine(detector, frame, body)
                seen = Seen(index, sighting.box, sighting.consistency)
                if sighting.consistency >= ACCEPTED and _fit(choice, seen.box) > 0:
                    next_id = max((person.id for person in people.persons), default=0) + 1
                    return Person(next_id, (seen,), appearance(frame, body))
    return None


def _search_boxes(choice: PerformerChoice, frame_height: int) -> list[Box]:
    if choice.pick is Pick.BOX:
        box = _box(choice)
        grow = np.array([-1, -1, 1, 1], np.float32) * max(box[2] - box[0], box[3] - box[1])
        return [box + part * grow for part in (0.1, 0.3, 0.0)]
    centre = np.array([choice.x, choice.y] * 2, np.float32)
    sides = [part * frame_height for part in _SEARCHES]
    return [np.asarray(centre + np.array([-1, -1, 1, 1]) * side / 2, np.float32) for side in sides]


def _box(choice: PerformerChoice) -> Box:
    xs, ys = sorted((choice.x, choice.x1)), sorted((choice.y, choice.y1))
    return np.array([xs[0], ys[0], xs[1], ys[1]], np.float32)
