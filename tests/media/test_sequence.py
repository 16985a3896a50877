# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
import pytest

from backend.media.ahead import ahead
from backend.media.sequence import Sequence, SequenceWriter

from ..painted import painted, painted_number
from ..patience import comes_true


def test_what_is_written_is_read_back_in_any_order(tmp_path: Path) -> None:
    with SequenceWriter(tmp_path, threads=3) as writer:
        for number in (3, 0, 2, 1):
            writer.write(number, painted(number))
    sequence = Sequence(tmp_path, 4)
    assert [painted_number(picture) for picture in sequence.stream()] == [0, 1, 2, 3]
    assert [painted_number(picture) for picture in sequence.stream(1, 2)] == [1, 2]
    for outside in (-1, 4):
        with pytest.raises(IndexError):
            sequence[outside]


def test_an_error_in_writing_is_never_lost(tmp_path: Path) -> None:
    (tmp_path / "000000.png").mkdir()
    with pytest.raises(OSError, match="000000"), SequenceWriter(tmp_path) as writer:
        writer.write(0, painted(0))


def test_reading_runs_ahead_but_not_far() -> None:
    made = []

    def make() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    items = ahead(make(), 4)
    assert next(items) == 0
    assert comes_true(lambda: len(made) == 5)
    time.sleep(0.05)  # in which it could run further
    assert len(made) == 5
    assert isinstance(items, Generator)
    items.close()


def test_an_error_comes_in_its_place_and_the_thread_ends() -> None:
    def make() -> Iterator[int]:
        yield 1
        yield 2
        raise OSError("gone")

    before = set(threading.enumerate())
    items = ahead(make(), 4)
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(OSError, match="gone"):
        next(items)
    assert set(threading.enumerate()) <= before


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    """A queue of frames would hold the 60 of them; what is alive is counted by a weak set."""
    alive = 0
    most = 0

    class Frame(np.ndarray):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def make() -> Iterator[np.ndarray]:
        nonlocal alive, most
        for number in range(60):
            alive += 1
            most = max(most, alive)
            yield painted(number).view(Frame)

    with SequenceWriter(tmp_path) as writer:
        for index, frame in enumerate(ahead(make(), 4)):
            writer.write(index, frame)
            del frame
    assert most <= 16
