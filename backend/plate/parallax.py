# SPDX-License-Identifier: GPL-3.0-or-later
"""What one homography a frame leaves over: parallax, lens distortion, rolling shutter, small errors of the camera.

Dense flow from the set's picture to every witness is measured where that witness sees the set. Behind a performer it
is not seen, but the camera moves smoothly: there it is interpolated in time from the frames before and after.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from .fill import spread
from .geometry import Points, read_at
from .ground import Ground, middle_of
from .relief import (
    CELL_PX,
    KEYS,
    Relief,
    better_relief,
    cells_of,
    centres_of_cells,
    first_relief,
    key_turns,
)
from .samples import View, Witnesses
from .show import grey_of, small_size, stabilised
from .sightings import look_again, stitch
from .trails import follow_trails

_MOST_SHIFT = 0.05
"""Larger residual motion, in picture heights, is taken for a moving thing and not for parallax."""
_MEMORY_FIELDS = 96
_ITERATIONS = 8
_LEAST_SAY_PX = 2.0
_MOST_LEFT = 0.006
"""Once the relief is known, more residual motion than this, in picture heights, is a mistake of the flow."""

_STITCHED = 9
"""From so many frames the picture is stitched in which points are looked for."""

Field = NDArray[np.float32]


class Parallax:
    """Motion over time in one segment besides its plane's, in pixels of the ground's picture: a `Shift`."""

    def __init__(self, witnesses: Witnesses, place: View) -> None:
        self._members = np.flatnonzero(witnesses.camera.segment == place.segment)
        self._ground_time = place.time
        pictures = (stabilised(witnesses, place, int(index)) for index in self._members)
        shown = ((grey_of(picture), np.where(seen, 255, 0).astype(np.uint8)) for picture, seen in pictures)
        middle = int(np.searchsorted(self._members, middle_of(self._members)))
        pixel = place.size[1] / small_size(place)[1]
        self._times = np.zeros(0, np.intp)
        self._fields: dict[float, tuple[Field, Field]] = {}
        self._size = place.size
        turns = len(self._members)
        self._relief = first_relief(follow_trails(shown), turns, middle, pixel, place.size)
        if self._relief is not None:
            self._relief = self._looked_again(witnesses, place, middle, pixel, key_turns(turns, middle, KEYS))
            self._relief = self._looked_again(witnesses, place, middle, pixel, np.arange(turns))
        self._fields.clear()

    def _looked_again(
        self, witnesses: Witnesses, place: View, middle: int, pixel: float, turns: NDArray[np.intp]
    ) -> Relief:
        """Better the relief by points that are found in pictures which it has aligned."""
        assert self._relief is not None
        self._fields.clear()

        def show(turn: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
            return stabilised(witnesses, place, int(self._members[turn]), self)

        keys = key_turns(len(self._members), middle, _STITCHED)
        reference = stitch(show, sorted((int(key) for key in keys), key=lambda key: (abs(key - middle), key)))
        found = look_again(reference, show, turns.tolist(), middle)
        return better_relief(self._relief, found, middle, pixel)

    def refine(self, witnesses: Witnesses, ground: Ground) -> None:
        """Measure what is left over by flow. ground: painted with the motion that is known so far."""
        members = set(self._members.tolist())
        times = np.array([at for at in witnesses.indices if at in members], np.intp)
        columns, rows = cells_of(self._size)
        flow, seen = np.zeros((len(times), rows, columns, 2), np.float16), np.zeros((len(times), rows, columns), bool)
        for place, at in enumerate(times.tolist()):
            flow[place], seen[place] = self._measure(witnesses, ground, at)
        self._times, self._flow, self._seen = times, flow, seen
        if self._relief is not None:
            self._relief = deepened(self._relief, flow, seen, np.searchsorted(self._members, times).tolist())
        self._fields.clear()

    def moved(self, time: float, places: Points) -> Points:
        """Tell where places (`n 2`) of the ground's picture are in the frame of a time."""
        return places if time == self._ground_time else self._read(self._field(time)[0], places)

    def settled(self, time: float, seen: Points) -> Points:
        """Tell which places are seen there: the inverse."""
        return seen if time == self._ground_time else self._read(self._field(time)[1], seen)

    def _read(self, field: Field, places: Points) -> Points:
        cells = places / np.float32(CELL_PX) + np.float32(0.5 / CELL_PX - 0.5)
        return places + read_at(field, cells, cv2.INTER_LINEAR)

    def _field(self, time: float) -> tuple[Field, Field]:
        """Give all motion from the picture to the frame of a time, and back, on the picture's grid of cells."""
        if time not in self._fields:
            if len(self._fields) >= _MEMORY_FIELDS:
                self._fields.pop(next(iter(self._fields)))
            there = self._rigid(time) + self._left_over(time)
            centres = centres_of_cells(self._size)
            places = centres
            for _ in range(_ITERATIONS):
                places = places + centres - self._read(there, places)
            self._fields[time] = there, (places - centres).reshape(there.shape)
        return self._fields[time]

    def _left_over(self, time: float) -> Field | np.float32:
        if not len(self._times):
            return np.float32(0)
        return flow_at(time, self._times, self._flow, self._seen)

    def _rigid(self, time: float) -> Field:
        centres = centres_of_cells(self._size)
        turn = int(np.searchsorted(self._members, time))
        moved = centres if self._relief is None else self._relief.moved(turn, centres)
        return (moved - centres).reshape(*cells_of(self._size)[::-1], 2)

    def _measure(
        self, witnesses: Witnesses, ground: Ground, index: int
    ) -> tuple[NDArray[np.float16], NDArray[np.bool_]]:
        """Measure the flow of one witness on the picture's grid of cells, in picture pixels, and where it is known."""
        theirs, seen = stabilised(witnesses, ground.view, index, self)
        size = (theirs.shape[1], theirs.shape[0])
        ours = np.asarray(cv2.resize(ground.colour, size, interpolation=cv2.INTER_AREA), np.float32)
        ours *= np.float32(255 / witnesses.white)
        unseen = cv2.resize(ground.unseen.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
        usable = seen & ~unseen
        flow = _flow(grey_of(ours), grey_of(np.where(usable[..., None], theirs, ours)), usable)
        return _on_cells(flow * np.float32(ground.view.size[1] / size[1]), usable, ground.view.size)


def flow_at(time: float, times: NDArray[np.intp], flow: NDArray[np.float16], seen: NDArray[np.bool_]) -> Field:
    """Interpolate flow at a time, cell by cell, between the frames before and after that saw the cell.

    times: `n`, rising. flow: `n rows columns 2`. seen: `n rows columns`. Cells that no frame saw are filled from those
    beside them. Gives `rows columns 2`.
    """
    early = int(np.searchsorted(times, time, "right"))
    before, has_before = _first_seen(seen[:early][::-1])
    after, has_after = _first_seen(seen[early:])
    before, after = np.maximum(early - 1 - before, 0), np.minimum(early + after, len(times) - 1)
    gap = np.maximum(times[after] - times[before], 1)
    share = np.where(has_before & has_after, (time - times[before]) / gap, has_after)[..., None]
    rows, columns = np.indices(before.shape)
    field = flow[before, rows, columns] * (1 - share) + flow[after, rows, columns] * share
    return _smooth(field.astype(np.float32), has_before | has_after)


def deepened(relief: Relief, flow: NDArray[np.float16], seen: NDArray[np.bool_], turns: list[int]) -> Relief:
    """Let a relief take what part of the flow a better depth explains at all times together; only the rest stays.

    flow: `n rows columns 2`, what is left over at each time, in picture pixels, changed in place. seen: `n rows
    columns`. turns: of the segment's frames, `n`. Time by time: the flow is all that is held of each, for a long shot
    has many.
    """
    say, explained = np.zeros_like(relief.depth), np.zeros_like(relief.depth)
    for left, is_seen, turn in zip(flow, seen, turns, strict=True):
        motion = relief.motion(turn)
        say += np.square(motion).sum(2) * is_seen
        explained += (left * motion).sum(2) * is_seen
    more = explained / (say + _LEAST_SAY_PX**2)
    for left, turn in zip(flow, turns, strict=True):
        left[:] = left - more[..., None] * relief.motion(turn)
        left[np.hypot(left[..., 0], left[..., 1]) > _MOST_LEFT * relief.size[1]] = 0
    return replace(relief, depth=relief.depth + more)


def _first_seen(seen: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Tell which of some frames is the first that saw a cell, and whether any did: seen is `n rows columns`."""
    if not len(seen):
        return np.zeros(seen.shape[1:], np.intp), np.zeros(seen.shape[1:], bool)
    return seen.argmax(0), np.asarray(seen.any(0))


def _smooth(field: Field, known: NDArray[np.bool_]) -> Field:
    if not known.any():
        return np.zeros_like(field)
    return np.asarray(cv2.GaussianBlur(spread(field, known), (0, 0), 1.0), np.float32)


def _flow(ours: NDArray[np.uint8], theirs: NDArray[np.uint8], usable: NDArray[np.bool_]) -> Field:
    """Dense flow where it makes the pictures more alike than no flow does, else zero."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    flow = search.calc(ours, theirs, None)  # type: ignore[call-overload]
    rows, columns = np.indices(ours.shape, np.float32)
    moved = cv2.remap(theirs, columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_LINEAR)
    reach = (0, 0)
    still_error = cv2.GaussianBlur(cv2.absdiff(ours, theirs).astype(np.float32), reach, 4)
    moved_error = cv2.GaussianBlur(cv2.absdiff(ours, moved).astype(np.float32), reach, 4)
    length = np.hypot(flow[..., 0], flow[..., 1])
    helps = usable & (moved_error < 0.9 * still_error) & (length < _MOST_SHIFT * ours.shape[0])
    return np.where(helps[..., None], flow, 0).astype(np.float32)


def _on_cells(
    flow: Field, usable: NDArray[np.bool_], size: tuple[int, int]
) -> tuple[NDArray[np.float16], NDArray[np.bool_]]:
    cells = cells_of(size)
    weight = np.asarray(cv2.resize(usable.astype(np.float32), cells, interpolation=cv2.INTER_AREA))
    total = np.asarray(cv2.resize(flow * usable[..., None], cells, interpolation=cv2.INTER_AREA))
    mean = total.reshape(cells[1], cells[0], 2) / np.maximum(weight, 1e-6).reshape(cells[1], cells[0], 1)
    return mean.astype(np.float16), weight.reshape(cells[1], cells[0]) > 0.5
