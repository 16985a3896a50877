# SPDX-License-Identifier: GPL-3.0-or-later
"""Zero-phase smoothing of tracks: the clip is there as a whole, so nothing needs to lag as a live filter does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Track = NDArray[np.float32]
"""`f ...`: anything over frames."""

SIGMA_FRAMES = 1.0
_REACH_FRAMES = 3


def smoothed(track: Track, valid: NDArray[np.bool_]) -> Track:
    """Smooth along frames by a median of 3, which drops single jumps, and a Gaussian.

    valid: `f`. Each run of valid frames is smoothed by itself; other frames are returned as they are.
    """
    result = track.copy()
    for first, last in runs(valid):
        result[first : last + 1] = _gaussian(_median3(track[first : last + 1]))
    return result


def runs(valid: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Give the first and last frame, inclusive, of each run of true values."""
    edges = np.diff(np.concatenate([[False], valid, [False]]).astype(np.int8))
    return list(zip(np.flatnonzero(edges == 1).tolist(), (np.flatnonzero(edges == -1) - 1).tolist(), strict=True))


def _median3(track: Track) -> Track:
    if len(track) < 3:
        return track
    result = track.copy()
    result[1:-1] = np.median(np.stack([track[:-2], track[1:-1], track[2:]]), axis=0)
    return result


def _gaussian(track: Track) -> Track:
    """Convolve with a Gaussian; the ends are continued by point reflection, so that a steady motion stays steady."""
    reach = min(_REACH_FRAMES, len(track) - 1)
    if reach < 1:
        return track
    before, after = 2 * track[:1] - track[reach:0:-1], 2 * track[-1:] - track[-2 : -2 - reach : -1]
    padded = np.concatenate([before, track, after]).astype(np.float64)
    offsets = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * np.square(offsets / SIGMA_FRAMES))
    weights /= weights.sum()
    parts = [
        weight * padded[reach + step : reach + step + len(track)] for step, weight in zip(offsets, weights, strict=True)
    ]
    return np.asarray(np.sum(parts, axis=0), np.float32)
