# SPDX-License-Identifier: GPL-3.0-or-later
"""The Wan engine beside a peer: rows that need torch, and both sides of a row run in turns.

Processor seconds are counted, for the machine may have other work.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec

from backend.contract.errors import UnderstudyError

from .bench import Bench
from .table import Row


class TorchMissingError(UnderstudyError):
    """The environment has no torch, or no diffusers to compare with."""

    hint = "Run the row in the environment of the Wan engine's tests: .envs/wan/bin/python -m benchmarks ROW."

    def __init__(self) -> None:
        super().__init__("Skipped: torch and diffusers are not here.")


def with_torch(module: str) -> Callable[[Bench], Iterator[Row]]:
    """Give the rows of a module that imports torch, imported only when they are measured."""

    def measure(bench: Bench) -> Iterator[Row]:
        if not (find_spec("torch") and find_spec("diffusers")):
            raise TorchMissingError
        rows: Callable[[Bench], Iterator[Row]] = import_module(f"{__package__}.{module}").rows
        yield from rows(bench)

    return measure


def race(ours: Callable[[], object], peers: Callable[[], object], rounds: int) -> list[tuple[float, float]]:
    """Processor seconds of both, in turns, after one of each that does not count."""
    return [(seconds(ours), seconds(peers)) for _ in range(rounds + 1)][1:]


def seconds(run: Callable[[], object]) -> float:
    """Processor seconds that something takes."""
    start = time.process_time()
    run()
    return time.process_time() - start


def raced(what: str, on: str, times: list[tuple[float, float]], goal: float | None) -> Row:
    """Word the median of the ratios of ours to the peer's, with their spread."""
    ratios = [ours / peer for ours, peer in times]
    ratio = statistics.median(ratios)
    ours_s, peer_s = (statistics.median(side) for side in zip(*times, strict=True))
    measured = f"{ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f}): {ours_s:.1f} s to {peer_s:.1f} s of processor"
    return Row(what, on, measured, f"at most {goal:.2f}" if goal else "", None if goal is None else ratio <= goal)
