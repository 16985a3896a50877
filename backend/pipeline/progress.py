# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a job is and how long it still takes: expected costs of the steps, corrected by what was measured so far."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..contract.errors import StoppedError
from ..contract.events import Event, FramesDone, Noticed, PictureShown, StepsDone

_TELL_EVERY_S = 0.2
_SHOW_EVERY_S = 2.0
_DOUBT_S = 5.0
"""So long a run at the expected speed is taken for granted, that a slow first second does not tell of hours."""
_TELLING_PART = 0.2
"""A step's own speed is told by so much of it: the first frame pays for opening files and networks."""


@dataclass(frozen=True, slots=True)
class Step:
    """A stage still to come. frame_s: the seconds a frame is expected to cost before anything is measured."""

    stage: str
    frames: int
    frame_s: float

    @property
    def seconds(self) -> float:
        """Expected cost of the whole step."""
        return self.frames * self.frame_s


class Progress:
    """The steps of a job in order, and the clock."""

    def __init__(self, steps: tuple[Step, ...], clock: Callable[[], float]) -> None:
        self._to_come, self._clock = list(steps), clock
        self._spent_s = self._expected_s = self._begun_s = 0.0
        self._step = Step("", 0, 0.0)

    @property
    def expected_s(self) -> float:
        """How long all steps still to come are expected to take, before anything is measured."""
        return sum(step.seconds for step in self._to_come)

    def begin(self, stage: str) -> None:
        """Start the next step of that stage."""
        index = next((i for i, step in enumerate(self._to_come) if step.stage == stage), None)
        self._step = self._to_come.pop(index) if index is not None else Step(stage, 0, 0.0)
        self._begun_s = self._clock()

    def end(self, was_kept: bool) -> None:
        """Finish the step that was begun. A kept result says nothing of this machine's speed."""
        if not was_kept:
            self._spent_s += self._clock() - self._begun_s
            self._expected_s += self._step.seconds

    def seconds_left(self, done: int, total: int) -> float:
        """Time left for the whole job when `done` of `total` frames of the current step are done."""
        part = done / total if total else 1.0
        step_s = self._clock() - self._begun_s
        spent_s = self._spent_s + (step_s if self._step.seconds else 0.0)  # one that nobody expected tells no speed
        expected_s = self._expected_s + self._step.seconds * part
        slowness = (spent_s + _DOUBT_S) / (expected_s + _DOUBT_S)
        is_telling = part >= _TELLING_PART or not self._step.seconds
        rest_of_step_s = (
            step_s * (1 - part) / part if part and is_telling else self._step.seconds * (1 - part) * slowness
        )
        return rest_of_step_s + slowness * self.expected_s


class StageWatch:
    """The watch handed to a stage: tells progress not too often, and raises when the job should stop.

    newest: where a picture of the newest frame is put.
    """

    def __init__(
        self,
        stage: str,
        progress: Progress,
        newest: Path,
        tell: Callable[[Event], None],
        should_stop: Callable[[], bool],
        clock: Callable[[], float],
    ) -> None:
        self._stage, self._progress, self._newest = stage, progress, newest
        self._tell, self._should_stop, self._clock = tell, should_stop, clock
        self._told_s, self._shown_s = -_TELL_EVERY_S, -_SHOW_EVERY_S

    def frames_done(self, done_frames: int, total_frames: int) -> None:
        """Tell progress. Raises StoppedError when the job was asked to stop."""
        self.check_stop()
        if not self._is_due(done_frames, total_frames):
            return
        left_s = self._left_s(done_frames, total_frames)
        self._tell(
            FramesDone(stage=self._stage, done_frames=done_frames, total_frames=total_frames, seconds_left=left_s)
        )

    def steps_done(self, done_steps: int, total_steps: int) -> None:
        """Tell progress. Raises StoppedError when the job was asked to stop."""
        self.check_stop()
        if not self._is_due(done_steps, total_steps):
            return
        left_s = self._left_s(done_steps, total_steps)
        self._tell(StepsDone(stage=self._stage, done_steps=done_steps, total_steps=total_steps, seconds_left=left_s))

    def check_stop(self) -> None:
        """Raise StoppedError when the job was asked to stop."""
        if self._should_stop():
            raise StoppedError

    def show(self, frame: int, write: Callable[[Path], None]) -> None:
        """Take a picture every other second. One that can't be written is missed by nobody."""
        now_s = self._clock()
        if now_s - self._shown_s < _SHOW_EVERY_S:
            return
        self._shown_s = now_s
        partial = self._newest.with_stem(f".{self._newest.stem}")
        with suppress(OSError):
            write(partial)
            partial.replace(self._newest)
            self._tell(PictureShown(stage=self._stage, frame=frame, path=str(self._newest)))

    def _is_due(self, done: int, total: int) -> bool:
        now_s = self._clock()
        if now_s - self._told_s < _TELL_EVERY_S and done < total:
            return False
        self._told_s = now_s
        return True

    def _left_s(self, done: int, total: int) -> float:
        return round(self._progress.seconds_left(done, total), 1)

    def notice(self, code: str, text: str) -> None:
        """Pass a notice on."""
        self._tell(Noticed(code=code, text=text))
