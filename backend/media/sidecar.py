# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON file of a delivered version: what each file is, and how to make all of them again."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ..contract.errors import FileMissingError, UnderstudyError
from ..contract.job import Job
from ..contract.layout import pass_file
from ..contract.wire import CONTRACT_VERSION, Json, check_version, from_json, to_json
from .colour import COMP_SPACE, DELIVERED_SPACE
from .versions import JOB_ID, Version

_LIBRARIES = ("numpy", "opencv-python-headless", "opencv-python", "opencv-contrib-python", "mediapipe", "av")

_MEANINGS: dict[str, str] = {
    "character": "straight RGBA: colour where there is coverage, not multiplied by it",
    "matte": "the character's coverage, linear",
    "performer_matte": "the old performers' coverage, linear; all of them together",
    "change_matte": "where the comp may differ from the source: the filled hole and the character; exactly 0 elsewhere",
    "plate": "the shot without its performers; equal to the source outside the filled hole",
    "plate_confidence": "how far the plate is to be believed: white was seen, black is invented",
    "comp": f"character over plate, computed from these delivered pictures in {COMP_SPACE}",
    "control": "the tracked skeleton over the plate, to look at",
}


class SidecarUnreadableError(UnderstudyError):
    """A file is no sidecar of a delivery, or is damaged."""

    hint = "Choose the .json file that lies in the version's folder."

    def __init__(self, path: Path) -> None:
        super().__init__(f"The file {path} is not the sidecar of a delivered version.")
        self.path = path


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """How a version came to be, beyond its job; every value is equal for equal inputs, so no times of day.

    source_numbers: the source's own number of each delivered frame (of its file, or counted from 0 in a movie).
    fps: as a rational. program: its version. clip, plate: what is known of them, as JSON. remarks: reductions and
    assumptions. notices: code and text of what the artist was told. weights: SHA-256 by path.
    """

    source_numbers: tuple[int, ...]
    fps: str
    program: str
    clip: Mapping[str, Json] = field(default_factory=dict)
    plate: Mapping[str, Json] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    notices: tuple[tuple[str, str], ...] = ()
    weights: Mapping[str, str] = field(default_factory=dict)


def sidecar_text(version_: Version, job: Job, making: Making, passes: Iterable[str]) -> str:
    """Write the whole sidecar as JSON text. Equal arguments on one machine give equal text."""
    delivery = job.delivery
    numbers: list[Json] = [
        {"file": delivery.first_number + index, "source": source} for index, source in enumerate(making.source_numbers)
    ]
    data: dict[str, Json] = {
        "v": CONTRACT_VERSION,
        JOB_ID: job.id,
        "version": version_.number,
        "fps": making.fps,
        "colour_space": DELIVERED_SPACE,
        "comp_space": COMP_SPACE,
        "depth_bits": delivery.depth_bits,
        "passes": {name: _pass_facts(version_, name) for name in passes},
        "clip": dict(making.clip),
        "plate": dict(making.plate),
        "remarks": list(making.remarks),
        "notices": [{"code": code, "text": text} for code, text in making.notices],
        "made_with": {"understudy": making.program, "python": platform.python_version(), **_library_versions()},
        "weights": dict(making.weights),
        "job": {"v": CONTRACT_VERSION, **to_json(job)},
        "frames": numbers,
    }
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def read_sidecar_job(path: Path) -> Job:
    """Read the job that made a version. Its relative paths start where they did then.

    Raises FileMissingError, SidecarUnreadableError, MessageTooNewError, MessageInvalidError.
    """
    if not path.is_file():
        raise FileMissingError(path, "sidecar")
    try:
        data = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise SidecarUnreadableError(path) from error
    if not isinstance(data, dict) or "job" not in data:
        raise SidecarUnreadableError(path)
    return from_json(Job, check_version(data["job"], f"{path.name}: job"), f"{path.name}: job")


def _pass_facts(version_: Version, name: str) -> Json:
    meaning = _MEANINGS.get(name, "one performer's coverage, linear")
    return {"files": pass_file(version_.stem, name, "####"), "is": meaning}


def _library_versions() -> dict[str, Json]:
    found: dict[str, Json] = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
