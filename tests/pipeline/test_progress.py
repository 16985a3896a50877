# SPDX-License-Identifier: GPL-3.0-or-later
"""Time left, by an injected clock."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.contract.errors import StoppedError
from backend.contract.events import Event, FramesDone, PictureShown, StepsDone
from backend.pipeline.progress import Progress, StageWatch, Step


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_time_left_follows_this_machine_and_counts_the_steps_to_come() -> None:
    clock = Clock()
    progress = Progress((Step("track", 100, 100), Step("matte", 100, 200)), clock)
    progress.begin("track")
    clock.now_s = 10_000.0  # half of what was expected to take 5000 s took 10000 s: this machine is half as fast
    assert progress.seconds_left(50, 100) == pytest.approx(10_000 + 2 * 20_000, rel=0.001)


def test_a_slow_first_frame_does_not_tell_of_hours() -> None:
    clock = Clock()
    progress = Progress((Step("track", 100, 0.1), Step("matte", 100, 0.2)), clock)
    progress.begin("track")
    clock.now_s = 2.0
    assert progress.seconds_left(1, 100) < 2 * 30


def test_a_kept_result_says_nothing_of_the_speed() -> None:
    clock = Clock()
    progress = Progress((Step("track", 100, 0.1), Step("matte", 100, 0.2)), clock)
    progress.begin("track")
    clock.now_s = 0.01
    progress.end(was_kept=True)
    progress.begin("matte")
    assert progress.seconds_left(0, 100) == pytest.approx(20)


def test_a_step_that_nobody_expected_says_nothing_of_the_speed_of_the_others() -> None:
    clock = Clock()
    progress = Progress((Step("generate", 100, 36.0),), clock)
    progress.begin("weights")
    clock.now_s = 200.0
    assert progress.seconds_left(50, 100) == pytest.approx(200 + 3600)


def watch(clock: Clock, events: list[Event], stops: list[bool], newest: Path = Path("newest.png")) -> StageWatch:
    return StageWatch("track", Progress((), clock), newest, events.append, lambda: bool(stops), clock)


def test_progress_is_told_five_times_a_second_and_always_at_the_end() -> None:
    clock, events = Clock(), list[Event]()
    told = watch(clock, events, [])
    for done in range(1, 101):
        clock.now_s = done * 0.0625  # told every fourth
        told.frames_done(done, 100)
    counts = [event.done_frames for event in events if isinstance(event, FramesDone)]
    assert counts[-1] == 100
    assert counts == [*range(1, 100, 4), 100]


def test_a_stop_is_obeyed_at_the_next_frame() -> None:
    stops: list[bool] = []
    told = watch(Clock(), [], stops)
    told.frames_done(1, 10)
    stops.append(True)
    with pytest.raises(StoppedError):
        told.frames_done(2, 10)


def test_steps_are_told_like_frames() -> None:
    events = list[Event]()
    watch(Clock(), events, []).steps_done(1, 20)
    assert [(event.done_steps, event.total_steps) for event in events if isinstance(event, StepsDone)] == [(1, 20)]


def test_a_picture_is_taken_every_other_second_and_replaces_the_last(tmp_path: Path) -> None:
    clock, events, newest = Clock(), list[Event](), tmp_path / "newest.png"
    told = watch(clock, events, [], newest)
    for frame in range(50):
        clock.now_s = frame / 10
        told.show(frame, lambda path, frame=frame: path.write_text(str(frame)))  # type: ignore[misc]
    assert [event.frame for event in events if isinstance(event, PictureShown)] == [0, 20, 40]
    assert [path.name for path in tmp_path.iterdir()] == [newest.name]
    assert newest.read_text() == "40"


def test_a_picture_that_can_t_be_written_stops_nothing(tmp_path: Path) -> None:
    events = list[Event]()
    told = watch(Clock(), events, [], tmp_path / "gone" / "newest.png")

    def write(path: Path) -> None:
        path.write_text("")

    told.show(0, write)
    assert events == []
