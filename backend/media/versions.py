# SPDX-License-Identifier: GPL-3.0-or-later
"""Version folders that only ever go up, and that two jobs at once never share.

Every file's name holds the version, so a version is claimed before the first file is written: a hidden folder
`.shot_v003.partial` beside the deliveries, moved into place in one step, and only if nobody has it. It holds the
sidecar from the start, with no more than the job's id, so that a job that was killed finds its own claim again. When
all is written, the folder is renamed to `shot_v003` in one step. A version is free if neither name is there.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..contract.layout import version_stem

JOB_ID = "job_id"
"""The field of a sidecar by which a claim and a delivery are known as a job's."""


@dataclass(frozen=True, slots=True)
class Version:
    """Version `number` of `name` within `folder`."""

    folder: Path
    name: str
    number: int

    @property
    def stem(self) -> str:
        """`shot_v003`: of the folder and of all files in it."""
        return version_stem(self.name, self.number)

    @property
    def delivered(self) -> Path:
        """The folder that the artist sees."""
        return self.folder / self.stem

    @property
    def partial(self) -> Path:
        """The folder while it is being filled."""
        return self.folder / f".{self.stem}.partial"

    @property
    def sidecar_name(self) -> str:
        """The file that says how to make the version again."""
        return f"{self.stem}.json"

    def publish(self) -> bool:
        """Rename the filled folder to its delivered name; False when something else took that name meanwhile."""
        return _moved(self.partial, self.delivered)

    def release(self) -> None:
        """Give the claim up and remove what was written."""
        shutil.rmtree(self.partial, ignore_errors=True)


def claim(folder: Path, name: str, job_id: str) -> Version:
    """Claim the next free version, or take up the one that this job had claimed when it was killed, emptied."""
    folder.mkdir(parents=True, exist_ok=True)
    for version in _versions(folder, name):
        if _claims(version.partial / version.sidecar_name, job_id):
            return _emptied(version, job_id)
    number = max((version.number for version in _versions(folder, name)), default=0)
    while True:
        number += 1
        version = Version(folder, name, number)
        if _take(version, job_id):
            return version


def find_delivered_or_none(folder: Path, name: str, job_id: str) -> Version | None:
    """Find the version that a job has already delivered."""
    for version in _versions(folder, name):
        if _claims(version.delivered / version.sidecar_name, job_id):
            return version
    return None


def _versions(folder: Path, name: str) -> Iterator[Version]:
    """Yield every version that is delivered or claimed, lowest first."""
    pattern = re.compile(rf"(?:\.{re.escape(name)}_v(\d+)\.partial|{re.escape(name)}_v(\d+))")
    names = (path.name for path in folder.iterdir()) if folder.is_dir() else ()
    numbers = {int(match[1] or match[2]) for match in map(pattern.fullmatch, names) if match}
    return (Version(folder, name, number) for number in sorted(numbers))


def _take(version: Version, job_id: str) -> bool:
    """Move a folder with the job's mark to the claim's name; False when the version is another's."""
    marked = version.folder / f".{version.name}.{job_id}.claim"
    marked.mkdir(exist_ok=True)
    _write_mark(marked / version.sidecar_name, job_id)
    if not _moved(marked, version.partial):
        shutil.rmtree(marked)
        return False
    if version.delivered.exists():  # delivered by another between our look and our claim
        version.release()
        return False
    return True


def _moved(source: Path, target: Path) -> bool:
    """Rename a folder unless the name is taken. A folder that is not empty is never replaced, by any system."""
    if target.exists():
        return False
    try:
        source.rename(target)
    except OSError:
        if not target.exists():
            raise
        return False
    return True


def _emptied(version: Version, job_id: str) -> Version:
    """Remove what a killed run wrote, save its mark: frames are made again rather than trusted."""
    for path in version.partial.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
    _write_mark(version.partial / version.sidecar_name, job_id)
    return version


def _write_mark(path: Path, job_id: str) -> None:
    replace_text(path, json.dumps({JOB_ID: job_id}))


def replace_text(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    beside = path.with_suffix(".tmp")
    beside.write_text(text, "utf-8")
    beside.replace(path)


def _claims(sidecar: Path, job_id: str) -> bool:
    """Say whether a sidecar bears the job's id. One that can't be read is nobody's."""
    try:
        data = json.loads(sidecar.read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(data, dict) and data.get(JOB_ID) == job_id
