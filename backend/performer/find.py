# SPDX-License-Identifier: GPL-3.0-or-later
"""Find everybody in a shot: a coarse look at some of its frames, closer where somebody may be."""

from __future__ import annotations

from collections.abc import Iterator

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
from .window import Box, Picture, frame_box, square

SAMPLES = 12
"""Frames of a shot that are looked at."""

_MOST_PEOPLE = 5
_FRAME_WINDOW_PX = 1024
_MARGIN = 1.5
"""Side of the window in which somebody is looked at closely, in sizes of the box."""

_TILED_SAMPLES = 3
"""In so many of the frames people are sought who are small in the picture."""

_TILES = (1.0, 0.5)
"""Sides of the tiles for them, in frame heights; in the smaller, somebody of a fifth of the frame's height is found."""

_MOST_WITHIN = 0.5
"""A find of whose coverage so much belongs to somebody found before is a part of that body, not a person."""

_LEAST_AGREEMENT = 0.5

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
    samples = [(index, closely and not hastily) for index, closely in sampled(len(frames))]
    glimpses = _glimpsed(frames, samples, watch)
    if not any(glimpses):
        glimpses = _glimpsed(frames, [(index, True) for index, closely in samples if not closely], watch)
    if not any(glimpses):
        raise NobodyFoundError(len(samples))
    persons = linked(glimpses)
    return People(len(frames), persons if hastily or len(persons) == 1 else _looked_up(frames, persons))


def sampled(count: int) -> list[tuple[int, bool]]:
    """Choose the frames to look at, and in which of them to look closely."""
    number = min(SAMPLES, count)
    frames = [round(float(at)) for at in np.linspace(0, count - 1, number)]
    closely = {frames[round(float(at))] for at in np.linspace(0, number - 1, min(_TILED_SAMPLES, number))}
    return [(frame, frame in closely) for frame in frames]


def _glimpsed(frames: Sequence, samples: list[tuple[int, bool]], watch: Watch) -> list[list[Glimpse]]:
    """Look into each sample, in two threads; who is done with one takes the next, for some take ten times as long."""
    waiting, glimpses = iter(samples), dict[int, list[Glimpse]]()
    for index, glimpsed in abreast([_look(frames, waiting), _look(frames, waiting)]):
        glimpses[index] = glimpsed
        watch.frames_done(len(glimpses), len(samples))
    return [glimpses[index] for index, _ in samples]


def _look(frames: Sequence, samples: Iterator[tuple[int, bool]]) -> Iterator[tuple[int, list[Glimpse]]]:
    with Detector(most_bodies=_MOST_PEOPLE) as detector:
        for index, closely in samples:
            frame = as_rgb8(frames[index])
            seen = people_in(detector, frame, closely)
            yield index, [Glimpse(Seen(index, s.box, s.consistency), appearance(frame, s.body)) for s in seen]


def _looked_up(frames: Sequence, persons: tuple[Person, ...]) -> tuple[Person, ...]:
    """Look for those whom somebody else hid in a sample, where they should be by the samples before and after."""
    known = {person.id: person for person in persons}
    with Detector(most_bodies=_MOST_PEOPLE) as detector:
        for index, _ in sampled(len(frames)):
            missed = [person for person in known.values() if person.is_missed(index)]
            if missed:
                frame = as_rgb8(frames[index])
                known |= {person.id: _behind_others(detector, frame, index, person, persons) for person in missed}
    return tuple(known.values())


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
    found = _new(detector, frame, [frame_box(frame)], [])
    if closely or not found:
        for side in _TILES:
            found += _new(detector, frame, tiles(frame, side), found)
    return found


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
    sightings = _examined(detector, frame, square(first.box, _MARGIN))
    if first.face is not None and all(sighting.consistency < GOOD for sighting in sightings):
        sightings += _examined(detector, frame, face_window(first.face))
    best = max(sightings, key=lambda sighting: sighting.consistency, default=None)
    return best if best is not None and _is_somebody(best) else None


def _new(detector: Detector, frame: Picture, boxes: list[Box], known: list[Sighting]) -> list[Sighting]:
    """Find people in windows of a frame who are not among those known."""
    everybody, covered = list(known), [_covered(sighting.body, sighting.mask) for sighting in known]
    for body in (body for box in boxes for body in detector.bodies(frame, box, _FRAME_WINDOW_PX)):
        if any(same_person(body, other.body) for other in everybody) or _is_part(body, body.mask, covered):
            continue
        sighting = look_closer(detector, frame, body)
        if sighting is not None and not _is_part(sighting.body, sighting.mask, covered):
            everybody.append(sighting)
            covered.append(_covered(sighting.body, sighting.mask))
    return everybody[len(known) :]


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


def _covered(body: Body, mask: Mask) -> NDArray[np.bool_]:
    """Give what a mask of a body's window covers of the frame, at a quarter of its size."""
    return np.asarray(body.window.paste(mask)[::4, ::4] > 128)


def _is_part(body: Body, mask: Mask, covered: list[NDArray[np.bool_]]) -> bool:
    """Tell whether most of what a body covers is covered by one of others."""
    own = _covered(body, mask)
    return any((own & other).sum() > _MOST_WITHIN * max(own.sum(), 1) for other in covered)
