# SPDX-License-Identifier: GPL-3.0-or-later
"""How long work tells how far it is and learns that it should stop."""

from __future__ import annotations

from typing import Protocol


class Watch(Protocol):
    """Handed to every piece of long work. Call `frames_done` after each frame: it is cheap."""

    def frames_done(self, done_frames: int, total_frames: int) -> None:
        """Tell progress. Raises StoppedError when the job was asked to stop."""

    def notice(self, code: str, text: str) -> None:
        """Tell the artist something that the result alone does not show (a fault foreseen, a part missing).

        code: a stable snake_case name for programs; text: a sentence for people, with what to do.
        """


class Unwatched:
    """A watch that nobody reads, for single frames and tests."""

    def frames_done(self, done_frames: int, total_frames: int) -> None:
        """Ignore progress."""

    def notice(self, code: str, text: str) -> None:
        """Ignore notices."""
