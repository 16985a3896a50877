# SPDX-License-Identifier: GPL-3.0-or-later
"""The locked lists that Understudy ships: which packages, in which version, by which hashes, and how much that is."""

from __future__ import annotations

import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from .errors import NoListError, PythonNotListedError

_FOLDER = Path(__file__).parents[2] / "requirements"
_LISTS = {("linux", "x86_64"): "wan_linux.txt", ("darwin", "arm64"): "wan_macos.txt"}
"""Not Windows: what pip's own index has there computes on the processor alone."""
_SIZES = r"^# Python {}: (\d+) bytes to fetch, (\d+) unpacked\.$"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s\\]+)(?:[^\n]*\\\n)*[^\n]*", flags=re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A package as it is locked. text: its lines, as pip reads them."""

    name: str
    hashes: frozenset[str]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedList:
    """What is to be installed. fetch_bytes, unpacked_bytes: the size of all its wheels for this Python, and in them."""

    path: Path
    pins: tuple[Pin, ...]
    fetch_bytes: int
    unpacked_bytes: int


def list_for_this_system() -> Path:
    """Find the list for this machine. Raises NoListError."""
    name = _LISTS.get((sys.platform, platform.machine().lower()))
    if name is None:
        raise NoListError(f"{platform.system()} ({platform.machine()})")
    return _FOLDER / name


def read_list(path: Path) -> LockedList:
    """Read a locked list for the Python that runs this. Raises PythonNotListedError."""
    text = path.read_text(encoding="utf-8")
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    size = re.search(_SIZES.format(re.escape(python)), text, flags=re.MULTILINE)
    if size is None:
        raise PythonNotListedError(path, python)
    pins = tuple(
        Pin(name=found[1], hashes=frozenset(_HASH.findall(found[0])), text=found[0]) for found in _PIN.finditer(text)
    )
    return LockedList(path=path, pins=pins, fetch_bytes=int(size[1]), unpacked_bytes=int(size[2]))
