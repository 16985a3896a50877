# SPDX-License-Identifier: GPL-3.0-or-later
"""How long Blender's main thread is held by one tick while a worker floods it with events."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from tools.as_package import package_folder
from tools.layout import ROOT

from .bench import Bench
from .table import Row

_TICKS, _QUICK_TICKS = 2000, 200
_EVERY_S = 0.005
"""Between ticks: Blender asks for one every tenth of a second, this is in a hurry."""
_GOAL_MS = 5.0

_FLOOD = """
import sys
from backend.contract.events import FramesDone, Noticed, to_line
number = 0
while True:
    number += 1
    told = [FramesDone(stage="matte", done_frames=number + n, total_frames=10**9, seconds_left=0.0) for n in range(20)]
    sys.stdout.write("".join(to_line(event) + chr(10) for event in [Noticed(code="flood", text=str(number)), *told]))
"""


def tick(bench: Bench) -> Iterator[Row]:
    """Yield a row: the time of a tick, most of them and the longest."""
    sys.path.insert(0, str(package_folder()))
    worker, job_queue, view = (
        import_module(f"understudy.worker_client.{name}") for name in ("worker", "job_queue", "view")
    )
    process = subprocess.Popen(
        [sys.executable, "-c", _FLOOD], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    )
    child = worker.Child(process, Path())
    queue = job_queue.JobQueue(lambda _folder: child)
    queue.add(view.JobView(id="1", folder=Path(), name="flood"))
    taken_ms, heard = _ticks(queue, _QUICK_TICKS if bench.is_quick else _TICKS)
    child.kill()
    high = statistics.quantiles(taken_ms, n=100)[98]
    yield Row(
        "a tick of Blender's main thread while the worker writes as fast as it can",
        f"{len(taken_ms)} ticks, {heard} events heard",
        f"median {statistics.median(taken_ms):.2f} ms, 99 % within {high:.2f} ms, longest {max(taken_ms):.2f} ms",
        f"{_GOAL_MS:g} ms",
        high <= _GOAL_MS,
    )


def _ticks(queue: Any, count: int) -> tuple[list[float], int]:
    """Tick so often; return how long each took, in milliseconds, and how many events were heard."""
    taken_ms, heard = [], 0
    for _ in range(count):
        time.sleep(_EVERY_S)
        started = time.perf_counter()
        heard += len(queue.tick())
        taken_ms.append(1000 * (time.perf_counter() - started))
    return taken_ms, heard
