# SPDX-License-Identifier: GPL-3.0-or-later
"""The script of `place.py` inside Blender: FOLDER ROUNDS. The last line of its output are times, in milliseconds."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import bpy
from understudy.backend.contract.job import Pass
from understudy.sequencer.compat import strips_of
from understudy.sequencer.place import PlaceAs, place
from understudy.sequencer.take import Take


def _scene() -> bpy.types.Scene:
    scene = bpy.data.scenes.new("placing")
    workspace: Any = bpy.context.workspace
    if hasattr(workspace, "sequencer_scene"):
        workspace.sequencer_scene = scene
    return scene


def _take(folder: Path) -> Take:
    names = tuple(name.value for name in Pass)
    files = sorted((folder / names[0]).iterdir())  # of four digits, so in order of their numbers
    return Take(
        job_id="job",
        shot=folder.name.rpartition("_v")[0],
        version=1,
        folder=folder,
        passes=names,
        first_number=int(files[0].suffixes[-2][1:]),
        frame_count=len(files),
        scene_first=1,
        source="",
    )


def _timed_ms(scene: bpy.types.Scene, take: Take) -> float:
    started = time.perf_counter()
    strips = place(scene, take, PlaceAs.COMP)
    bpy.ops.ed.undo_push(message="Place")
    taken_ms = 1000 * (time.perf_counter() - started)
    for strip in strips:
        strips_of(scene).remove(strip)
    return taken_ms


if __name__ == "__main__":
    folder, rounds = next(Path(sys.argv[1]).glob("*_v001")), int(sys.argv[2])
    scene, take = _scene(), _take(folder)
    sys.stdout.write(f"\n{json.dumps([_timed_ms(scene, take) for _ in range(rounds)])}\n")
    sys.stdout.flush()
    os._exit(0)
