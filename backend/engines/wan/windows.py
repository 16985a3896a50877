# SPDX-License-Identifier: GPL-3.0-or-later
"""Which frames each run of the model sees: a shot is drawn in windows that share `overlap` frames.

A window has 4n + 1 frames, as the VAE asks. What a plan needs beyond the shot's end is the shot played backward, and
forward again, and is never delivered.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...contract.errors import UnderstudyError

OFFICIAL_WINDOW_FRAMES = 77
OVERLAPS = (1, 5)
"""Frames that a window takes over from the one before; the model was trained with these two."""


class WindowError(UnderstudyError):
    """A window's length or overlap is none that the model was trained with."""

    hint = (
        "Choose an overlap of 1 or 5 frames, and a window of 4n+1 frames that is longer than the overlap, such as 77."
    )

    def __init__(self, window_frames: int, overlap_frames: int) -> None:
        super().__init__(f"Windows of {window_frames} frames that share {overlap_frames} can't be generated.")
        self.window_frames, self.overlap_frames = window_frames, overlap_frames


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One run of the model.

    index: counted from 0. start: its first frame on the padded shot. carried_frames: how many of its frames come from
    the window before, 0 in the first.
    """

    index: int
    start: int
    length_frames: int
    carried_frames: int

    @property
    def end(self) -> int:
        """The frame after its last."""
        return self.start + self.length_frames

    @property
    def new_frames(self) -> int:
        """How many frames the shot grows by."""
        return self.length_frames - self.carried_frames


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """All windows of a shot, in order. shot_frames: how many are asked for."""

    shot_frames: int
    windows: tuple[Window, ...]

    @property
    def padded_frames(self) -> int:
        """The length of the shot that the windows cover."""
        return self.windows[-1].end

    @property
    def generated_frames(self) -> int:
        """What the model has to draw, carried frames among them."""
        return sum(window.length_frames for window in self.windows)

    def source_frames(self, window: Window) -> list[int]:
        """Give the shot's frame, 0-based, for each frame of a window."""
        return [there_and_back(index, self.shot_frames) for index in range(window.start, window.end)]

    def delivered(self, window: Window) -> range:
        """Give the shot's frames, 0-based, that a window adds; empty where all of it is padding."""
        return range(window.start + window.carried_frames, min(window.end, self.shot_frames))


def there_and_back(index: int, length: int) -> int:
    """Fold an index into 0..length-1 by turning at both ends without showing an end twice."""
    if length == 1:
        return 0
    folded = index % (2 * (length - 1))
    return min(folded, 2 * (length - 1) - folded)


def official_plan(shot_frames: int, overlap_frames: int, window_frames: int = OFFICIAL_WINDOW_FRAMES) -> WindowPlan:
    """Cut a shot into windows of one length, as the official system does. A shot within the overlap gets one window.

    Raises WindowError.
    """
    _check(window_frames, overlap_frames)
    stride = window_frames - overlap_frames
    count = max(1, -(-(shot_frames - overlap_frames) // stride))
    return _chain(shot_frames, [window_frames] * count, overlap_frames)


def fitted_plan(shot_frames: int, overlap_frames: int, longest_frames: int = OFFICIAL_WINDOW_FRAMES) -> WindowPlan:
    """Cut a shot into as few windows as go, as equal as 4n + 1 allows: they differ by 4 frames at most.

    So at most 3 frames are generated beyond the shot and the overlaps. Raises WindowError.
    """
    _check(longest_frames, overlap_frames)
    count = official_plan(shot_frames, overlap_frames, longest_frames).windows[-1].index + 1
    least = overlap_frames // 4 + 1 if count > 1 else 1
    quarters = max(-(-(shot_frames + (count - 1) * overlap_frames - count) // 4), count * least)
    shorter, longer_ones = divmod(quarters, count)
    lengths = [4 * (shorter + (index < longer_ones)) + 1 for index in range(count)]
    return _chain(shot_frames, lengths, overlap_frames)


def _check(window_frames: int, overlap_frames: int) -> None:
    if window_frames % 4 != 1 or overlap_frames not in OVERLAPS or window_frames <= overlap_frames:
        raise WindowError(window_frames, overlap_frames)


def _chain(shot_frames: int, lengths: list[int], overlap_frames: int) -> WindowPlan:
    windows: list[Window] = []
    for index, length in enumerate(lengths):
        carried = overlap_frames if windows else 0
        start = windows[-1].end - carried if windows else 0
        windows.append(Window(index=index, start=start, length_frames=length, carried_frames=carried))
    return WindowPlan(shot_frames, tuple(windows))
