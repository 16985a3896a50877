# SPDX-License-Identifier: GPL-3.0-or-later
"""The licences of what rides in the extension's zip, taken out of the wheels so that an artist can read them."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable
from email import message_from_bytes
from email.message import Message
from pathlib import Path, PurePosixPath

from .failures import LicenceMissingError

_TEXT = re.compile(r"\.dist-info/(licenses/)?(LICEN[CS]E|NOTICE|COPYING|AUTHORS)[^/]*$")
_TEXT_ELSEWHERE = {"flatbuffers": "absl-py"}
"""A wheel without its licence's text -> one under the same licence that has it."""


def write_licences(wheels: Iterable[Path], into: Path) -> None:
    """Write each wheel's licence texts into a folder of its own, and an index. Raises LicenceMissingError."""
    entries = [_write_one(wheel, into) for wheel in sorted(wheels)]
    heading = "The packages in this extension's `wheels` folder, with their licences:\n\n"
    (into / "README.txt").write_text(heading + "".join(entries), encoding="utf-8")


def _write_one(wheel: Path, into: Path) -> str:
    """Write one wheel's texts; return its line of the index."""
    with zipfile.ZipFile(wheel) as archive:
        texts = [name for name in archive.namelist() if _TEXT.search(name)]
        about = message_from_bytes(archive.read(next(n for n in archive.namelist() if n.endswith("info/METADATA"))))
        name, licence = about["Name"], _licence(about)
        folder = into / name
        folder.mkdir(parents=True)
        for text in texts:
            (folder / PurePosixPath(text).name).write_bytes(archive.read(text))
    if not licence or not (texts or name in _TEXT_ELSEWHERE):
        raise LicenceMissingError(wheel)
    where = f"{name}/" if texts else f"{_TEXT_ELSEWHERE[name]}/LICENSE, the same licence"
    return f"{name} {about['Version']}, {licence}: {where}\n"


def _licence(about: Message) -> str:
    """Name a package's licence as its metadata does, in one of the three places that there have been."""
    classified = [line.rpartition(" :: ")[2] for line in about.get_all("Classifier", []) if line.startswith("License")]
    return str(about["License-Expression"] or about["License"] or ", ".join(classified))
