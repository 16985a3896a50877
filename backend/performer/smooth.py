# SPDX-License-Identifier: GPL-3.0-or-later
"""Zero-phase smoothing of tracks: the clip is there as a whole, so nothing needs to lag as a live filter does.

A parabola is fitted to each frame's neighbourhood (Savitzky and Golay 1964, with Gaussian weights), so that what moves
at a steady speed or acceleration, a fast hand too, is not flattened as it is by a mean. Feet that stand are calmed
further: see `standing`.
"""

from __future__ import annotations

from collections.abc import Sequence as Many
from functools import cache

import numpy as np
from numpy.typing import NDArray

Track = NDArray[np.float32]
"""`f n c`: points over frames, `c` 2 or more coordinates of which the first two are x and y in pixels."""

SIGMA_FRAMES = 1.2
REACH_FRAMES = 3

_JUMP = 5.0
"""A point is a jump if it lies so many times farther off than it does in most frames."""

_LEAST_JUMP = 0.05
"""Nothing nearer than this, in sizes of the whole, is a jump: no hand turns back so fast within a frame."""

_STAND_FRAMES = 11
"""Over so many frames a foot is held to a straight line: longer than trackers waver, shorter than a stand."""

_STAND_NOISE = 0.004
"""How far, in sizes of the whole, trackers waver about a foot that stands."""

_LEAST_STANDING = 0.02
"""Trust in the lines at which they count as much as the parabola."""


def smoothed(track: Track, valid: NDArray[np.bool_], feet: Many[tuple[int, ...]] = ()) -> Track:
    """Drop jumps of a single frame and smooth along frames.

    valid: `f`. Each run of valid frames is smoothed by itself; other frames are returned as they are.
    feet: the points of each foot, to be held where it stands.
    """
    result = track.copy()
    for first, last in runs(valid):
        steady = without_jumps(track[first : last + 1])
        fitted = _fitted(steady)
        for foot in feet:
            points = list(foot)
            fitted[:, points] = standing(steady[:, points], fitted[:, points], _size(steady))
        result[first : last + 1] = fitted
    return result


def standing(foot: Track, fitted: Track, size_px: float) -> Track:
    """Hold a foot to a line in time while it stands, and leave it as `fitted` while it moves: `f n c`.

    A camera that pans makes a standing foot drift evenly, so straight lines are fitted to every stretch of some frames.
    A frame takes the mean of those that hold it, each by how well it fits: near a step's start only those before count,
    and from where the foot leaves its line, none.
    """
    if len(foot) < _STAND_FRAMES:
        return fitted
    line, sureness = _line()
    parts, fits = (np.lib.stride_tricks.sliding_window_view(x, _STAND_FRAMES, axis=0) for x in (foot, fitted))
    lines = parts @ line
    noise_px = _STAND_NOISE * size_px
    wavers = np.square((parts - lines)[..., :2, :]).sum(2).mean((1, 2)) / noise_px**2
    leaves = np.square((fits - lines)[..., :2, :].mean(1)).sum(1) / (2 * noise_px) ** 2
    trust = np.exp(-0.5 * (wavers[:, None] + leaves)) * sureness
    total, weighted = np.full(len(foot), _LEAST_STANDING), _LEAST_STANDING * fitted.astype(np.float64)
    for offset in range(_STAND_FRAMES):
        stretch = slice(offset, offset + len(parts))
        total[stretch] += trust[:, offset]
        weighted[stretch] += trust[:, offset, None, None] * lines[..., offset]
    return np.asarray(weighted / total[:, None, None], np.float32)


@cache
def _line() -> tuple[Track, NDArray[np.float64]]:
    """Give the matrix that fits a line to a stretch's values, and how sure the line is at each of its frames, 0..1."""
    powers = np.vander(np.linspace(-1, 1, _STAND_FRAMES), 2)
    fit = powers @ np.linalg.pinv(powers)
    sureness = fit.diagonal().min() / fit.diagonal()
    return fit.T.astype(np.float32), sureness


def without_jumps(track: Track) -> Track:
    """Replace points that leave for one frame and come back by what their neighbours in time foretell (a cubic)."""
    if len(track) < 5:
        return track
    foretold = (4 * (track[1:-3] + track[3:-1]) - track[:-4] - track[4:]) / 6
    off = np.linalg.norm((track[2:-2] - foretold)[..., :2], axis=-1)
    jumps = (off > _LEAST_JUMP * _size(track)) & (off > _JUMP * np.median(off, axis=0)) & (off >= _neighbouring(off))
    result = track.copy()
    result[2:-2][jumps] = foretold[jumps]
    return result


def _size(track: Track) -> float:
    """Give the diagonal of the box round the points, in pixels, as it is in most frames."""
    return float(np.median(np.linalg.norm(np.ptp(track[..., :2], axis=1), axis=-1)))


def _neighbouring(off: Track) -> Track:
    """Give the larger value of the frames before and after: a jump disturbs what is foretold of them too."""
    padded = np.pad(off, [(1, 1), (0, 0)])
    return np.asarray(np.maximum(padded[:-2], padded[2:]), np.float32)


def runs(valid: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Give the first and last frame, inclusive, of each run of true values."""
    edges = np.diff(np.concatenate([[False], valid, [False]]).astype(np.int8))
    return list(zip(np.flatnonzero(edges == 1).tolist(), (np.flatnonzero(edges == -1) - 1).tolist(), strict=True))


def _fitted(track: Track) -> Track:
    result = np.empty_like(track)
    for frame in range(len(track)):
        before, after = min(frame, REACH_FRAMES), min(len(track) - 1 - frame, REACH_FRAMES)
        result[frame] = np.tensordot(_weights(before, after), track[frame - before : frame + after + 1], 1)
    return result


@cache
def _weights(before: int, after: int) -> Track:
    """Give each neighbour's part in the fitted parabola's value at the frame itself; one-sided at a run's ends."""
    offsets = np.arange(-before, after + 1)
    importance = np.exp(-0.5 * np.square(offsets / SIGMA_FRAMES))
    powers = np.vander(offsets, min(3, before + after + 1), increasing=True)
    weighted = (powers * importance[:, None]).T
    return np.asarray(np.linalg.solve(weighted @ powers, weighted)[0], np.float32)
