# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions that were delivered of one shot, found by their folders and read from their sidecars."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from ..backend.contract.errors import UnderstudyError
from ..sequencer.findstrips import every_strip
from ..sequencer.take import Take, job_of_or_none, version_of

if TYPE_CHECKING:
    from bpy.types import Scene, Strip

_STEM = re.compile(r"(?P<shot>.+)_v(?P<version>\d+)")


class NoOtherVersionError(UnderstudyError):
    """There is no delivered version in the direction that was asked for."""

    hint = "Run the job again with changes to get one."

    def __init__(self, shot: str, version: int, direction: str) -> None:
        super().__init__(f"{shot} has no version {direction} v{version:03d}.")
        self.shot, self.version = shot, version


class OtherFramesError(UnderstudyError):
    """All versions in the direction that was asked for are of other frames. has, wanted: counted from 0."""

    hint = "Choose its job and press Place Again: that places it beside this one."

    def __init__(self, stem: str, has: range, wanted: range) -> None:
        super().__init__(
            f"{stem} has frames {has[0] + 1} to {has[-1] + 1} of the strip, "
            f"these strips show {wanted[0] + 1} to {wanted[-1] + 1}."
        )
        self.stem, self.has, self.wanted = stem, has, wanted


class VersionUnreadableError(UnderstudyError):
    """The file beside a version that says what it holds is damaged."""

    hint = "Copy the version's folder again from where it came, or run the job again."

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} can't be read.")
        self.path = path


def neighbour(strip: Strip, step: int) -> Take:
    """Give the nearest version before (-1) or after (1) the one that a result strip shows, of the same frames.

    Raises NoOtherVersionError, OtherFramesError, VersionUnreadableError.
    """
    here = _version_folder(strip)
    shot, shown = _named(here) or ("", 0)
    beside = here.parent.iterdir() if here.parent.is_dir() else ()
    found = {named[1]: path for path in beside if (named := _named(path)) and named[0] == shot}
    others = [number for number in found if (number - shown) * step > 0 and _sidecar(found[number]).is_file()]
    if not others:
        raise NoOtherVersionError(shot, shown, "after" if step > 0 else "before")
    wanted = _read(here).frames
    read = [_read(found[number]) for number in sorted(others, key=lambda number: abs(number - shown))]
    same = next((version for version in read if version.frames == wanted), None)
    if same is None:
        raise OtherFramesError(read[0].take.stem, read[0].frames, wanted)
    return same.take


def results_beside(scene: Scene, strip: Strip) -> list[Strip]:
    """List the result strips of a scene that show the same version of the same job as this one."""
    mark = job_of_or_none(strip), version_of(strip)
    strips = (each.strip for each in every_strip(scene))
    return [each for each in strips if (job_of_or_none(each), version_of(each)) == mark]


def _version_folder(strip: Strip) -> Path:
    pictures: Any = strip
    return Path(bpy.path.abspath(pictures.directory)).resolve().parent


def _named(folder: Path) -> tuple[str, int] | None:
    match = _STEM.fullmatch(folder.name)
    return (match["shot"], int(match["version"])) if match else None


def _sidecar(folder: Path) -> Path:
    return folder / f"{folder.name}.json"


@dataclass(frozen=True, slots=True)
class _Version:
    """frames: which of the strip, counted from where its content starts."""

    take: Take
    frames: range


def _read(folder: Path) -> _Version:
    named = _named(folder)
    assert named is not None, "only folders that have a version's name are read"
    try:
        data = json.loads(_sidecar(folder).read_text("utf-8"))
        take = Take(
            job_id=str(data["job_id"]),
            shot=named[0],
            version=named[1],
            folder=folder,
            passes=tuple(data["passes"]),
            first_number=int(data["frames"][0]["file"]),
            frame_count=len(data["frames"]),
            scene_first=0,
            source="",
        )
        shot = data["job"]["shot"]  # a strip's frames lie in its content as told, a file's are counted in the file
        first = int(shot["first"]) + int(shot["rendering"].get("content_first", 0))
        return _Version(take, range(first, first + take.frame_count))
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise VersionUnreadableError(_sidecar(folder)) from error
