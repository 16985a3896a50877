# SPDX-License-Identifier: GPL-3.0-or-later
"""A job's wishes given back to the scene, so that it can be run again with changes."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..backend.contract.job import Casting, Job, PerformerChoice
from ..properties import UNDERSTUDY_PG_casting, UNDERSTUDY_PG_settings
from .corrections import recall_corrections
from .engine import recall_engine
from .placing import PLACING, placing_of


def recall(job: Job, folder: Path, settings: UNDERSTUDY_PG_settings) -> None:
    """Set the settings to what a job in a folder was asked for."""
    settings.mode, settings.shadow = job.mode.value, job.shadow.value
    settings.name, settings.depth = job.delivery.name, str(job.delivery.depth_bits)
    settings.first_number, settings.passes = job.delivery.first_number, {kind.value for kind in job.delivery.passes}
    settings.seed = job.seed
    recall_engine(job.engine, job.settings, settings)
    settings.others.clear()
    source = placing_of(folder).source_id if (folder / PLACING).exists() else ""
    for number, casting in enumerate(job.cast):
        into = settings.others.add() if number else settings.first
        _recall_casting(casting, folder, into)
        recall_corrections(casting, source, into)


def _recall_casting(casting: Casting, folder: Path, into: UNDERSTUDY_PG_casting) -> None:
    path = folder / casting.character
    into.character = bpy.data.images.load(str(path), check_existing=True)
    if path.parent == folder:  # it goes with the job when that is removed
        into.character.pack()
    fit = casting.fit
    into.scale, into.head_size, into.mirror = fit.scale, fit.head_size, fit.mirror
    into.offset, into.ground_offset = (fit.offset_x, fit.offset_y), fit.ground_offset
    _recall_performer(casting.performer, into)


def _recall_performer(choice: PerformerChoice, into: UNDERSTUDY_PG_casting) -> None:
    into.pick, into.id, into.box_frame = choice.pick.value, max(1, choice.id), choice.frame
    into.box = (choice.x, choice.y, choice.x1, choice.y1)
