# SPDX-License-Identifier: GPL-3.0-or-later
"""Moving weights to the device that computes, beside the computing.

A transport has two queues: copies, in the order in which they were asked for, and computing. Marks tie them together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import torch
from torch import Tensor

ALIGNED_BYTES = 256
"""Where tensors begin inside a buffer: at multiples of what kernels like."""

Sources = Callable[[], Sequence[Tensor]]
"""Gives what to copy: mapped tensors on the CPU. Called when it is its turn, on any thread."""


class Mark(Protocol):
    """A point that a queue reaches."""


class Transport(Protocol):
    """Carries bytes to a device. All calls come from one thread."""

    def reserve(self, nbytes: int) -> Tensor:
        """Take a buffer of bytes on the device, freed when nothing refers to it."""

    def copy(self, sources: Sources, into: Tensor, after: Mark | None) -> Mark:
        """Queue a copy into a buffer, one tensor after the other, once `after` is reached; the mark is its end."""

    def wait(self, mark: Mark) -> None:
        """Let what is computed from now on wait for a copy. Raises what the copy raised."""

    def mark(self) -> Mark:
        """Mark the end of all that was asked to be computed until now."""

    def drop(self, mark: Mark) -> None:
        """Give a copy up: it is not begun any more, or has ended before its buffer is used otherwise."""

    def close(self) -> None:
        """Be done. All copies were waited for or dropped."""


def aligned(nbytes: int) -> int:
    """Round a size up to where the next tensor may begin."""
    return -(-nbytes // ALIGNED_BYTES) * ALIGNED_BYTES


def fill(into: Tensor, sources: Sequence[Tensor]) -> None:
    """Lay tensors into a buffer of bytes, each at the next place where one may begin."""
    first = 0
    for source in sources:
        raw = source.contiguous().flatten().view(torch.uint8)
        into[first : first + len(raw)].copy_(raw)
        first += aligned(len(raw))


def _buffer(nbytes: int, device: torch.device) -> Tensor:
    with torch.inference_mode(False):  # else it could be written into by threads in inference mode alone
        return torch.empty(nbytes, dtype=torch.uint8, device=device)


class HostTransport:
    """For the CPU, and devices that share its memory: a copy is done when it is asked for."""

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def reserve(self, nbytes: int) -> Tensor:
        """Take a buffer of bytes."""
        return _buffer(nbytes, self.device)

    def copy(self, sources: Sources, into: Tensor, after: Mark | None) -> Mark:
        """Copy at once."""
        del after
        fill(into, sources())
        return self.mark()

    def wait(self, mark: Mark) -> None:
        """Wait for nothing."""

    def mark(self) -> Mark:
        """Mark nothing: all is done in order."""
        return object()

    def drop(self, mark: Mark) -> None:
        """Drop nothing."""

    def close(self) -> None:
        """End nothing."""


class CudaTransport:
    """For a CUDA device: a thread reads the mapped files into pinned memory, a stream of its own carries it over.

    Two pinned buffers take turns, so that the disk and the bus work at once. Nothing else is pinned: a model that was
    pinned whole would take memory that no one could swap out.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="weights")
        self._pinned = [torch.empty(0, dtype=torch.uint8) for _ in range(2)]
        self._sent: list[torch.cuda.Event | None] = [None, None]
        self._turn = 0

    def reserve(self, nbytes: int) -> Tensor:
        """Take a buffer of bytes on the device."""
        return _buffer(nbytes, self.device)

    def copy(self, sources: Sources, into: Tensor, after: Mark | None) -> Mark:
        """Queue a copy on the reader's thread."""
        return self._reader.submit(self._carry, sources, into, after)

    def wait(self, mark: Mark) -> None:
        """Let the computing stream wait for the copy's event."""
        assert isinstance(mark, Future)
        torch.cuda.current_stream(self.device).wait_event(mark.result())

    def mark(self) -> Mark:
        """Record an event on the computing stream."""
        event = torch.cuda.Event()  # type: ignore[no-untyped-call]
        event.record(torch.cuda.current_stream(self.device))
        return event

    def drop(self, mark: Mark) -> None:
        """Take the copy from the reader's list, or let the computing stream wait for its end."""
        assert isinstance(mark, Future)
        if not mark.cancel() and mark.exception() is None:
            self.wait(mark)

    def close(self) -> None:
        """End the thread and the stream."""
        self._reader.shutdown()
        self._stream.synchronize()

    def _carry(self, sources: Sources, into: Tensor, after: Mark | None) -> torch.cuda.Event:
        pinned = self._staging(len(into))
        fill(pinned, sources())
        with torch.cuda.stream(self._stream):
            if after is not None:
                assert isinstance(after, torch.cuda.Event)
                self._stream.wait_event(after)
            into.copy_(pinned[: len(into)], non_blocking=True)
            event = torch.cuda.Event()  # type: ignore[no-untyped-call]
            event.record(self._stream)
        self._sent[self._turn] = event
        return event

    def _staging(self, nbytes: int) -> Tensor:
        """Give the pinned buffer whose turn it is, once what it held last has left it."""
        self._turn = 1 - self._turn
        sent = self._sent[self._turn]
        if sent is not None:
            sent.synchronize()
        if len(self._pinned[self._turn]) < nbytes:
            self._pinned[self._turn] = torch.empty(nbytes, dtype=torch.uint8, pin_memory=True)
        return self._pinned[self._turn]
