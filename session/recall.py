# SPDX-License-Identifier: GPL-3.0-or-later
"""A job's wishes given back to the scene, so that it can be run again with changes."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.types import Scene

from ..backend.contract.job import Casting, Job
from ..properties import UNDERSTUDY_PG_casting, settings_of
from ..sequencer.extent import Extent
from ..sequencer.take import start_of_source_or_none
from .corrections import recall_corrections
from .engine import recall_engine
from .performer import mark_of, recall_choice
from .placing import PLACING, Placing, placing_of


def recall(job: Job, folder: Path, scene: Scene) -> None:
    """Set a scene's settings to what a job in a folder was asked for."""
    settings = settings_of(scene)
    settings.mode, settings.shadow = job.mode.value, job.shadow.value
    settings.name, settings.depth = job.delivery.name, str(job.delivery.depth_bits)
    settings.first_number, settings.passes = job.delivery.first_number, {kind.value for kind in job.delivery.passes}
    settings.seed = job.seed
    recall_engine(job.engine, job.settings, settings)
    settings.others.clear()
    placing = placing_of(folder) if (folder / PLACING).exists() else None
    source, content_first = (placing.source_id, placing.content_first) if placing else ("", 0)
    rendering = job.shot.rendering
    mark = mark_of(source, rendering.width_px, rendering.height_px) if source else ""
    frames = range(content_first, content_first + rendering.frame_count)
    if placing:
        _recall_extent(placing, frames, scene)
    for number, casting in enumerate(job.cast):
        into = settings.others.add() if number else settings.first
        _recall_casting(casting, folder, into)
        recall_choice(casting.performer, mark, frames, into)
        recall_corrections(casting, source, frames, into)


def _recall_extent(placing: Placing, frames: range, scene: Scene) -> None:
    """Choose the same frames, wherever the strip is now; the preview range may be another one since."""
    settings = settings_of(scene)
    settings.extent = (Extent.STRIP if placing.extent is Extent.STRIP else Extent.OWN).value
    if settings.extent == Extent.OWN:
        start = start_of_source_or_none(scene, placing.source_id)
        start = placing.source_start if start is None else start
        settings.own_first, settings.own_last = start + frames[0], start + frames[-1]


def _recall_casting(casting: Casting, folder: Path, into: UNDERSTUDY_PG_casting) -> None:
    path = folder / casting.character
    into.character = bpy.data.images.load(str(path), check_existing=True)
    if path.parent == folder:  # it goes with the job when that is removed
        into.character.pack()
    fit = casting.fit
    into.scale, into.head_size, into.mirror = fit.scale, fit.head_size, fit.mirror
    into.offset, into.ground_offset = (fit.offset_x, fit.offset_y), fit.ground_offset
