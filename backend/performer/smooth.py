# SPDX-License-Identifier: GPL-3.0-or-later
"""Zero-phase smoothing of tracks: the clip is there as a whole, so nothing needs to lag as a live filter does.

A parabola is fitted to each frame's neighbourhood (Savitzky and Golay 1964, with Gaussian weights), so that what moves
at a steady speed or acceleration, a fast hand too, is not flattened as it is by a mean.
"""

from __future__ import annotations

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


def smoothed(track: Track, valid: NDArray[np.bool_]) -> Track:
    """Drop jumps of a single frame and smooth along frames.

    valid: `f`. Each run of valid frames is smoothed by itself; other frames are returned as they are.
    """
    result = track.copy()
    for first, last in runs(valid):
        result[first : last + 1] = _fitted(without_jumps(track[first : last + 1]))
    return result


def without_jumps(track: Track) -> Track:
    """Replace points that leave for one frame and come back by what their neighbours in time foretell (a cubic)."""
    if len(track) < 5:
        return track
    foretold = (4 * (track[1:-3] + track[3:-1]) - track[:-4] - track[4:]) / 6
    off = np.linalg.norm((track[2:-2] - foretold)[..., :2], axis=-1)
    size = float(np.median(np.linalg.norm(np.ptp(track[..., :2], axis=1), axis=-1)))
    jumps = (off > _LEAST_JUMP * size) & (off > _JUMP * np.median(off, axis=0)) & (off >= _neighbouring(off))
    result = track.copy()
    result[2:-2][jumps] = foretold[jumps]
    return result


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
