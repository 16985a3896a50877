# SPDX-License-Identifier: GPL-3.0-or-later
"""What a stage has freed does not stay with the process: a job of many stages holds no more than its largest."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.contract.watch import Unwatched, Watch
from backend.pipeline.heap import give_back_freed
from backend.pipeline.stage import Stage
from backend.pipeline.store import Store

_BLOCKS, _BLOCK_BYTES = 1000, 100_000


@dataclass(frozen=True)
class Crumbs(Stage):
    """Works on a hundred megabytes in pieces and keeps the last, below which the heap can't shrink by itself."""

    name, version = "crumbs", 1
    kept: ClassVar[list[NDArray[np.uint8]]] = []

    def run(self, into: Path, watch: Watch) -> None:
        self.kept.append([np.ones(_BLOCK_BYTES, np.uint8) for _ in range(_BLOCKS)][-1])


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators give back by themselves")
def test_memory_that_a_stage_freed_is_given_back(tmp_path: Path) -> None:
    give_back_freed()  # what other tests have freed would else be taken again
    before = resident_bytes()
    Store(tmp_path, "j1", lambda _: None).get(Crumbs(), Unwatched())
    assert resident_bytes() - before < _BLOCKS * _BLOCK_BYTES / 5
