# SPDX-License-Identifier: GPL-3.0-or-later
"""Set up all that the benchmarks need, and run them."""

from __future__ import annotations

from .children import run_child
from .environments import BPY45, WORKER, make
from .networks import make_networks


def run_benchmarks(arguments: list[str]) -> int:
    """Make the environments and run `python -m benchmarks`; return its exit code. Raises SetUpError."""
    make(WORKER)
    make(BPY45)
    make_networks()
    return run_child([str(WORKER.interpreter), "-m", "benchmarks", *arguments])
