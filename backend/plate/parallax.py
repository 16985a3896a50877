# SPDX-License-Identifier: GPL-3.0-or-later
"""What one homography a frame leaves over: parallax, lens distortion, rolling shutter, small errors of the camera.

Dense flow from the set's picture to every witness is measured where that witness sees the set. Behind a performer it
is not seen, but the camera moves smoothly: there it is interpolated in time from the frames before and after.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .fill import spread
from .geometry import Points, read_at, scaling
from .ground import Ground
from .samples import Witnesses

_CELL_PX = 8
_FLOW_HEIGHT_PX = 360
_MOST_SHIFT = 0.05
"""Larger residual motion, in picture heights, is taken for a moving thing and not for parallax."""
_MEMORY_FIELDS = 48

Field = NDArray[np.float32]


class Parallax:
    """Residual motion over time in one segment, in pixels of the ground's picture: a `Shift` for its witnesses."""

    def __init__(self, witnesses: Witnesses, ground: Ground) -> None:
        segment = witnesses.camera.segment
        self._times = np.array([at for at in witnesses.indices if segment[at] == ground.view.segment])
        measured = [_measure(witnesses, ground, int(index)) for index in self._times]
        self._flow = np.stack([flow for flow, _ in measured])
        self._seen = np.stack([seen for _, seen in measured])
        self._fields: dict[float, Field] = {}

    def __call__(self, from_time: float, to_time: float, plane: Points) -> Points:
        """Tell how far points (`n 2`) of the ground's picture move from one time to another."""
        cells = plane / np.float32(_CELL_PX) + np.float32(0.5 / _CELL_PX - 0.5)
        return read_at(self._field(to_time) - self._field(from_time), cells, cv2.INTER_LINEAR)

    def _field(self, time: float) -> Field:
        """Interpolate the flow at a time, cell by cell, between the frames before and after that saw the cell."""
        if time not in self._fields:
            if len(self._fields) >= _MEMORY_FIELDS:
                self._fields.pop(next(iter(self._fields)))
            self._fields[time] = self._interpolate(time)
        return self._fields[time]

    def _interpolate(self, time: float) -> Field:
        order = np.arange(len(self._times))[:, None, None]
        early = (self._times <= time)[:, None, None]
        before = np.where(self._seen & early, order, -1).max(0)
        after = np.where(self._seen & ~early, order, len(order)).min(0)
        has_before, has_after = before >= 0, after < len(order)
        before, after = np.maximum(before, 0), np.minimum(after, len(order) - 1)
        gap = np.maximum(self._times[after] - self._times[before], 1)
        share = np.where(has_before & has_after, (time - self._times[before]) / gap, has_after)[..., None]
        rows, columns = np.indices(before.shape)
        field = self._flow[before, rows, columns] * (1 - share) + self._flow[after, rows, columns] * share
        return _smooth(field.astype(np.float32), has_before | has_after)


def _smooth(field: Field, known: NDArray[np.bool_]) -> Field:
    if not known.any():
        return np.zeros_like(field)
    return np.asarray(cv2.GaussianBlur(spread(field, known), (0, 0), 1.0), np.float32)


def _measure(witnesses: Witnesses, ground: Ground, index: int) -> tuple[NDArray[np.float16], NDArray[np.bool_]]:
    """Measure the flow of one witness on the picture's grid of cells, in picture pixels, and where it is known."""
    width, height = ground.view.size
    factor = min(1.0, _FLOW_HEIGHT_PX / height)
    size = (max(16, round(width * factor)), max(16, round(height * factor)))
    to_small = scaling(size[0] / width, size[1] / height)
    frame, free = witnesses.picture(index)
    place = to_small @ np.linalg.inv(ground.view.to_ground) @ witnesses.camera.to_ground[index]
    theirs = cv2.warpPerspective(frame, place, size, flags=cv2.INTER_AREA).astype(np.float32)
    theirs *= ground.view.gain / witnesses.camera.gain[index]
    seen = cv2.warpPerspective(free.astype(np.uint8), place, size, flags=cv2.INTER_NEAREST) > 0
    ours = np.asarray(cv2.resize(ground.colour, size, interpolation=cv2.INTER_AREA), np.float32)
    unseen = cv2.resize(ground.unseen.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
    usable = seen & ~unseen
    unit = np.float32(255 / np.iinfo(frame.dtype).max)
    flow = _flow(_grey(ours * unit), _grey(np.where(usable[..., None], theirs, ours) * unit), usable)
    return _on_cells(flow / np.float32(to_small[1, 1]), usable, (width, height))


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
    cells = (-(-size[0] // _CELL_PX), -(-size[1] // _CELL_PX))
    weight = np.asarray(cv2.resize(usable.astype(np.float32), cells, interpolation=cv2.INTER_AREA))
    total = np.asarray(cv2.resize(flow * usable[..., None], cells, interpolation=cv2.INTER_AREA))
    mean = total.reshape(cells[1], cells[0], 2) / np.maximum(weight, 1e-6).reshape(cells[1], cells[0], 1)
    return mean.astype(np.float16), weight.reshape(cells[1], cells[0]) > 0.5


def _grey(image: NDArray[Any]) -> NDArray[np.uint8]:
    grey = cv2.cvtColor(np.clip(image, 0, 255).astype(np.uint8), cv2.COLOR_RGB2GRAY)
    return np.asarray(grey, np.uint8)
