# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a job's results go: kept in its folder, for the Blender that places them may be another one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import bpy

from ..backend.contract.errors import FileMissingError, UnderstudyError
from ..backend.contract.wire import from_json, to_json
from ..sequencer.place import PlaceAs, place
from ..sequencer.shot import Pixels
from ..sequencer.take import Take, find_scene_or_none
from ..worker_client.view import JobView

PLACING = "placing.json"


class NotDeliveredError(UnderstudyError):
    """A job has no version yet that could be placed."""

    hint = "Wait until it is done, or press Resume."

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} has delivered nothing yet.")
        self.name = name


class SceneMissingError(UnderstudyError):
    """The scene that a job was made from is not in this .blend."""

    hint = "Open the .blend that the job was started from, or import the delivered files as image strips."

    def __init__(self, name: str) -> None:
        super().__init__(f"The scene {name} is not in this .blend.")
        self.name = name


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """Scene and strip that a job was made from, the shot's first scene frame, and how results lie over the strip.

    source_id, source_start: by which the strip is found again, and how far it was moved; see `Take`.
    """

    scene: str
    strip: str
    source_id: str
    source_start: int
    scene_first: int
    pixels: Pixels
    how: PlaceAs


def keep_placing(folder: Path, placing: Placing) -> None:
    """Write it beside the job."""
    (folder / PLACING).write_text(json.dumps(to_json(placing), ensure_ascii=False), "utf-8")


def placing_of(folder: Path) -> Placing:
    """Read it. Raises FileMissingError, MessageInvalidError."""
    path = folder / PLACING
    if not path.is_file():
        raise FileMissingError(path, "note of where results go")
    return from_json(Placing, json.loads(path.read_text("utf-8")), PLACING)


def take_of(view: JobView, placing: Placing) -> Take:
    """Name a job's delivery as the sequencer places it. Raises NotDeliveredError."""
    delivered = view.delivered
    if delivered is None:
        raise NotDeliveredError(view.name)
    return Take(
        job_id=view.id,
        shot=view.name,
        version=delivered.version,
        folder=Path(delivered.folder),
        passes=delivered.passes,
        first_number=delivered.first_number,
        frame_count=delivered.frame_count,
        scene_first=placing.scene_first,
        source=placing.strip,
        source_id=placing.source_id,
        source_start=placing.source_start,
        pixels=placing.pixels,
    )


def place_results(view: JobView) -> None:
    """Lay a job's delivery on strips, as one undo step. Raises NotDeliveredError and what `place` raises."""
    placing = placing_of(view.folder)
    take = take_of(view, placing)
    scene = find_scene_or_none(take, placing.scene)
    if scene is None:
        raise SceneMissingError(placing.scene)
    place(scene, take, placing.how)
    bpy.ops.ed.undo_push(message=f"Place {take.shot} v{take.version:03d}")
