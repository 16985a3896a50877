# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading that runs ahead of computing, on one thread of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterator[T], count: int) -> Iterator[T]:
    """Yield `items` in order while another thread makes up to `count` of the next ones.

    An error in `items` is raised where its item would have come. Items are only ever made on that one thread.
    """
    end = object()
    with ThreadPoolExecutor(1) as pool:
        waiting: deque[Future[T | object]] = deque(pool.submit(next, items, end) for _ in range(count))
        while (item := waiting.popleft().result()) is not end:
            waiting.append(pool.submit(next, items, end))
            yield item  # type: ignore[misc]  # whatever is not `end` is a T
