# SPDX-License-Identifier: GPL-3.0-or-later
"""A job that is done, asked for once more with what the artist has put right since: the next version."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from ..backend.contract.disk import disk_errors
from ..backend.contract.errors import UnderstudyError
from ..backend.contract.job import Casting, Job
from ..backend.contract.jobfolder import make_folder, new_job_id, read_job, write_job
from ..properties import castings_of, settings_of
from ..sequencer.shot import StripShot, frames_shown, save_copy
from ..sequencer.take import find_scene_or_none, find_source_or_none, scene_first_now
from ..worker_client.view import JobView
from .corrections import read_corrections
from .order import BLEND
from .placing import Placing, SceneMissingError, keep_placing, placing_of, take_of


class NothingCorrectedError(UnderstudyError):
    """A version is to be made again that would be the same."""

    hint = "Move a joint, or choose a matte, under Corrections first."

    def __init__(self, name: str) -> None:
        super().__init__(f"Nothing of {name} was corrected since it was made.")
        self.name = name


def take_update(view: JobView) -> Path:
    """Write a job's next version into a folder of its own: the same wishes, the scene's corrections of today.

    What frames it was made of, stays; mattes are rendered from the .blend as it is now. Returns the folder. Raises
    NothingCorrectedError, SceneMissingError, NotDeliveredError, and what `read_corrections` raises.
    """
    old, placing = read_job(view.folder), placing_of(view.folder)
    take = take_of(view, placing)
    scene = find_scene_or_none(take, placing.scene)
    if scene is None:
        raise SceneMissingError(placing.scene)
    found = find_source_or_none(scene, take)
    shot = _shot_now(old, placing, scene.name, scene_first_now(take, found.strip if found else None))
    shown = frames_shown(found) if found else range(shot.first, shot.last + 1)
    corrections = [
        read_corrections(scene, casting, shot, placing.source_id, shown, old.mode)
        for casting in castings_of(settings_of(scene))
    ]
    folder = view.folder.with_name(new_job_id())
    laid = (each.laid_on(casting, folder / BLEND) for each, casting in zip(corrections, old.cast, strict=False))
    cast = (*laid, *old.cast[len(corrections) :])
    is_rendered = any(each.needs_blend for each in corrections)
    if cast == old.cast and not is_rendered:
        raise NothingCorrectedError(view.name)
    make_folder(folder)
    if is_rendered:
        save_copy(folder / BLEND)
    write_job(folder, replace(old, id=folder.name, cast=tuple(_moved(each, view.folder, folder) for each in cast)))
    keep_placing(folder, placing)
    return folder


def _shot_now(job: Job, placing: Placing, scene: str, first: int) -> StripShot:
    """Say which frames of the scene a job's shot is on, now that its strip may have been moved."""
    rendering = job.shot.rendering
    return StripShot(
        scene=scene,
        strip=placing.strip,
        pixels=placing.pixels,
        width_px=rendering.width_px,
        height_px=rendering.height_px,
        fps=job.shot.fps,
        first=first,
        last=first + rendering.frame_count - 1,
        description=rendering.description,
        content_first=placing.content_first,
    )


def _moved(casting: Casting, old: Path, new: Path) -> Casting:
    """Take a picture along that lies in the old job's folder, which may be removed."""
    picture = Path(casting.character)
    if picture.parent != old:
        return casting
    with disk_errors(new):
        return replace(casting, character=str(shutil.copy2(picture, new)))
