# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbered PNG sequences between stages: random access for reading, and a writer that encodes beside the work."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from .ahead import ahead
from .images import Pixels, read_picture, write_picture

_AHEAD_FRAMES = 4
_PENDING_PER_THREAD = 4


def frame_name(index: int) -> str:
    """File name of a stage's frame; `index` counts from 0 within the shot."""
    return f"{index:06d}.png"


@dataclass(frozen=True, slots=True)
class Sequence:
    """`count` pictures of one size in `folder`, numbered from 0. Nothing is held in memory."""

    folder: Path
    count: int

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Pixels:
        if not 0 <= index < self.count:
            raise IndexError(index)
        return read_picture(self.folder / frame_name(index))

    def stream(self, first: int = 0, last: int | None = None) -> Iterator[Pixels]:
        """Yield frames first..last (inclusive) in order, reading a few ahead on another thread."""
        end = self.count if last is None else last + 1
        return ahead((self[index] for index in range(first, end)), _AHEAD_FRAMES)


class SequenceWriter:
    """Writes pictures by index into a folder while the caller computes the next. Use as a context manager.

    An encoding or disk error of an earlier frame is raised by a later `write` or at the end, never lost.
    """

    def __init__(self, folder: Path, threads: int = 1) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._pool = ThreadPoolExecutor(threads)
        self._pending: deque[Future[None]] = deque()
        self._most_pending = _PENDING_PER_THREAD * threads

    def write(self, index: int, image: Pixels) -> None:
        """Queue a picture; the array must not be changed afterwards."""
        self.write_as(frame_name(index), image)

    def write_as(self, name: str, image: Pixels) -> None:
        """Queue a picture under a file name of its own."""
        self._pending.append(self._pool.submit(write_picture, self._folder / name, image))
        while len(self._pending) > self._most_pending:
            self._pending.popleft().result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                while self._pending:
                    self._pending.popleft().result()
        finally:
            self._pool.shutdown(wait=True, cancel_futures=kind is not None)
