# SPDX-License-Identifier: GPL-3.0-or-later
"""Run generators side by side, each in a thread of its own: mediapipe lets go of Python while it computes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import TypeVar

Step = TypeVar("Step")


def abreast(walks: Sequence[Iterator[Step]]) -> Iterator[Step]:
    """Yield the steps of all walks as they are taken, until all are at their ends. What a walk raises is raised here.

    Steps are taken one by one, so that the caller can report progress and stop between them; no walk waits for another.
    """
    with ThreadPoolExecutor(max(len(walks), 1)) as pool:
        taken = {pool.submit(_next, walk): walk for walk in walks}
        while taken:
            for future in wait(taken, return_when=FIRST_COMPLETED).done:
                walk, step = taken.pop(future), future.result()
                if step:
                    taken[pool.submit(_next, walk)] = walk
                    yield step[0]


def _next(walk: Iterator[Step]) -> tuple[Step] | None:
    """Wrap the step, so that a None of the walk's own is not its end."""
    for step in walk:
        return (step,)
    return None
