# SPDX-License-Identifier: GPL-3.0-or-later
"""One frame without its performers, and how far each of its new pixels can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from .fill import spread
from .geometry import mean_of_channels, pixels_of
from .ground import Ground
from .hole import grow
from .samples import Samples, View, Witnesses, agree

_RING = 0.02
"""Width, in frame heights, of the band round the hole where samples are compared with the frame itself."""
_AGREED, _APART = 6.0, 18.0
"""Spread of samples (code values of 255) up to which their median stands, and from which the nearest one does."""
_LATER = 4.0
"""Code values by which a sample must suit better to be taken before one that is nearer in time."""
_SOFT_SEAM_PX = 6.0
_MOST_CORRECTION = 24.0
_CELL_PX = 8
_INVENTED_BEST = 50.0
_LONE_ERROR = 6.0


@dataclass(frozen=True, slots=True)
class Restored:
    """plate: like the frame. confidence: `h w` uint8, 255 outside the hole. invented_percent: of the hole."""

    plate: NDArray[Any]
    confidence: NDArray[np.uint8]
    invented_percent: float


def restore(witnesses: Witnesses, ground: Ground, view: View, frame: NDArray[Any], hole: NDArray[np.bool_]) -> Restored:
    """Replace a frame's hole (`h w`) by the set behind it; every other pixel keeps its bits."""
    if not hole.any():
        return Restored(frame, np.full(hole.shape, 255, np.uint8), 0.0)
    full = float(np.iinfo(frame.dtype).max)
    band = grow(hole, max(4.0, _RING * len(hole)))
    rows, columns, points = pixels_of(band)
    samples = witnesses.ask(view, points)
    consensus = agree(samples)
    canvas = _Canvas(rows, columns)
    seen = samples.count > 0
    within = hole[rows, columns]
    unit = np.float32(255 / full)
    doubt = canvas.blur(consensus.spread * unit, len(hole) / 120)
    alone = np.clip((doubt - _AGREED) / (_APART - _AGREED), 0, 1)[:, None]
    colour = consensus.agreed
    differing = np.flatnonzero(alone)
    if len(differing):
        expected = canvas.continued(
            np.where(within[:, None], colour, frame[rows, columns]), ~within | (doubt < _AGREED)
        )
        part = _Canvas(rows[differing], columns[differing])
        whole = _whole(part, samples.of(differing), expected[differing], unit, len(hole))
        colour[differing] += (whole - colour[differing]) * alone[differing]
    trust = np.clip(canvas.depth(seen) / _SOFT_SEAM_PX, 0, 1)[:, None]
    colour = colour * trust + ground.read(view, points, witnesses.shift) * (1 - trust)
    difference = (frame[rows, columns].astype(np.float32) - colour) * unit
    correction, misfit = canvas.seam(difference, ~within & seen)
    plate = frame.copy()
    new = np.rint(colour + correction / unit)[within]
    plate[hole] = np.clip(new, 0, full).astype(frame.dtype)
    error = np.where(samples.count > 1, consensus.spread * unit, _LONE_ERROR + consensus.spread)
    confidence = np.full(hole.shape, 255, np.uint8)
    trusted = _confidence(error + 0.5 * misfit, samples.age, seen, canvas.depth(~seen) / len(hole))
    confidence[hole] = trusted[within]
    return Restored(plate, confidence, 100.0 * float(np.count_nonzero(~seen & within) / np.count_nonzero(within)))


def _whole(
    canvas: _Canvas, samples: Samples, expected: NDArray[np.float32], unit: np.float32, height: int
) -> NDArray[np.float32]:
    """Choose one sample per pixel, neighbours alike: what suits the surroundings, else the nearest in time.

    A ball that flies through does not suit the lawn round it; leaves suit leaves, whenever they were filmed.
    """
    best = np.full(len(expected), np.inf, np.float32)
    chosen = expected.copy()
    for place, colours in enumerate(samples.colours):
        valid = samples.count > place
        if not valid.any():
            break
        away = np.where(valid, mean_of_channels(np.abs(colours - expected)) * unit, 255)
        cost = canvas.blur(away, height / 90) + _LATER * place
        better = valid & (cost < best)
        best[better], chosen[better] = cost[better], colours[better]
    return chosen


def _confidence(
    error: NDArray[Any], age: NDArray[Any], seen: NDArray[np.bool_], deep: NDArray[Any]
) -> NDArray[np.uint8]:
    """Turn expected error (code values of 255) into trust: 50 and less, the deeper the less, for what is invented."""
    old = 1 + 0.5 * np.minimum(np.where(seen, age, 0) / 48, 1)
    known = _INVENTED_BEST + (250 - _INVENTED_BEST) * np.exp(-error * old / 20)
    invented = _INVENTED_BEST * np.exp(-deep / 0.08)
    return cast(NDArray[np.uint8], np.rint(np.where(seen, known, invented)).astype(np.uint8))


class _Canvas:
    """Lists of pixels drawn as a picture and back, cut to the pixels' box."""

    def __init__(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> None:
        self._rows, self._columns = rows - rows.min(), columns - columns.min()
        self._size = (int(self._rows.max()) + 1, int(self._columns.max()) + 1)

    def draw(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Draw values `n` or `n c`, 0 elsewhere."""
        picture = np.zeros((*self._size, *values.shape[1:]), np.float32)
        picture[self._rows, self._columns] = values
        return picture

    def read(self, picture: NDArray[Any]) -> NDArray[np.float32]:
        """List a picture's values at the pixels."""
        return cast(NDArray[np.float32], picture[self._rows, self._columns])

    def blur(self, values: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
        """Average over neighbours among the pixels."""
        sigma = max(0.8, sigma_px)
        ones = np.ones(len(values), np.float32)
        total = cv2.GaussianBlur(self.draw(values), (0, 0), sigma)
        return self.read(total) / self.read(cv2.GaussianBlur(self.draw(ones), (0, 0), sigma))

    def continued(self, values: NDArray[Any], known: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Continue the known pixels' values smoothly over the others."""
        return self.read(self._spread(values.astype(np.float32), known))

    def depth(self, inside: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Tell how far each pixel lies inside a set of pixels, 0 outside it."""
        outside = self.draw(~inside) > 0
        if not outside.any():
            return np.full(len(inside), 1e6, np.float32)
        picture = (~outside).astype(np.uint8)
        return self.read(cv2.distanceTransform(picture, cv2.DIST_L2, 3)) * inside

    def seam(
        self, difference: NDArray[np.float32], known: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Spread the difference found on the band into the hole: what to add `n 3`, and what then still misfits `n`.

        The correction is smooth: light that changed, not detail.
        """
        usable = known & (mean_of_channels(np.abs(difference)) < _MOST_CORRECTION)
        if not usable.any():
            return np.zeros_like(difference), np.zeros(len(difference), np.float32)
        correction = self.read(self._spread(difference, usable))
        left = mean_of_channels(np.abs(difference - correction))[:, None]
        return correction, self.read(self._spread(left, known))[:, 0]

    def _spread(self, values: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.float32]:
        height, width = self._size
        size = (-(-width // _CELL_PX), -(-height // _CELL_PX))
        weight = self.draw(known)
        area = cv2.INTER_AREA
        small_weight = np.asarray(cv2.resize(weight, size, interpolation=area)).reshape(size[1], size[0])
        total = np.asarray(cv2.resize(self.draw(values * known[:, None]), size, interpolation=area), np.float32)
        mean = total.reshape(size[1], size[0], -1) / np.maximum(small_weight, 1e-6)[..., None]
        smooth = spread(mean, small_weight > 0.05)
        blurred = cv2.GaussianBlur(smooth, (0, 0), 2.0)
        return np.asarray(cv2.resize(blurred, (width, height)), np.float32).reshape(height, width, -1)
