# SPDX-License-Identifier: GPL-3.0-or-later
"""Find everybody in a shot: a coarse look at some of its frames, closer where somebody may be."""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Iterator
from collections.abc import Sequence as Many
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import UnderstudyError
from ..contract.watch import Watch
from ..media.sequence import Sequence
from .abreast import abreast
from .appearance import Appearance, appearance, leaning, likeness
from .detect import Body, Detector, Mask
from .judge import ACCEPTED, GOOD, same_person
from .people import SAME_LIKENESS, Glimpse, People, Person, Seen, linked
from .points import UPPER_BODY
from .prepare import as_rgb8
from .rivals import without
from .sighting import Sighting, examine, face_window
from .window import Box, Picture, frame_box, overlap, square

Covered = NDArray[np.bool_]

SAMPLES = 12
"""Frames of a shot that are looked at."""

_MOST_PEOPLE = 5
_FRAME_WINDOW_PX = 1024
_MARGIN = 1.5
"""Side of the window in which somebody is looked at closely, in sizes of the box."""

_TILES = (1.0, 0.5)
"""Sides of the tiles for small people, in frame heights; in the smaller, a fifth of the frame's height is enough."""

_MOST_TAKEN = 0.5
"""A tile of which one person covers more than that is left out: the tiles beside it show who stands beside."""

_MOST_WITHIN = 0.5
"""A find of whose coverage so much belongs to somebody found before is a part of that body, not a person."""

_COVERED_STEP_PX = 4

_LEAST_AGREEMENT = 0.5

_PLAIN = 0.95
"""Consistency from which somebody who is large in the window is not looked at again: body, face and coverage agree."""

_NETWORK_PX = 256
"""Side of the picture that the pose network looks at."""

_LEAST_UPPER_BODY = 0.78
"""Mean score that shoulders, elbows and hips in the frame must have where no face is seen."""


class NobodyFoundError(UnderstudyError):
    """No person was found in any sampled frame of the shot."""

    hint = "Choose another range, or draw a box round the performer in one frame."

    def __init__(self, sampled_frames: int) -> None:
        super().__init__(f"Nobody was found in {sampled_frames} sampled frames of the shot.")
        self.sampled_frames = sampled_frames


def find_people(frames: Sequence, watch: Watch, *, hastily: bool = False) -> People:
    """Look for everybody in about a dozen frames, spread evenly; in all of them closely if nobody is found at once.

    hastily: leave out who is small beside others, for a preview. Raises NobodyFoundError.
    """
    with Detector(most_bodies=_MOST_PEOPLE) as one, Detector(most_bodies=_MOST_PEOPLE) as other:
        glimpses = _glimpsed((one, other), frames, hastily, watch)
        if not any(glimpses):
            raise NobodyFoundError(len(glimpses))
        persons = linked(glimpses)
        return People(len(frames), persons if hastily else _looked_up(one, frames, persons))


def sampled(count: int) -> list[int]:
    """Choose the frames to look at."""
    return [round(float(at)) for at in np.linspace(0, count - 1, min(SAMPLES, count))]


def _glimpsed(detectors: Many[Detector], frames: Sequence, hastily: bool, watch: Watch) -> list[list[Glimpse]]:
    """Look into each sample; closely at the shot's ends, and in its middle if an end shows not just one person."""
    samples, glimpses = sampled(len(frames)), dict[int, list[Glimpse]]()
    middle = samples[len(samples) // 2]
    closely = set[int]() if hastily else {samples[0], samples[-1]}

    def look(chosen: Iterable[int]) -> None:
        """Have each detector in a thread; who is done with a frame takes the next, for some take ten times as long."""
        waiting = deque(chosen)
        for index, glimpsed in abreast([_look(detector, frames, waiting, closely) for detector in detectors]):
            glimpses[index] = glimpsed
            watch.frames_done(len(glimpses), len(samples))
            if index in closely and len(glimpsed) != 1 and middle not in closely:
                closely.add(middle)
                waiting.appendleft(middle)  # whichever end told first: nobody waits for the other

    undecided = set[int]() if hastily else {middle} - closely
    look(sorted(set(samples) - undecided, key=lambda index: index not in closely))
    look(undecided - glimpses.keys())
    if not any(glimpses.values()):
        rest = set(samples) - closely
        closely |= rest
        look(sorted(rest))
    return [glimpses[index] for index in samples]


def _look(
    detector: Detector, frames: Sequence, waiting: deque[int], closely: Container[int]
) -> Iterator[tuple[int, list[Glimpse]]]:
    for index in _taken(waiting):
        frame = as_rgb8(frames[index])
        seen = people_in(detector, frame, index in closely)
        yield index, [Glimpse(Seen(index, s.box, s.consistency), appearance(frame, s.body)) for s in seen]


def _taken(waiting: deque[int]) -> Iterator[int]:
    """Take one after the other, also of those that come in meanwhile, until none is left."""
    with suppress(IndexError):
        while True:
            yield waiting.popleft()


def _looked_up(detector: Detector, frames: Sequence, persons: tuple[Person, ...]) -> tuple[Person, ...]:
    """Look for those whom somebody else hid in a sample, where they should be by the samples before and after."""
    known = {person.id: person for person in persons}
    for index in sampled(len(frames)):
        missed = [person for person in known.values() if person.is_missed(index) and _is_hidden(person, index, persons)]
        if missed:
            frame = as_rgb8(frames[index])
            known |= {person.id: _behind_others(detector, frame, index, person, persons) for person in missed}
    return tuple(known.values())


def _is_hidden(person: Person, index: int, persons: tuple[Person, ...]) -> bool:
    """Tell whether somebody else is believed to be near a person; who stands alone was missed for being small."""
    near = square(person.box_at(index), _MARGIN)
    return any(overlap(other.box_at(index), near) > 0 for other in persons if other.id != person.id)


def _behind_others(
    detector: Detector, frame: Picture, index: int, person: Person, persons: tuple[Person, ...]
) -> Person:
    """Look for a person in a frame again, with one after the other painted over who stands there."""
    box = square(person.box_at(index), _MARGIN)
    for _ in persons:
        bodies = detector.bodies(frame, box)
        for sighting in filter(None, (look_closer(detector, frame, body) for body in bodies)):
            if _is_of(person, appearance(frame, sighting.body), persons):
                return person.also_seen(Seen(index, sighting.box, sighting.consistency))
        if not bodies:
            break
        frame = without(frame, bodies[0])
    return person


def _is_of(person: Person, looks: Appearance, persons: tuple[Person, ...]) -> bool:
    others = [other for other in persons if other.id != person.id]
    is_like = likeness(looks, person.looks) > SAME_LIKENESS
    return is_like and all(leaning(looks, person.looks, other.looks) < 0 for other in others)


def people_in(detector: Detector, frame: Picture, closely: bool) -> list[Sighting]:
    """Find everybody in a frame, `h w 3` uint8, each once, the large before the small.

    closely: look for small people too, in tiles, even if somebody is found in the whole.
    """
    crowd = _Crowd(detector, frame)
    crowd.look([frame_box(frame)])
    if closely or not crowd.people:
        for side in _TILES:
            crowd.look(tiles(frame, side))
    return crowd.people


def tiles(frame: Picture, part: float) -> list[Box]:
    """Cover a frame by squares that overlap by a third or more, their side a part of the frame's shorter side."""
    height, width = frame.shape[:2]
    side = part * min(height, width)
    xs = np.linspace(0, width - side, int(np.ceil(1.5 * (width / side - 1))) + 1)
    ys = np.linspace(0, height - side, int(np.ceil(1.5 * (height / side - 1))) + 1)
    return [np.array([x, y, x + side, y + side], np.float32) for y in ys for x in xs]


def look_closer(detector: Detector, frame: Picture, body: Body) -> Sighting | None:
    """Look at a candidate again in a window of its own, and in one that its face suggests. None if it is nobody."""
    first = examine(detector, frame, body)
    if first.consistency >= _PLAIN and _is_large(first) and _is_somebody(first):
        return first
    sightings = _examined(detector, frame, square(first.box, _MARGIN))
    if first.face is not None and all(sighting.consistency < GOOD for sighting in sightings):
        sightings += _examined(detector, frame, face_window(first.face))
    best = max(sightings, key=lambda sighting: sighting.consistency, default=None)
    return best if best is not None and _is_somebody(best) else None


class _Crowd:
    """The people of a frame: who was found so far, and what of the frame they cover."""

    def __init__(self, detector: Detector, frame: Picture) -> None:
        self._detector, self._frame = detector, frame
        self.people: list[Sighting] = []
        self._covered: list[Covered] = []

    def look(self, boxes: list[Box]) -> None:
        """Add whoever is found in windows of the frame and not known yet."""
        for box in filter(self._has_room, boxes):
            for body in self._detector.bodies(self._frame, box, _FRAME_WINDOW_PX):
                sighting = None if self._is_known(body) else look_closer(self._detector, self._frame, body)
                if sighting is not None and not _is_part(sighting.body, sighting.mask, self._covered):
                    self.people.append(sighting)
                    self._covered.append(_covered(sighting.body, sighting.mask))

    def _has_room(self, box: Box) -> bool:
        """Tell whether no single person covers most of a window."""
        x0, y0, x1, y1 = np.round(box / _COVERED_STEP_PX).astype(int)
        return all(covered[y0:y1, x0:x1].mean() <= _MOST_TAKEN for covered in self._covered)

    def _is_known(self, body: Body) -> bool:
        is_same = any(same_person(body, sighting.body) for sighting in self.people)
        return is_same or _is_part(body, body.mask, self._covered)


def _is_large(sighting: Sighting) -> bool:
    """Tell whether a person had all the pixels in the window that a network looks at."""
    window, box = sighting.body.window, sighting.box
    scale = window.picture.shape[1] / window.size_px[0]
    return bool(scale * max(box[2:] - box[:2]) >= _NETWORK_PX)


def _examined(detector: Detector, frame: Picture, box: Box) -> list[Sighting]:
    return [examine(detector, frame, body) for body in detector.bodies(frame, box)[:1]]


def _is_somebody(sighting: Sighting) -> bool:
    """Ask more than consistency: lamps and folds of cloth have no face, and no arms and hips that are believed."""
    upper_body = sighting.body.score[list(UPPER_BODY)][sighting.body.inside[list(UPPER_BODY)]]
    return (
        sighting.consistency >= ACCEPTED
        and sighting.agreement >= _LEAST_AGREEMENT
        and (sighting.face is not None or float(upper_body.sum()) >= _LEAST_UPPER_BODY * max(len(upper_body), 2))
    )


def _covered(body: Body, mask: Mask) -> Covered:
    """Give what a mask of a body's window covers of the frame, at every fourth pixel each way."""
    return np.asarray(body.window.paste(mask)[::_COVERED_STEP_PX, ::_COVERED_STEP_PX] > 128)


def _is_part(body: Body, mask: Mask, covered: list[Covered]) -> bool:
    """Tell whether most of what a body covers is covered by one of others."""
    own = _covered(body, mask)
    return any((own & other).sum() > _MOST_WITHIN * max(own.sum(), 1) for other in covered)
