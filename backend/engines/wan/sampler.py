# SPDX-License-Identifier: GPL-3.0-or-later
"""From noise to latents: the time steps, the two solvers of the flow, and guidance.

Flow matching: `x = (1 - sigma) x0 + sigma noise`; the model gives the velocity `noise - x0`, so `x0` is
`x - sigma velocity`. Both solvers are second order in `x0` over the log signal-to-noise ratio (Lu et al. 2022,
DPM-Solver++ 2M; Zhao et al. 2023, UniPC with B2(h)). A solver lives for one window and draws no random numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

_LARGEST_SIGMA = {"unipc": float(np.float32(0.999)), "dpmpp": 1.0}
"""Where the noise begins: UniPC takes its range from a table of a thousand training steps, whose first is 0.999."""


class SolverName(StrEnum):
    """The official system's command line takes UniPC, its Python interface DPM++."""

    UNIPC = "unipc"
    DPMPP = "dpmpp"


@dataclass(frozen=True, slots=True)
class Grid:
    """sigmas: n + 1 falling noise levels, float32 values, the last 0. timesteps: what the model is told, n, 0..1000."""

    sigmas: tuple[float, ...]
    timesteps: tuple[int, ...]


class Solver(Protocol):
    """One window's way from noise to latents."""

    def step(self, velocity: Tensor, x: Tensor) -> Tensor:
        """Go on by one step: from the model's velocity at `x`, both float32, to the next `x`."""


def grid(solver: SolverName, steps: int, shift: float) -> Grid:
    """Lay `steps` steps; a larger `shift` spends more of them where there is much noise."""
    base = np.linspace(_LARGEST_SIGMA[solver], 0.0, steps + 1)[:-1]
    sigmas = shift * base / (1 + (shift - 1) * base)
    return Grid((*map(float, sigmas.astype(np.float32)), 0.0), tuple(int(sigma * 1000) for sigma in sigmas))


def guided(conditional: Tensor, unconditional: Tensor, scale: float) -> Tensor:
    """Move away from the unconditional velocity; a scale of 1 gives the conditional one. Ho and Salimans 2022."""
    return unconditional + scale * (conditional - unconditional)


def solver_for(name: SolverName, steps: Grid) -> Solver:
    """Start a solver anew, as each window does."""
    return _SOLVERS[name](steps)


class DpmPlusPlus:
    """DPM-Solver++ 2M, midpoint; its first and last step are of first order."""

    def __init__(self, steps: Grid) -> None:
        self._levels = _Levels(steps)
        self._index = 0
        self._last_x0: Tensor | None = None

    def step(self, velocity: Tensor, x: Tensor) -> Tensor:
        """See Solver."""
        levels, i = self._levels, self._index
        x0 = x - levels.sigma[i] * velocity
        h = levels.h(i)
        gain = levels.alpha[i + 1] * (torch.exp(-h) - 1)
        result = levels.sigma[i + 1] / levels.sigma[i] * x - gain * x0
        if self._last_x0 is not None and torch.isfinite(h):
            result = result - 0.5 * gain * (h / levels.h(i - 1)) * (x0 - self._last_x0)
        self._last_x0, self._index = x0, i + 1
        return result


class UniPC:
    """UniPC of second order with B2(h): each step is a prediction, and is corrected when the next velocity is known."""

    def __init__(self, steps: Grid) -> None:
        self._levels = _Levels(steps)
        self._index = 0
        self._x0s: tuple[Tensor, ...] = ()
        self._before = Tensor()
        self._order = 0

    def step(self, velocity: Tensor, x: Tensor) -> Tensor:
        """See Solver."""
        x0 = x - self._levels.sigma[self._index] * velocity
        self._before = self._corrected(x0) if self._index else x
        self._x0s = (*self._x0s[-1:], x0)
        self._order = min(2, len(self._levels.sigma) - 1 - self._index, self._index + 1)
        self._index += 1
        return self._predicted()

    def _predicted(self) -> Tensor:
        i = self._index - 1
        result, gain = self._first_order(i)
        if self._order == 1:
            return result
        return result - 0.5 * gain * self._slope(self._levels.h(i - 1) / self._levels.h(i))

    def _corrected(self, x0: Tensor) -> Tensor:
        """Redo the last step now that `x0` at its end is known."""
        i = self._index - 1
        result, gain = self._first_order(i)
        news = x0 - self._x0s[-1]
        if self._order == 1:
            return result - gain * (0.5 * news)
        h = self._levels.h(i)
        ratio = self._levels.h(i - 1) / h
        earlier, newer = _second_order_weights(-h, ratio)
        return result - gain * (earlier * self._slope(ratio) + newer * news)

    def _first_order(self, i: int) -> tuple[Tensor, Tensor]:
        """Give where step `i` leads if `x0` stays what it was at its start, and the weight of what it changes by."""
        levels = self._levels
        gain = levels.alpha[i + 1] * torch.expm1(-levels.h(i))
        return levels.sigma[i + 1] / levels.sigma[i] * self._before - gain * self._x0s[-1], gain

    def _slope(self, ratio: Tensor) -> Tensor:
        """How `x0` changed over the step before, `ratio` times as long as this one, for a step of this length."""
        before, now = self._x0s
        return (now - before) / ratio


class _Levels:
    """Noise levels as float32 scalars, as the official solvers hold them: they round, and we with them.

    Pure noise and a clean end have infinite log ratios; steps that touch them are of first order, and come out finite.
    """

    def __init__(self, steps: Grid) -> None:
        self.sigma = torch.tensor(steps.sigmas)
        self.alpha = 1 - self.sigma
        self._log_snr = torch.log(self.alpha) - torch.log(self.sigma)

    def h(self, i: int) -> Tensor:
        """Half the rise of the log signal-to-noise ratio in step `i`."""
        return self._log_snr[i + 1] - self._log_snr[i]


def _second_order_weights(hh: Tensor, ratio: Tensor) -> tuple[Tensor, Tensor]:
    """Weigh the earlier and the new difference so that polynomials of second degree are integrated exactly."""
    phi = torch.expm1(hh)
    first = (phi / hh - 1) / phi
    second = 2 * ((phi / hh - 1) / hh - 0.5) / phi
    earlier = (first - second) / (1 + ratio)
    return earlier, first - earlier


_SOLVERS: dict[SolverName, Callable[[Grid], Solver]] = {SolverName.UNIPC: UniPC, SolverName.DPMPP: DpmPlusPlus}
