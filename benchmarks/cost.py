# SPDX-License-Identifier: GPL-3.0-or-later
"""What a job costs in time and memory, and how soon the first thing is seen."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Iterator
from fractions import Fraction
from itertools import cycle, islice
from pathlib import Path

import av

from backend.media.clip import open_clip

from .bench import Bench
from .table import Row
from .worker import Worked, Worker, WorkerFailedError, work

_CLIP = "alley_boy.mp4"
_PREVIEWED = 82

_DRAFT_SHARE = 0.5
"""Of the eight delivered passes four are the draft's: character, matte, change matte, comp."""

_GOAL_DRAFT_S, _GOAL_JOB_S = 0.5, 240.0
_GOAL_START_S, _GOAL_PREVIEW_S = 3.0, 8.0
_STARTS, _PREVIEWS = 5, 3
_LENGTHS = (400, 800)
_GOAL_SLOPE_MB, _GOAL_PEAK_GB = 0.05, 2.0
_MB, _GB = 1e6, 1e9


def time(bench: Bench) -> Iterator[Row]:
    """Yield a row for the drawing, one for the whole job, one for its stages."""
    done = bench.replaced(bench.clip(_CLIP))
    count = len(done.frames)
    on = f"{_CLIP}, 1280x720, {count} frames"
    spent = done.stage_seconds()
    draft = (spent["generate"] + _DRAFT_SHARE * spent["deliver"]) / count
    yield Row(
        "draft, a 720p frame: drawing and half of delivering",
        on,
        f"{draft:.2f} s: {spent['generate'] / count:.2f} + {_DRAFT_SHARE:g} x {spent['deliver'] / count:.2f}",
        f"{_GOAL_DRAFT_S} s",
        draft <= _GOAL_DRAFT_S,
    )
    is_whole = not bench.is_quick
    yield Row(
        "whole job",
        on,
        f"{done.seconds:.0f} s",
        f"{_GOAL_JOB_S:.0f} s",
        done.seconds <= _GOAL_JOB_S if is_whole else None,
    )
    stages = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in spent.items())
    yield Row("its stages, in seconds", on, stages, "", None)


def wait(bench: Bench) -> Iterator[Row]:
    """Yield a row for the worker's first event, and one for a preview."""
    clip, character = bench.clip(_CLIP), bench.character()
    bench.say("starting workers")
    starts = [_first_event_s(clip, character, bench.folder("start")) for _ in range(_STARTS)]
    start = statistics.median(starts)
    yield Row("worker start to first event", _CLIP, _spread(starts), f"{_GOAL_START_S:g} s", start <= _GOAL_START_S)
    bench.say("previews")
    words = ("preview", str(clip), str(character), f"--frame={_PREVIEWED}")
    previews = [work(bench.folder("preview"), *words).seconds for _ in range(_PREVIEWS)]
    preview = statistics.median(previews)
    count = open_clip(clip).info.frame_count
    on = f"{_CLIP}, frame {_PREVIEWED} of {count}"
    yield Row("preview", on, _spread(previews), f"{_GOAL_PREVIEW_S:g} s", preview <= _GOAL_PREVIEW_S)


def memory(bench: Bench) -> Iterator[Row]:
    """Yield a row: peaks of two jobs, one twice as long as the other. A quick run leaves it out."""
    on = f"{_CLIP} to and fro, {_LENGTHS[0]} and {_LENGTHS[1]} frames"
    what = "memory of the worker at 720p"
    if bench.is_quick:
        yield Row(what, on, "left out of quick runs", "", None)
        return
    short, long = (_job_of_length(bench, length).peak_bytes for length in _LENGTHS)
    slope = (long - short) / (_LENGTHS[1] - _LENGTHS[0])
    yield Row(
        what,
        on,
        f"peaks {short / _GB:.2f} and {long / _GB:.2f} GB, slope {slope / _MB:.3f} MB a frame",
        f"{_GOAL_SLOPE_MB} MB a frame, {_GOAL_PEAK_GB:g} GB",
        slope <= _GOAL_SLOPE_MB * _MB and long <= _GOAL_PEAK_GB * _GB,
    )


def to_and_fro(clip: Path, count: int, into: Path) -> Path:
    """Write a movie of `count` frames that plays a clip forwards and backwards in turn. Returns it."""
    opened = open_clip(clip)
    frames = list(opened.frames(0, opened.info.frame_count - 1, 8))
    path = into / f"{clip.stem}_{count}.mp4"
    with av.open(path, "w") as movie:
        stream = movie.add_stream(
            "libx264", rate=Fraction(opened.info.fps), options={"crf": "16", "preset": "veryfast"}
        )
        stream.width, stream.height, stream.pix_fmt = opened.info.width_px, opened.info.height_px, "yuv420p"
        for image in islice(cycle([*frames, *frames[-2:0:-1]]), count):
            movie.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        movie.mux(stream.encode())
    return path


def _job_of_length(bench: Bench, count: int) -> Worked:
    """Replace in a clip of so many frames; the results, gigabytes, are removed."""
    folder = bench.folder(f"memory_{count}")
    clip = to_and_fro(bench.clip(_CLIP), count, folder)
    bench.say(f"replace in {count} frames")
    done = work(folder, "replace", "--name=long", str(clip), str(bench.character()))
    shutil.rmtree(folder)
    return done


def _first_event_s(clip: Path, character: Path, output: Path) -> float:
    """Start a job, wait for its first event, end it. Raises WorkerFailedError."""
    words = ("replace", str(clip), str(character), f"--output={output}")
    with Worker(words) as worker:
        first = worker.next_event()
    if first is None:
        raise WorkerFailedError(words, None)
    return first[0]


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} s ({min(values):.2f} to {max(values):.2f}, {len(values)} runs)"
