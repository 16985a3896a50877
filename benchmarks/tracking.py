# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast a performer is found and tracked, beside the same four networks run bare on whole frames."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from backend.contract.job import PerformerChoice
from backend.contract.watch import Unwatched
from backend.media.sequence import Sequence
from backend.performer.choose import choose
from backend.performer.find import find_people
from backend.performer.networks import Network, mediapipe, network_bytes
from backend.performer.track import track_performer
from backend.performer.tracks import Tracks

from .bench import Bench, FootageMissingError
from .table import Row

CLIPS = ("alley_boy.mp4", "park_juggler.mp4")
_ROUNDS = 3
_GOAL_FRAMES_A_SECOND, _GOAL_RATIO = 6.0, 0.8
_WHAT = "tracking: body, hands, face, segmentation"


def speed(bench: Bench) -> Iterator[Row]:
    """Yield a row for each clip of footage: frames a second, and the ratio, in interleaved rounds."""
    for name in CLIPS:
        try:
            frames = bench.frames(bench.clip(name))
        except FootageMissingError as missing:
            yield Row(_WHAT, name, str(missing), "", None)
            continue
        yield _speed_on(bench, name, frames)


def tracked(bench: Bench, frames: Sequence, choice: PerformerChoice | None = None) -> Tracks:
    """Find and track a performer, the largest if no choice is given."""
    people = find_people(frames, Unwatched())
    person = choose(people, choice or PerformerChoice(), 0, frames)
    return track_performer(frames, person, people, bench.folder("tracked"), Unwatched())


def _speed_on(bench: Bench, name: str, frames: Sequence) -> Row:
    rounds = 1 if bench.is_quick else _ROUNDS
    ours, bare = [], []
    for number in range(rounds):
        bench.say(f"tracking {name}, round {number + 1} of {rounds}")
        ours.append(len(frames) / _seconds(lambda: tracked(bench, frames)))
        bare.append(len(frames) / _seconds(lambda: _run_bare(frames)))
    ratios = [one / other for one, other in zip(ours, bare, strict=True)]
    speed, ratio = statistics.median(ours), statistics.median(ratios)
    height, width = frames[0].shape[:2]
    return Row(
        _WHAT,
        f"{name}, {width}x{height}, {len(frames)} frames",
        f"{_spread(ours)} frames/s; bare mediapipe on single frames {_spread(bare)}; ratio {_spread(ratios)}",
        f"{_GOAL_FRAMES_A_SECOND:g} frames/s on 2 cores, ratio {_GOAL_RATIO}",
        speed >= _GOAL_FRAMES_A_SECOND and ratio >= _GOAL_RATIO,
    )


def _seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def _run_bare(frames: Sequence) -> None:
    """Run the four networks one after the other on every whole frame, as mediapipe's own examples do."""
    solution = mediapipe()
    tasks = _bare_tasks(solution)
    for frame in frames.stream():
        image = solution.Image(image_format=solution.ImageFormat.SRGB, data=np.ascontiguousarray(frame))
        for look in tasks:
            look(image)


def _bare_tasks(solution: Any) -> tuple[Callable[[Any], Any], ...]:
    vision = solution.tasks.vision

    def base(network: Network) -> Any:
        return solution.tasks.BaseOptions(model_asset_buffer=network_bytes(network))

    pose = vision.PoseLandmarkerOptions(base_options=base(Network.POSE), output_segmentation_masks=True)
    return (
        vision.PoseLandmarker.create_from_options(pose).detect,
        vision.FaceLandmarker.create_from_options(vision.FaceLandmarkerOptions(base_options=base(Network.FACE))).detect,
        vision.HandLandmarker.create_from_options(
            vision.HandLandmarkerOptions(base_options=base(Network.HAND), num_hands=2)
        ).detect,
        vision.ImageSegmenter.create_from_options(
            vision.ImageSegmenterOptions(base_options=base(Network.SELFIE))
        ).segment,
    )
