# SPDX-License-Identifier: GPL-3.0-or-later
"""A device that only simulates: its clock, its bus, its memory."""

from __future__ import annotations

import weakref
from collections import deque
from dataclasses import dataclass, field

import torch
from torch import Tensor

from backend.engines.wan.transport import Mark, Sources, fill


@dataclass(frozen=True)
class Reached:
    """A point of simulated time."""

    time_s: float
    number: int
    tick: int = 0


@dataclass
class SimulatedDevice:
    """Copies at a set rate and computes for as long as it is told; what is copied is garbage until it is waited for.

    It refuses more memory than its budget, and a copy into a buffer that may still be computed with: only after a mark
    that was made since what lay there was waited for. Where it is `empty`, its memory holds nothing, so that sizes may
    be real.
    """

    bytes_per_s: float
    budget_bytes: int
    empty: bool = False
    computed_s: float = 0.0
    carried_s: float = 0.0
    live_bytes: int = 0
    peak_bytes: int = 0
    waiting: deque[tuple[int, Sources, Tensor]] = field(default_factory=deque)
    copies: int = 0
    closed: bool = False
    ticks: int = 0
    into: dict[int, int] = field(default_factory=dict)
    in_use: dict[int, int] = field(default_factory=dict)

    def reserve(self, nbytes: int) -> Tensor:
        self.live_bytes += nbytes
        self.peak_bytes = max(self.peak_bytes, self.live_bytes)
        assert self.live_bytes <= self.budget_bytes
        buffer = torch.empty(nbytes, dtype=torch.uint8, device="meta" if self.empty else "cpu")
        weakref.finalize(buffer, self._freed, nbytes, _buffer(buffer))
        return buffer

    def _freed(self, nbytes: int, buffer: int) -> None:
        self.live_bytes -= nbytes
        self.in_use.pop(buffer, None)

    def copy(self, sources: Sources, into: Tensor, after: Mark | None) -> Mark:
        used = self.in_use.get(_buffer(into))
        assert used is None or (isinstance(after, Reached) and after.tick > used), "it may still be computed with"
        begin_s = max(self.carried_s, self.computed_s, after.time_s if isinstance(after, Reached) else 0.0)
        self.carried_s = begin_s + len(into) / self.bytes_per_s
        self.copies += 1
        self.into[self.copies] = _buffer(into)
        if not self.empty:
            into.fill_(0xFF)
            self.waiting.append((self.copies, sources, into))
        return Reached(self.carried_s, self.copies)

    def wait(self, mark: Mark) -> None:
        assert isinstance(mark, Reached)
        self.computed_s = max(self.computed_s, mark.time_s)
        self.ticks += 1
        self.in_use[self.into[mark.number]] = self.ticks
        while self.waiting and self.waiting[0][0] <= mark.number:
            _, sources, into = self.waiting.popleft()
            fill(into, sources())

    def mark(self) -> Mark:
        self.ticks += 1
        return Reached(self.computed_s, 0, self.ticks)

    def drop(self, mark: Mark) -> None:
        assert isinstance(mark, Reached)
        self.waiting = deque(copy for copy in self.waiting if copy[0] != mark.number)

    def close(self) -> None:
        self.closed = True


def _buffer(tensor: Tensor) -> int:
    """Name the buffer that a tensor is a part of."""
    return tensor.untyped_storage()._cdata
