# SPDX-License-Identifier: GPL-3.0-or-later
"""Values over the frames of a shot: smoothed, eased, held."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .raster import Floats


def smooth(values: Floats, sigma: float) -> Floats:
    """Gaussian over frames (the first axis), zero phase; the ends are held."""
    reach = int(3 * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights /= weights.sum()
    padded = np.concatenate([values[:1].repeat(reach, 0), values, values[-1:].repeat(reach, 0)])
    return np.asarray(sum(w * padded[i : i + len(values)] for i, w in enumerate(weights)), np.float32)


def eased(values: Floats, between: tuple[float, float]) -> Floats:
    """Rise smoothly from 0 at the first bound to 1 at the second."""
    low, high = between
    t = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def held(values: Floats, margin: float) -> NDArray[np.bool_]:
    """Say True where values are above `margin`, False below its negative, else as before (at the start: as next)."""
    clear = np.where(values > margin, 1, np.where(values < -margin, -1, 0))
    known = np.flatnonzero(clear)
    if not len(known):
        return np.asarray(values > 0)
    last = np.maximum.accumulate(np.where(clear != 0, np.arange(len(values)), -1))
    return np.asarray(clear[np.where(last < 0, known[0], last)] > 0)
