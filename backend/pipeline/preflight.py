# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that can be refused before anything is computed."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from pathlib import Path

from ..contract.disk import FolderReadOnlyError
from ..contract.errors import FileMissingError, UnderstudyError
from ..contract.job import Casting, Delivery, Job, Mode, Pass
from ..engines.base import Ability, Engine, Plan, ShotSize
from ..media.clip import open_shot
from ..media.clipinfo import Clip, assumptions, check_range, reductions
from ..media.images import PictureUnreadableError, check_size, read_size
from .engines import engine_named

_NAME = re.compile(r"[^\\/:*?\"<>|\x00-\x1f]+")
_PNG_OF_RAW = 0.6
"""Room that a PNG of footage takes, as part of its raw bytes: on the safe side of what was seen."""


class JobInvalidError(UnderstudyError):
    """A job asks for something that is no choice."""

    hint = "Change that setting and start again."

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field} {problem}.")
        self.field, self.problem = field, problem


class DiskTooSmallError(UnderstudyError):
    """There is not enough room for the job's results."""

    hint = "Free some space or choose another output folder."

    def __init__(self, folder: Path, wanted_bytes: int, free_bytes: int) -> None:
        super().__init__(f"The job needs about {_mb(wanted_bytes)} in {folder}; {_mb(free_bytes)} are free.")
        self.folder, self.wanted_bytes, self.free_bytes = folder, wanted_bytes, free_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """A job that may start.

    last: the last frame as a number. reductions: what the delivered depth can't hold. assumptions: how the clip is
    read where it does not declare it.
    """

    clip: Clip
    engine: Engine
    plan: Plan
    last: int
    disk_bytes: int
    reductions: tuple[str, ...]
    assumptions: tuple[str, ...]

    @property
    def frame_count(self) -> int:
        """Frames that go in and come out."""
        return sum(last - first + 1 for first, last in self.plan.windows)


def clear(job: Job, folder: Path) -> Cleared:
    """Check a whole job against this machine. `folder` is the job's, relative paths start there.

    Raises an UnderstudyError for the first thing that will not do.
    """
    _check_settings(job)
    engine = engine_named(job.engine, job.settings)
    _check_abilities(job, engine)
    for casting in job.cast:
        _check_files(casting, folder)
    clip = open_shot(job.shot, folder)
    last = _checked_last(job, clip)
    for casting in job.cast:
        _check_joints(casting, job.shot.first, last)
    size = ShotSize(width_px=clip.info.width_px, height_px=clip.info.height_px, frame_count=last - job.shot.first + 1)
    plan = engine.plan(size, job.mode)
    wanted_bytes = plan.disk_bytes + _results_bytes(job.delivery, size)
    _check_room(folder / job.delivery.folder, wanted_bytes)
    return Cleared(
        clip=clip,
        engine=engine,
        plan=plan,
        last=last,
        disk_bytes=wanted_bytes,
        reductions=reductions(clip.info, job.delivery.depth_bits),
        assumptions=assumptions(clip.info),
    )


def _check_settings(job: Job) -> None:
    if not job.cast:
        raise JobInvalidError("cast", "is empty: a job needs a performer and a character")
    if job.delivery.depth_bits not in (8, 16):
        raise JobInvalidError("delivery.depth_bits", f"is {job.delivery.depth_bits}; it can be 8 or 16")
    if not job.delivery.passes:
        raise JobInvalidError("delivery.passes", f"is empty; there are: {', '.join(Pass)}")
    if not _NAME.fullmatch(job.delivery.name) or job.delivery.name.startswith("."):
        raise JobInvalidError("delivery.name", f"is {job.delivery.name!r}, which can't be a file's name")
    if job.delivery.first_number < 0:
        raise JobInvalidError("delivery.first_number", "is below 0")
    for casting in job.cast:
        if casting.fit.scale <= 0 or casting.fit.head_size <= 0:
            raise JobInvalidError("fit", "has a scale or head size of 0 or less")
    try:
        is_rate = not job.shot.fps or Fraction(job.shot.fps) > 0
    except (ValueError, ZeroDivisionError):
        is_rate = False
    if not is_rate:
        raise JobInvalidError("shot.fps", f"is {job.shot.fps!r}; it has to be a rate such as 24 or 24000/1001")


def _check_abilities(job: Job, engine: Engine) -> None:
    if job.mode.value not in engine.abilities:
        raise JobInvalidError("mode", f"is {job.mode}, which the {engine.name} engine can't do")
    if len(job.cast) > 1 and (job.mode is Mode.ANIMATE or Ability.SEVERAL_PERFORMERS not in engine.abilities):
        raise JobInvalidError("cast", "has several performers; one character at a time is animated")


def _check_files(casting: Casting, folder: Path) -> None:
    named = (
        (casting.character, "character picture", False),
        (casting.matte, "performer matte", bool(casting.matte_rendering.command)),
        (casting.garbage_matte, "garbage matte", bool(casting.garbage_rendering.command)),
    )
    for path, what, is_rendered in named:
        if path and not is_rendered and not (folder / path).exists():
            raise FileMissingError(folder / path, what)
    picture = folder / casting.character
    if not picture.is_file():
        raise PictureUnreadableError(picture)
    check_size(picture, read_size(picture))


def _check_joints(casting: Casting, first: int, last: int) -> None:
    keyed = [(fix.joint, fix.frame) for fix in casting.joints]
    if len(set(keyed)) < len(keyed):
        raise JobInvalidError("joints", "has a joint twice in one frame")
    for fix in casting.joints:
        if not isfinite(fix.x + fix.y):
            raise JobInvalidError("joints", f"has a key of {fix.joint} in frame {fix.frame} that is nowhere")
        for what, start, end in (("shot's frames", first, last), ("key's range", fix.first, fix.last)):
            if not start <= fix.frame <= end:
                problem = f"has a key of {fix.joint} in frame {fix.frame}, outside the {what} {start} to {end}"
                raise JobInvalidError("joints", problem)


def _checked_last(job: Job, clip: Clip) -> int:
    count = clip.info.frame_count
    last = count - 1 if job.shot.last == -1 else job.shot.last
    check_range(clip.info, job.shot.first, last)
    return last


def _results_bytes(delivery: Delivery, size: ShotSize) -> int:
    """Room for the stages' pictures and the delivered passes: three colours of one depth, or one of 8 bit, each."""
    colours = 3 * size.width_px * size.height_px * delivery.depth_bits // 8
    stages, passes = 3, len(delivery.passes)
    return int((stages + passes) * colours * size.frame_count * _PNG_OF_RAW)


def _check_room(folder: Path, wanted_bytes: int) -> None:
    there = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise FolderReadOnlyError(folder)
    free_bytes = shutil.disk_usage(there).free
    if free_bytes < wanted_bytes:
        raise DiskTooSmallError(folder, wanted_bytes, free_bytes)


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.0f} MB"
