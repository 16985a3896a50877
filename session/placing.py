# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a job's results go: kept in its folder, for the Blender that places them may be another one."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

import bpy

from ..backend.contract.disk import disk_errors
from ..backend.contract.errors import FileMissingError, UnderstudyError
from ..backend.contract.wire import CONTRACT_VERSION, MessageInvalidError, check_version, from_json, to_json
from ..sequencer.extent import Extent
from ..sequencer.place import PlaceAs, place
from ..sequencer.shot import Pixels
from ..sequencer.take import Take, find_scene_or_none, find_source_or_none, is_known_here
from ..worker_client.view import JobView

log = logging.getLogger(__name__)

PLACING = "placing.json"
_PLACED = "placed"
"""Laid into a job's folder when its results have been placed once: an artist who deletes strips wants them gone."""


class NotDeliveredError(UnderstudyError):
    """A job has no version yet that could be placed."""

    hint = "Wait until it is done, or press Resume."

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} has delivered nothing yet.")
        self.name = name


class OtherFileError(UnderstudyError):
    """The .blend that is open is not the one that a job was started from."""

    hint = "Open the .blend that the job was started from."

    def __init__(self, blend: str) -> None:
        super().__init__(f"The results belong into {blend or 'a .blend that was not saved'}, which is not open.")
        self.blend = blend


class SceneMissingError(UnderstudyError):
    """The scene that a job was made from is not in this .blend."""

    hint = "Open the .blend that the job was started from, or import the delivered files as image strips."

    def __init__(self, name: str) -> None:
        super().__init__(f"The scene {name} is not in this .blend.")
        self.name = name


class StripGoneError(UnderstudyError):
    """The strip that a job was made from is gone, by undo or because it was deleted."""

    hint = "Bring it back by redo or undo; without it, results lie above everything, on the frames where it was."

    def __init__(self, name: str) -> None:
        super().__init__(f"The strip {name} is gone.")
        self.name = name


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """What a job was made from, and how its results lie over that.

    blend: empty if it was never saved. scene_first: the shot's first scene frame. source_id, source_start: by which the
    strip is found again, and how far it was moved; see `Take`. extent: how the frames were chosen.
    """

    blend: str
    scene: str
    strip: str
    source_id: str
    source_start: int
    scene_first: int
    pixels: Pixels
    how: PlaceAs
    extent: Extent = Extent.STRIP

    @property
    def content_first(self) -> int:
        """Count the shot's first frame from where the strip's content starts."""
        return self.scene_first - self.source_start


def keep_placing(folder: Path, placing: Placing) -> None:
    """Write it beside the job."""
    with disk_errors(folder):
        (folder / PLACING).write_text(json.dumps({"v": CONTRACT_VERSION, **to_json(placing)}), "utf-8")


def placing_of(folder: Path) -> Placing:
    """Read it. Raises FileMissingError, MessageInvalidError, MessageTooNewError."""
    path = folder / PLACING
    if not path.is_file():
        raise FileMissingError(path, "note of where results go")
    try:
        data = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise MessageInvalidError(str(path), "is no JSON") from error
    return from_json(Placing, check_version(data, PLACING), PLACING)


def is_due(view: JobView) -> bool:
    """Whether a job's results were never placed and belong into this .blend: it ended while no Blender listened."""
    if view.delivered is None or (view.folder / _PLACED).exists() or not (view.folder / PLACING).exists():
        return False
    try:
        return bool(bpy.data.filepath) and placing_of(view.folder).blend == bpy.data.filepath
    except UnderstudyError as error:
        log.warning("Where the results of %s go is not known: %s", view.id, error)
        return False


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


def place_over_strip(view: JobView) -> None:
    """Do as `place_results`, which nobody has asked for: without the strip it would only end what redo can bring back.

    Raises StripGoneError and what `place_results` raises.
    """
    placing = placing_of(view.folder)
    take = take_of(view, placing)
    scene = find_scene_or_none(take, placing.scene)
    if scene is not None and find_source_or_none(scene, take) is None and placing.blend == bpy.data.filepath:
        raise StripGoneError(placing.strip)
    place_results(view)


def place_results(view: JobView) -> None:
    """Lay a job's delivery on strips, as one undo step. Raises NotDeliveredError and what `place` raises."""
    placing = placing_of(view.folder)
    take = take_of(view, placing)
    scene = find_scene_or_none(take, placing.scene)
    if not is_known_here(take) and placing.blend != bpy.data.filepath:
        raise OtherFileError(placing.blend)
    if scene is None:
        raise SceneMissingError(placing.scene)
    place(scene, take, placing.how)
    (view.folder / _PLACED).touch()
    bpy.ops.ed.undo_push(message=f"Place {take.shot} v{take.version:03d}")
