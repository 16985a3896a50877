# SPDX-License-Identifier: GPL-3.0-or-later
"""Walks side by side."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event

import pytest

from backend.performer.abreast import abreast

WAIT_S = 60


def test_every_step_of_every_walk_is_taken_once_and_each_walk_in_order() -> None:
    steps = list(abreast([iter(range(7)), iter(range(10, 13)), iter(())]))
    assert sorted(steps) == [0, 1, 2, 3, 4, 5, 6, 10, 11, 12]
    assert [step for step in steps if step < 10] == list(range(7))


def test_a_quick_walk_does_not_wait_for_a_slow_one() -> None:
    is_over = Event()

    def slow() -> Iterator[str]:
        yield "late" if is_over.wait(WAIT_S) else "never"

    def quick() -> Iterator[str]:
        yield from "abc"
        is_over.set()

    assert list(abreast([slow(), quick()])) == ["a", "b", "c", "late"]


def test_what_a_walk_raises_is_raised_here() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise KeyError

    with pytest.raises(KeyError):
        list(abreast([broken(), iter(range(3))]))
