# SPDX-License-Identifier: GPL-3.0-or-later
"""Run generators side by side, each in a thread of its own: mediapipe lets go of Python while it computes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Step = TypeVar("Step")


def abreast(walks: Sequence[Iterator[Step]]) -> Iterator[list[Step]]:
    """Yield the next step of every walk that has one, until all are at their ends. What a walk raises is raised here.

    Steps are taken one by one, so that the caller can report progress and stop between them.
    """
    walks = list(walks)
    with ThreadPoolExecutor(max(len(walks), 1)) as pool:
        while steps := [step for step in pool.map(_next, walks) if step]:
            yield [step[0] for step in steps]


def _next(walk: Iterator[Step]) -> tuple[Step] | None:
    """Wrap the step, so that a None of the walk's own is not its end."""
    for step in walk:
        return (step,)
    return None
