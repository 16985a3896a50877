# SPDX-License-Identifier: GPL-3.0-or-later
"""A delivered version as the sequencer sees it: which files, on which frames, instead of which strip."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import bpy

from ..backend.contract.errors import FileMissingError, UnderstudyError
from ..backend.contract.job import Pass
from ..backend.contract.layout import pass_file, version_stem
from .compat import content_start, end_frame, first_frame
from .findstrips import Found, every_strip
from .shot import Pixels

if TYPE_CHECKING:
    from bpy.types import Scene, Strip

JOB, PASS, VERSION = "understudy_job", "understudy_pass", "understudy_version"
"""Custom properties by which a strip is known as a result, whatever becomes of its name and place."""
_SOURCE = "understudy_source"
"""Likewise of a strip that a shot was read from."""


_NUMBER = "\0"
"""Where a file's number goes: in no other part of a path."""


class Files(NamedTuple):
    """Pictures of one folder, by their names: a path for each would take longer than all else that is done to them."""

    folder: Path
    names: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """One version of a job's results.

    folder: of the version, with a folder a pass. first_number: of the first file. scene_first: the scene frame on which
    that file is seen, when the strip that the shot was read from is where it was: its name, its `source_id` and its
    `content_start` then, and which of its pixels were read.
    """

    job_id: str
    shot: str
    version: int
    folder: Path
    passes: tuple[str, ...]
    first_number: int
    frame_count: int
    scene_first: int
    source: str
    source_id: str = ""
    source_start: int | None = None
    pixels: Pixels = Pixels.RAW

    @property
    def stem(self) -> str:
        """Name shot and version as folder and files do."""
        return version_stem(self.shot, self.version)

    def files(self, name: str) -> Files:
        """List a pass's files in order. Raises PassMissingError, and FileMissingError before Blender sees a gap."""
        if name not in self.passes:
            raise PassMissingError(self.stem, name)
        numbers = range(self.first_number, self.first_number + self.frame_count)
        folder, there = self.folder / name, _names_in(self.folder / name)
        before, after = pass_file(self.stem, name, _NUMBER).rpartition("/")[2].split(_NUMBER)
        names = [f"{before}{number:04d}{after}" for number in numbers]
        missing = next((file for file in names if file not in there), None)
        if missing is not None:
            raise FileMissingError(folder / missing, f"{name} picture")
        return Files(folder, names)


class PassMissingError(UnderstudyError):
    """A version was delivered without a pass that is wanted of it."""

    hint = "Run the job again with that pass chosen among its outputs."

    def __init__(self, stem: str, name: str) -> None:
        super().__init__(f"{stem} was delivered without the pass {name}.")
        self.stem, self.name = stem, name


def _names_in(folder: Path) -> set[str]:
    if not folder.is_dir():
        return set()
    return set(os.listdir(folder))  # noqa: PTH208  names are all that is wanted; a path of each takes longer


def take_strips(scene: Scene, job_id: str) -> list[Strip]:
    """Find a job's results, in metas too, from the lowest channel up; both halves of one that was cut."""
    found = [each.strip for each in every_strip(scene) if _property(each.strip, JOB) == job_id]
    return sorted(found, key=lambda strip: (strip.channel, strip.name))


def job_of_or_none(strip: Strip) -> str | None:
    """Return the id of the job that a strip is a result of."""
    job = _property(strip, JOB)
    return job if isinstance(job, str) else None


def pass_of(strip: Strip) -> str:
    """Return which pass a result strip shows."""
    return str(_property(strip, PASS))


def version_of(strip: Strip) -> int:
    """Return which version a result strip shows."""
    return int(_property(strip, VERSION) or 0)


def source_id(strip: Strip) -> str:
    """Return the id of a strip that a shot is read from; it keeps what it was given the first time."""
    if _property(strip, _SOURCE) is None:
        give_source_id(strip, uuid.uuid4().hex)
    return str(_property(strip, _SOURCE))


def give_source_id(strip: Strip, mark: str) -> None:
    """Give a strip an id that it had before."""
    strip[_SOURCE] = mark


def source_id_or_none(strip: Strip) -> str | None:
    """Return the id of a strip if a shot was ever read from it."""
    mark = _property(strip, _SOURCE)
    return mark if isinstance(mark, str) else None


def start_of_source_or_none(scene: Scene, mark: str) -> int | None:
    """Return where the content of the strip that bears an id starts; None where it is gone."""
    strips = (each.strip for each in every_strip(scene) if mark and _property(each.strip, _SOURCE) == mark)
    strip = next(strips, None)
    return None if strip is None else content_start(strip)


def find_source_or_none(scene: Scene, take: Take) -> Found | None:
    """Find the strip that a take was read from, renamed, moved or cut; of several pieces the likeliest."""
    pieces = _sources(scene, take) or [each for each in every_strip(scene) if each.strip.name == take.source]
    return max(pieces, key=lambda piece: _likeness(piece.strip, take), default=None)


def find_scene_or_none(take: Take, name: str) -> Scene | None:
    """Find the scene of a take: that of the name, unless only another one has the take's source or its results."""
    named = bpy.data.scenes.get(name)
    scenes = [*([named] if named else []), *bpy.data.scenes]
    holding = (scene for scene in scenes if _sources(scene, take) or take_strips(scene, take.job_id))
    return next(holding, named)


def is_known_here(take: Take) -> bool:
    """Whether this .blend holds the strip that a take was read from, or strips of its job, by what marks them."""
    strips = (each.strip for scene in bpy.data.scenes for each in every_strip(scene))
    return any(
        _property(strip, JOB) == take.job_id or (take.source_id and _property(strip, _SOURCE) == take.source_id)
        for strip in strips
    )


def scene_first_now(take: Take, source: Strip | None) -> int:
    """Return the scene frame of a take's first file, as far as its source strip has moved meanwhile."""
    if source is None or take.source_start is None:
        return take.scene_first
    return take.scene_first + content_start(source) - take.source_start


def mark(strip: Strip, take: Take, name: str) -> None:
    """Tie a strip to its job, pass and version."""
    strip[JOB], strip[PASS], strip[VERSION] = take.job_id, name, take.version


def is_matte(name: str) -> bool:
    """Say whether a pass holds coverage rather than colours; of several performers each has one."""
    data = (Pass.MATTE, Pass.PERFORMER_MATTE, Pass.CHANGE_MATTE, Pass.PLATE_CONFIDENCE)
    return name.startswith(tuple(each.value for each in data))


def _sources(scene: Scene, take: Take) -> list[Found]:
    """List the strips that bear the id of a take's source: several when it was cut or copied."""
    return [each for each in every_strip(scene) if take.source_id and _property(each.strip, _SOURCE) == take.source_id]


def _likeness(strip: Strip, take: Take) -> tuple[bool, bool]:
    is_there = first_frame(strip) <= scene_first_now(take, strip) < end_frame(strip)
    return strip.name == take.source, is_there


def _property(strip: Strip, name: str) -> Any:
    return strip.get(name)
