# SPDX-License-Identifier: GPL-3.0-or-later
"""What a longer shot costs the Wan engine: bytes of tensors and of the process, and time, a frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import torch

from backend.engines.wan.footprint import Footprint
from backend.engines.wan.generate import Recipe
from backend.engines.wan.windows import WindowPlan, official_plan

from .bench import Bench
from .race import race, raced
from .table import Row
from .wan_small import SIZE_PX, SmallJob

_WINDOW = 9
_SHORT, _LONG, _QUICK_LONG = 2, 20, 6
"""Windows of a shot."""
_ROUNDS, _QUICK_ROUNDS = 3, 1
_RECIPE = Recipe(steps=2)
_GOAL_TIME = 1.03


def rows(bench: Bench) -> Iterator[Row]:
    """Yield rows: the peak of all tensors of a short and of a long shot, and their time a frame."""
    torch.set_num_threads(1)  # idle threads wait in a loop, which would count
    job, long = SmallJob(), _plan(_QUICK_LONG if bench.is_quick else _LONG)
    short = _plan(_SHORT)
    on = f"{_SHORT} and {len(long.windows)} windows of {_WINDOW} frames, {SIZE_PX}x{SIZE_PX}, small networks"
    few, many = (_peak(job, plan) for plan in (short, long))
    slope = (many - few) / (long.shot_frames - short.shot_frames)
    measured = f"{slope:.0f} bytes a frame; peaks {few / 1e6:.2f} and {many / 1e6:.2f} MB"
    yield Row("device memory of a longer shot, all tensors counted", on, measured, "0 a frame", slope <= 0)
    repeats = long.generated_frames // short.generated_frames
    times = race(
        lambda: deque(job.draw(long, _RECIPE), maxlen=0),
        lambda: [deque(job.draw(short, _RECIPE), maxlen=0) for _ in range(repeats)],
        _QUICK_ROUNDS if bench.is_quick else _ROUNDS,
    )
    yield raced("time of one long shot, to that of as many frames in short ones", on, times, _GOAL_TIME)


def _plan(windows: int) -> WindowPlan:
    return official_plan(windows * (_WINDOW - 1) + 1, 1, _WINDOW)


def _peak(job: SmallJob, plan: WindowPlan) -> int:
    with Footprint() as footprint:
        deque(job.draw(plan, _RECIPE), maxlen=0)
    peak_bytes: int = footprint.peak_bytes
    return peak_bytes
