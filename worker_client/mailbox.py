# SPDX-License-Identifier: GPL-3.0-or-later
"""Events on their way from a reading thread to Blender's main thread."""

from __future__ import annotations

import threading
from collections import deque

from ..backend.contract.events import Event, FramesDone, PictureShown, StepsDone

_PROGRESS = (FramesDone, StepsDone, PictureShown)


class Mailbox:
    """Keeps events in order. Progress that nobody has read yet is replaced by newer, so that a flood stays small.

    The reader takes what there is in one go, for whoever takes a lock again and again waits for the writer each time.
    """

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._taken: deque[Event] = deque()
        self._lock = threading.Lock()

    def put(self, event: Event) -> None:
        """Add an event; any thread may."""
        with self._lock:
            last = self._events[-1] if self._events else None
            if isinstance(event, _PROGRESS) and type(last) is type(event) and last.stage == event.stage:
                self._events.pop()
            self._events.append(event)

    def take_or_none(self) -> Event | None:
        """Take the oldest event; one thread only may."""
        if not self._taken:
            with self._lock:
                self._taken, self._events = self._events, deque()
        return self._taken.popleft() if self._taken else None

    def __len__(self) -> int:
        return len(self._events) + len(self._taken)
