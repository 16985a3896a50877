# SPDX-License-Identifier: GPL-3.0-or-later
"""How long work tells how far it is and learns that it should stop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol


class Watch(Protocol):
    """Handed to every piece of long work. Call `frames_done` after each frame: it is cheap."""

    def frames_done(self, done_frames: int, total_frames: int) -> None:
        """Tell progress. Raises StoppedError when the job was asked to stop."""

    def steps_done(self, done_steps: int, total_steps: int) -> None:
        """Tell progress of work whose frames all come out together at its end. Raises StoppedError likewise."""

    def check_stop(self) -> None:
        """Raise StoppedError when the job was asked to stop; for the middle of a long step."""

    def show(self, frame: int, write: Callable[[Path], None]) -> None:
        """Offer a picture of how a frame of the shot, counted from 0, comes out. Cheap: it is seldom taken.

        write: puts the picture into a PNG of that path; called when it is taken.
        """

    def notice(self, code: str, text: str) -> None:
        """Tell the artist something that the result alone does not show (a fault foreseen, a part missing).

        code: a stable snake_case name for programs; text: a sentence for people, with what to do.
        """


class Unwatched:
    """A watch that nobody reads, for single frames and tests."""

    def frames_done(self, done_frames: int, total_frames: int) -> None:
        """Ignore progress."""

    def steps_done(self, done_steps: int, total_steps: int) -> None:
        """Ignore progress."""

    def check_stop(self) -> None:
        """Never stop."""

    def show(self, frame: int, write: Callable[[Path], None]) -> None:
        """Take no picture."""

    def notice(self, code: str, text: str) -> None:
        """Ignore notices."""


class PassingOn:
    """A watch that hands everything to another; what a subclass says otherwise is its purpose."""

    def __init__(self, inner: Watch) -> None:
        self.inner = inner

    def frames_done(self, done_frames: int, total_frames: int) -> None:
        """Pass progress on."""
        self.inner.frames_done(done_frames, total_frames)

    def steps_done(self, done_steps: int, total_steps: int) -> None:
        """Pass progress on."""
        self.inner.steps_done(done_steps, total_steps)

    def check_stop(self) -> None:
        """Stop when the other does."""
        self.inner.check_stop()

    def show(self, frame: int, write: Callable[[Path], None]) -> None:
        """Pass a picture on."""
        self.inner.show(frame, write)

    def notice(self, code: str, text: str) -> None:
        """Pass a notice on."""
        self.inner.notice(code, text)
