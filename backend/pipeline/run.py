# SPDX-License-Identifier: GPL-3.0-or-later
"""What a job being done consists of: its store, its progress and its notices; and how it ends."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path

from ..contract.errors import StoppedError
from ..contract.events import Event, Noticed, Planned, StageKept
from ..contract.job import Job, Shot
from ..contract.layout import NEWEST
from ..media.clipinfo import Clip
from .fingerprint import Fingerprint, Fingerprints, Source
from .preflight import Cleared
from .progress import Progress, StageWatch, Step
from .stage import Result, Stage
from .store import Store

_FRAME_S = {"frames": 0.05, "track": 0.15, "matte": 0.35, "plate": 0.6, "deliver": 0.2}
"""Seconds a 720p frame costs on two cores: only the first guess of the time left, corrected by the run itself."""
_STEP_S = {"character": 3.0, "find": 4.0}
"""Seconds of the steps that do not grow with the shot."""
_FRAME_S_PIXELS = 1280 * 720
_MB = 1_000_000


class Run:
    """One job being done. Hands each stage a watch, and keeps what was noticed, and the weights, for the sidecar."""

    def __init__(
        self,
        folder: Path,
        job: Job,
        tell: Callable[[Event], None],
        should_stop: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder, self.job = folder, job
        self.notices: list[tuple[str, str]] = []
        self.weights: tuple[Fingerprint, ...] = ()
        self._tell, self._should_stop, self._clock = tell, should_stop, clock
        stages = Path(os.path.normpath(folder / job.stages))
        self._store = Store(stages, job.id, self._hear)
        self._fingerprints = Fingerprints(stages / "fingerprints.json")
        self._progress = Progress((), clock)
        self._was_kept = False

    def expect(self, cleared: Cleared) -> None:
        """Tell the plan, and lay out the steps for the time left."""
        size = cleared.clip.info
        scale = size.width_px * size.height_px / _FRAME_S_PIXELS

        def step(stage: str, frames: int) -> Step:
            return Step(stage, frames, _FRAME_S[stage] * scale)

        count, cast = cleared.frame_count, range(len(self.job.cast))
        drawn_s = cleared.plan.seconds / count
        self._progress = Progress(
            (
                *(Step("character", 1, _STEP_S["character"]) for _ in cast),
                step("frames", count),
                Step("find", 1, _STEP_S["find"]),
                *(step(stage, count) for stage in ("track", "matte") for _ in cast),
                step("plate", count),
                *(Step("generate", last - first + 1, drawn_s) for first, last in cleared.plan.windows for _ in cast),
                step("deliver", count),
            ),
            self._clock,
        )
        self._tell(
            Planned(
                frames=count,
                windows=len(cleared.plan.windows),
                seconds=round(self._progress.expected_s, 1),
                peak_memory_bytes=cleared.plan.peak_memory_bytes,
                disk_bytes=cleared.disk_bytes,
                remarks=(*cleared.plan.remarks, *cleared.reductions, *cleared.assumptions),
            )
        )

    def stage(self, stage: Stage) -> Result:
        """Find the stage's result or compute it."""
        self._was_kept = False
        watch = self.begin(stage.name)
        result = self._store.get(stage, watch)
        self._progress.end(self._was_kept)
        return result

    def result_or_none(self, stage: Stage) -> Result | None:
        """Find the stage's result if it is in place; nothing is told."""
        return self._store.result_or_none(stage)

    def begin(self, step: str) -> StageWatch:
        """Start a step that is no stored stage, or is handed to the store by `stage`."""
        self._progress.begin(step)
        newest = self.folder / NEWEST
        return StageWatch(step, self._progress, newest, self._hear, self._should_stop, self._clock)

    def fingerprint(self, path: str) -> Fingerprint:
        """Hash a file or folder that the job names. Raises StoppedError."""
        return self._fingerprints.take(self.folder / path, self._check_stop)

    def read_weights(self, cleared: Cleared) -> tuple[Fingerprint, ...]:
        """Hash the engine's files: tens of gigabytes, told in megabytes the first time. Raises StoppedError."""
        watch, files = self.begin("weights"), cleared.engine.files(self.job.mode)
        *before, total = accumulate((path.stat().st_size for path in files), initial=0)

        def fingerprint(path: Path, before_bytes: int) -> Fingerprint:
            return self._fingerprints.take(
                path, lambda read: watch.steps_done((before_bytes + read) // _MB, total // _MB)
            )

        self.weights = tuple(map(fingerprint, files, before))
        return self.weights

    def source(self, shot: Shot, clip: Clip) -> Source:
        """Name a shot's opened clip by a hash of all that it consists of, or of what a strip's pixels depend on."""
        if shot.rendering.description:
            return Source(Path(shot.source), hashlib.sha256(shot.rendering.description.encode()).hexdigest(), clip)
        taken = self._fingerprints.take_clip(self.folder / shot.source, self._check_stop)
        return Source(taken.path, taken.digest, clip)

    def fingerprint_or_none(self, path: str) -> Fingerprint | None:
        """Hash a file or folder if the job names one."""
        return self.fingerprint(path) if path else None

    def tell(self, event: Event) -> None:
        """Pass an event on."""
        self._tell(event)

    def _check_stop(self, _: int) -> None:
        if self._should_stop():
            raise StoppedError

    def _hear(self, event: Event) -> None:
        if isinstance(event, StageKept):
            self._was_kept = True
        if isinstance(event, Noticed) and (event.code, event.text) not in self.notices:
            self.notices.append((event.code, event.text))
        self._tell(event)
