# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames a second as an exact fraction, and whether frames are evenly spaced at all."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

STANDARD_RATES = tuple(
    Fraction(*rate)
    for rate in ((24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (48, 1), (50, 1), (60000, 1001), (60, 1))
)

_LARGEST_DENOMINATOR = 1001


def rate_of(stamps: NDArray[np.int64], tick_s: Fraction, declared: Iterable[Fraction | None]) -> tuple[Fraction, bool]:
    """Say the rate of frames shown at `stamps` (ticks, rising), and whether they are evenly spaced.

    The first of the declared rates, then of the standard ones, that puts each frame within one tick of its stamp is
    the rate: a container that counts milliseconds shows 24000/1001 as 42, 41, 42. If none fits, the average.
    """
    known = [rate for rate in declared if rate]
    for rate in (*known, *STANDARD_RATES):
        if _fits(stamps, tick_s, rate):
            return rate, True
    if len(stamps) < 2:
        return (known or [Fraction(24)])[0], True
    average = (len(stamps) - 1) / (Fraction(int(stamps[-1] - stamps[0])) * tick_s)
    return average.limit_denominator(_LARGEST_DENOMINATOR), False


def _fits(stamps: NDArray[np.int64], tick_s: Fraction, rate: Fraction) -> bool:
    """Whether one and the same start puts all frames within one tick either way (half a tick of rounding each)."""
    ticks_per_frame = float(1 / (rate * tick_s))
    drift = stamps - stamps[0] - np.arange(len(stamps)) * ticks_per_frame
    return float(np.ptp(drift)) <= 1.0 + 1e-6
