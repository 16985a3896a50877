# SPDX-License-Identifier: GPL-3.0-or-later
"""What a longer shot costs the Wan engine: bytes of tensors and of the process, and time, a frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from backend.engines.wan.footprint import Footprint
from backend.engines.wan.generate import Recipe
from backend.engines.wan.vae import Vae, VaeConfig
from backend.engines.wan.windows import WindowPlan, official_plan

from .bench import Bench
from .race import race, raced
from .resident import peak_bytes
from .table import Row
from .wan_small import SIZE_PX, SmallJob

_WINDOW = 9
_SHORT, _LONG, _QUICK_LONG = 2, 20, 6
"""Windows of a shot."""
_SHORT_WATCHED, _LOOKS = 5, 4
"""The system is asked how large the process is from time to time, which misses some of the peak in few windows."""
_ROUNDS, _QUICK_ROUNDS = 3, 1
_RECIPE = Recipe(steps=2)
_GOAL_TIME, _GOAL_SLOPE = 1.03, 0.5e6
_REAL_SIZE = 1280, 720


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
        lambda: _draw(job, long),
        lambda: _draw(job, short, repeats),
        _QUICK_ROUNDS if bench.is_quick else _ROUNDS,
    )
    yield raced("time of one long shot, to that of as many frames in short ones", on, times, _GOAL_TIME)
    yield _host_memory(long)


class _IdleVae(Vae):
    """Computes nothing, and gives what is as large as what the VAE gives."""

    def encode(self, frames: Tensor, strips: int = 1) -> Tensor:  # noqa: ARG002
        count, height, width = frames.shape[1:]
        return torch.zeros(16, (count - 1) // 4 + 1, height // 8, width // 8)

    def decode(self, latents: Tensor, strips: int = 1) -> Tensor:  # noqa: ARG002
        count, height, width = latents.shape[1:]
        return torch.zeros(3, 4 * count - 3, 8 * height, 8 * width)


def _host_memory(long: WindowPlan) -> Row:
    """Watch the process over shots of real size, with networks that give as much and compute little."""
    job, short = SmallJob(*_REAL_SIZE, _IdleVae(VaeConfig(dim=16))), _plan(_SHORT_WATCHED)
    job.models.transformer.forward = lambda x, *_: torch.zeros_like(x)  # type: ignore[method-assign]
    _draw(job, short)
    few, many = (max(peak_bytes(partial(_draw, job, plan)) for _ in range(_LOOKS)) for plan in (short, long))
    slope = (many - few) / (long.shot_frames - short.shot_frames)
    size = "x".join(map(str, _REAL_SIZE))
    on = f"{_SHORT_WATCHED} and {len(long.windows)} windows of {_WINDOW} frames, {size}, the loop, networks idle"
    measured = f"{slope / 1e6:.3f} MB a frame; peaks {few / 1e6:.0f} and {many / 1e6:.0f} MB"
    return Row("the process's memory for a longer shot", on, measured, "at most 0.5 MB a frame", slope <= _GOAL_SLOPE)


def _draw(job: SmallJob, plan: WindowPlan, times: int = 1) -> None:
    for _ in range(times):
        deque(job.draw(plan, _RECIPE), maxlen=0)


def _plan(windows: int) -> WindowPlan:
    return official_plan(windows * (_WINDOW - 1) + 1, 1, _WINDOW)


def _peak(job: SmallJob, plan: WindowPlan) -> int:
    with Footprint() as footprint:
        _draw(job, plan)
    peak_bytes: int = footprint.peak_bytes
    return peak_bytes
