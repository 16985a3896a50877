# SPDX-License-Identifier: GPL-3.0-or-later
"""What other frames saw behind a pixel: gathered nearest in time first, and made into one colour.

Agreement decides. Where samples agree their median is the set, and a passing ball or a matte's fringe is voted out;
where none agree (leaves, a crowd) a median would be a ghost, and restore.py takes one frame's picture whole.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from .camera import Camera, CameraKind
from .geometry import Homography, Pictures, Points, is_set_at, mean_of_channels, project, read_at
from .hole import grow

MOST_SAMPLES = 5
"""A median of five outvotes two strangers; more adds cost and age, not truth."""

_MOST_SOURCES = 14
_CACHE_BYTES = 160_000_000
_PROBES = 2000
_GLANCE_ROWS = 90
"""Height of the small masks by which frames are chosen without opening them."""
_VALUE = np.array([1.0, 0.5, 0.35, 0.1, 0.1, 0.0], np.float32)
"""What one more sample is worth to a pixel that has 0, 1, ... 5 of them."""
_WORTH = 0.001
"""A frame is not opened for less than this value a pixel asked for."""
_NEAR_FRAMES = 12
_KERNEL_PX = 2
"""Bicubic reading reaches this far: so far from a hole nothing of the performer leaks in."""
_ENOUGH = 3
_AT_ONCE = 50_000
"""Pixels whose samples are compared at once."""
_ALIKE = 10.0
"""Code values of 255 by which three samples may differ and still be called one."""
_NETWORK_OF_3 = ((0, 1), (1, 2), (0, 1))
_NETWORK_OF_5 = ((0, 1), (3, 4), (2, 4), (2, 3), (1, 4), (0, 3), (0, 2), (1, 3), (1, 2))


@dataclass(frozen=True, slots=True)
class View:
    """A picture to be filled: a frame of the shot, or the set as a whole.

    time: in frames, for nearness; a frame of the shot has its own index, and is never asked about itself.
    """

    time: float
    segment: int
    to_ground: Homography
    gain: NDArray[np.float32]
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Samples:
    """Of n pixels: colours `5 n 3` float32 in the view's code values, nearest in time first, inf where missing.

    count: `n`, 0..5. age: `n`, frames to the nearest sample's frame.
    """

    colours: NDArray[np.float32]
    count: NDArray[np.intp]
    age: NDArray[np.float32]

    def of(self, which: NDArray[np.intp] | slice) -> Samples:
        """Take some of the pixels."""
        return Samples(self.colours[:, which], self.count[which], self.age[which])


@dataclass(frozen=True, slots=True)
class Consensus:
    """Of n pixels: the agreed colour, `n 3`, and the spread `n`: mean distance of the samples to it."""

    agreed: NDArray[np.float32]
    spread: NDArray[np.float32]


class Shift(Protocol):
    """Where the places (`n 2`) of the ground's picture are seen, besides what the camera's plane tells; parallax.py."""

    def moved(self, time: float, places: Points) -> Points:
        """Tell where places are in the frame of a time."""
        ...

    def settled(self, time: float, seen: Points) -> Points:
        """Tell which places are seen there: the inverse."""
        ...


class Witnesses:
    """The frames that may be asked what is behind the performers. Keeps a few decoded; never the clip.

    plane, shift: where residual motion is known, from the ground to the picture that it is known in, and the motion.
    """

    def __init__(self, frames: Pictures, holes: Pictures, camera: Camera) -> None:
        self.camera = camera
        self.plane: Homography = np.eye(3)
        self.shift: Shift | None = None
        self.indices = tuple(range(0, len(frames), _stride(len(frames))))
        self._frames, self._holes = frames, holes
        first = frames[0]
        self._height, self._width = first.shape[:2]
        self.white = float(np.iinfo(first.dtype).max)
        self._cell = max(1, self._height // _GLANCE_ROWS)
        self._glances = {index: self._free(index)[:: self._cell, :: self._cell].copy() for index in self.indices}
        self._open: OrderedDict[int, tuple[NDArray[Any], NDArray[np.uint8]]] = OrderedDict()

    def view(self, index: int) -> View:
        """Describe a frame of the shot as a view."""
        camera = self.camera
        size = (self._width, self._height)
        return View(index, int(camera.segment[index]), camera.to_ground[index], camera.gain[index], size)

    def picture(self, index: int) -> tuple[NDArray[Any], NDArray[np.uint8]]:
        """Open a frame: its pixels, and where (1, else 0) it can be read without touching a performer."""
        if index in self._open:
            self._open.move_to_end(index)
        else:
            frame = self._frames[index]
            self._open[index] = frame, self._free(index)
            while len(self._open) > max(2, min(2 * _MOST_SOURCES, _CACHE_BYTES // frame.nbytes)):
                self._open.popitem(last=False)
        return self._open[index]

    def settled(self, view: View, points: Points) -> Points:
        """Tell where the view's pixels (n points) lie in the picture that the shift is known in."""
        plane = project(points, self.plane @ view.to_ground)
        return plane if self.shift is None else self.shift.settled(view.time, plane)

    def ask(self, view: View, points: Points) -> Samples:
        """Collect samples of each of the view's pixels (n points), never from the view's own frame.

        Three that agree are enough; where they don't, five are asked.
        """
        total = len(points)
        colours = np.full((MOST_SAMPLES, total, 3), np.inf, np.float32)
        flat = colours.reshape(-1, 3)
        count, settled = np.zeros(total, np.intp), np.zeros(total, bool)
        age = np.full(total, np.inf, np.float32)
        plane = self.settled(view, points)
        # A tripod's frames share one grid: their pixels are copied, never resampled.
        on_grid = self.camera.kind is CameraKind.LOCKED_OFF and np.array_equal(view.to_ground, np.eye(3))
        read = _copy_at if on_grid else read_at
        for index in self._useful(view, plane):
            wanting = np.flatnonzero(~settled)
            places = self._places(index, plane.take(wanting, 0))
            frame, free = self.picture(index)
            seen = is_set_at(free, places)
            here = wanting[seen]
            already = count[here]
            gain = view.gain / self.camera.gain[index]
            flat[already * total + here] = read(frame, places[seen]) * gain
            age[here[already == 0]] = abs(index - view.time)
            count[here] = already + 1
            settled[here[already == MOST_SAMPLES - 1]] = True
            third = here[already == _ENOUGH - 1]
            settled[third] = _alike(colours[:_ENOUGH, third]) < _ALIKE * self.white / 255
        return Samples(colours, count, age)

    def _useful(self, view: View, plane: Points) -> list[int]:
        """Choose the frames to open, nearest in time first.

        A few probe pixels decide: greedily, whichever frame adds most to the least known of them, the nearer the
        better. So the one frame in which the performer had not come in yet is found, however far it is.
        """
        probes = plane[:: max(1, len(plane) // _PROBES)]
        segment = self.camera.segment
        others = [index for index in self.indices if index != view.time and segment[index] == view.segment]
        if not others:
            return []
        seen = np.stack([is_set_at(self._glances[at], self._places(at, probes) / self._cell) for at in others])
        nearness = 1 / (1 + np.abs(np.array(others) - view.time) / _NEAR_FRAMES)
        count = np.zeros(len(probes), np.intp)
        chosen: list[int] = []
        while len(chosen) < min(_MOST_SOURCES, len(others)):
            value = seen @ _VALUE[np.minimum(count, MOST_SAMPLES)]
            value[chosen] = 0
            if value.max() < _WORTH * len(probes):
                break
            chosen.append(int(np.argmax(value * nearness)))
            count += seen[chosen[-1]]
        return sorted((others[pick] for pick in chosen), key=lambda index: (abs(index - view.time), index))

    def _free(self, index: int) -> NDArray[np.uint8]:
        return np.where(grow(self._holes[index] > 0, _KERNEL_PX), 0, 1).astype(np.uint8)

    def _places(self, index: int, plane: Points) -> Points:
        moved = plane if self.shift is None else self.shift.moved(index, plane)
        return project(moved, np.linalg.inv(self.plane @ self.camera.to_ground[index]))


def agree(samples: Samples) -> Consensus:
    """Make one colour of each pixel's samples. Pixels without any come out as 0."""
    agreed = np.zeros((len(samples.count), 3), np.float32)
    spread = np.zeros(len(samples.count), np.float32)
    for start in range(0, len(agreed), _AT_ONCE):  # else a whole picture's samples are copied at each step
        part = slice(start, start + _AT_ONCE)
        _agree(samples.of(part), agreed[part], spread[part])
    return Consensus(agreed, spread)


def _agree(samples: Samples, agreed: NDArray[np.float32], spread: NDArray[np.float32]) -> None:
    few, many = (samples.count > 0) & (samples.count <= _ENOUGH), samples.count > _ENOUGH
    for which, depth, network in ((few, _ENOUGH, _NETWORK_OF_3), (many, MOST_SAMPLES, _NETWORK_OF_5)):
        colours, count = samples.colours[:depth, which], samples.count[which]
        agreed[which] = _median(colours, count, network)
        away = mean_of_channels(np.abs(colours - agreed[which]))
        spread[which] = np.where(np.isfinite(away), away, 0).sum(0) / count


def _median(
    colours: NDArray[np.float32], count: NDArray[np.intp], network: tuple[tuple[int, int], ...]
) -> NDArray[np.float32]:
    """Median of each pixel's first `count` colours, `k n 3` with inf where missing, by a sorting network."""
    ordered = list(colours)
    for low, high in network:
        ordered[low], ordered[high] = np.minimum(ordered[low], ordered[high]), np.maximum(ordered[low], ordered[high])
    median = np.empty(colours.shape[1:], np.float32)
    for number in range(1, len(ordered) + 1):
        mine = count == number
        median[mine] = (ordered[(number - 1) // 2][mine] + ordered[number // 2][mine]) / 2
    return median


def _alike(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """Tell how far each pixel's samples, `k n 3`, lie apart at most."""
    apart = colours.max(0) - colours.min(0)
    return cast(NDArray[np.float32], np.maximum(np.maximum(apart[:, 0], apart[:, 1]), apart[:, 2]))


def _copy_at(frame: NDArray[Any], places: Points) -> NDArray[np.float32]:
    at = np.rint(places).astype(np.intp)
    return cast(NDArray[np.float32], frame[at[:, 1], at[:, 0]].astype(np.float32))


def _stride(frame_count: int) -> int:
    """Every frame of a short clip is asked, every fourth of a long one: neighbours see the same."""
    return int(np.clip(frame_count // 24, 1, 4))
