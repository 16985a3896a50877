# SPDX-License-Identifier: GPL-3.0-or-later
"""How long Blender's main thread is held while results are placed: many frames of every pass, at full size.

Each Blender that is in place measures alone in a process of its own, on pictures of noise that no decoder likes.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from backend.contract.errors import UnderstudyError
from backend.contract.job import Pass
from backend.contract.layout import pass_file, version_stem
from backend.media.images import write_picture
from tools.as_package import package_folder
from tools.environments import BLENDERS, Environment
from tools.layout import ROOT

from .bench import Bench
from .table import Row

SHOT, FIRST_NUMBER = "noise", 1001
_LENGTHS, _QUICK_LENGTHS = (164, 1000), (164,)
_SIZE = (720, 1280)
_ROUNDS, _QUICK_ROUNDS = 9, 3
_GOAL_MS = 50.0
_SCRIPT = Path(__file__).with_name("place_in_blender.py")


class BlenderMissingError(UnderstudyError):
    """No Blender is in place to measure in."""

    hint = "Let `python3.11 -m tools test` set them up."

    def __init__(self) -> None:
        super().__init__("Skipped: no Blender is here.")


def place(bench: Bench) -> Iterator[Row]:
    """Yield a row a Blender: placing a delivery with its undo step, the median of several times. Raises as it says."""
    blenders = [blender for blender in BLENDERS if blender.interpreter.exists()]
    if not blenders:
        raise BlenderMissingError
    rounds = _QUICK_ROUNDS if bench.is_quick else _ROUNDS
    for frames in _QUICK_LENGTHS if bench.is_quick else _LENGTHS:
        folder = bench.output / "work" / f"place_{frames}"
        _write_delivery(folder / version_stem(SHOT, 1), frames)
        yield from _rows(blenders, folder, frames, rounds)


def _rows(blenders: Iterable[Environment], folder: Path, frames: int, rounds: int) -> Iterator[Row]:
    for blender in blenders:
        taken_ms = _measured(blender, folder, rounds)
        middle = statistics.median(taken_ms)
        yield Row(
            f"placing results holds the main thread, {blender.purpose}",
            f"{frames} frames of {len(Pass)} passes, {_SIZE[1]} x {_SIZE[0]}, {rounds} times",
            f"median {middle:.1f} ms, longest {max(taken_ms):.1f} ms",
            f"{_GOAL_MS:g} ms",
            middle <= _GOAL_MS,
        )


def _write_delivery(folder: Path, frames: int) -> None:
    """Write one picture a pass, under the names of all frames."""
    noise = np.random.default_rng(0).integers(0, 256, (*_SIZE, 4), np.uint8)
    for name in Pass:
        paths = [folder / pass_file(folder.name, name, str(FIRST_NUMBER + frame)) for frame in range(frames)]
        paths[0].parent.mkdir(parents=True)
        write_picture(paths[0], noise if name is Pass.CHARACTER else np.ascontiguousarray(noise[..., :3]))
        for path in paths[1:]:
            os.link(paths[0], path)


def _measured(blender: Environment, folder: Path, rounds: int) -> list[float]:
    """Let a Blender place so often; return how long each took, in milliseconds."""
    user = folder / "user"
    shutil.rmtree(user, ignore_errors=True)
    ran = subprocess.run(
        [str(blender.interpreter), str(_SCRIPT), str(folder), str(rounds)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{package_folder()}", "BLENDER_USER_RESOURCES": str(user)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [float(word) for word in json.loads(ran.stdout.splitlines()[-1])]
