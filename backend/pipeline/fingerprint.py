# SPDX-License-Identifier: GPL-3.0-or-later
"""Hashes of files, remembered by path, size and time, so that a large clip is read once and not at every start."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..media.clipinfo import Clip
from ..media.numbering import find_pictures, is_picture

_CHUNK_BYTES = 16 << 20
"""After each a stop is asked for, in a folder that may be on a server."""
Hear = Callable[[int], None]


def _nobody(_: int) -> None:
    """Hear nothing."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A file or folder of files and the hash of its content. The path is not part of any key."""

    path: Path
    digest: str


@dataclass(frozen=True, slots=True)
class Source(Fingerprint):
    """A job's clip, opened, and the hash of all that its pixels depend on."""

    clip: Clip


class Fingerprints:
    """Takes fingerprints with a memory on disk. A lost or damaged memory only costs time.

    What reads may take minutes: `hear` is told how many bytes of a file have been read, and ends it by what it raises.
    """

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        self._known: dict[str, str] = {}
        with contextlib.suppress(OSError, ValueError):
            self._known = dict(json.loads(memory.read_text("utf-8")))

    def take(self, path: Path, hear: Hear = _nobody) -> Fingerprint:
        """Take a file's own SHA-256, or hash all files of a folder by name and content. Raises OSError."""
        if not path.is_dir():
            [digest] = self._hashes((path,), hear)
            return Fingerprint(path, digest)
        return self._of_files(path, tuple(sorted(p for p in path.iterdir() if p.is_file())), hear)

    def take_clip(self, source: Path, hear: Hear = _nobody) -> Fingerprint:
        """Hash all that a clip consists of, also where one picture or a pattern stands for a sequence.

        Raises OSError and what `find_pictures` raises.
        """
        if source.is_file() and not is_picture(source):
            return self.take(source, hear)
        return self._of_files(source, find_pictures(source).paths, hear)

    def _of_files(self, path: Path, files: tuple[Path, ...], hear: Hear) -> Fingerprint:
        lines = [f"{file.name} {digest}" for file, digest in zip(files, self._hashes(files, hear), strict=True)]
        return Fingerprint(path, hashlib.sha256("\n".join(lines).encode()).hexdigest())

    def _hashes(self, files: tuple[Path, ...], hear: Hear) -> list[str]:
        known_before = len(self._known)
        try:
            return [self._hash(file, hear) for file in files]
        finally:
            if len(self._known) != known_before:
                self._remember()

    def _hash(self, path: Path, hear: Hear) -> str:
        state = path.stat()
        name = f"{path.absolute()}|{state.st_size}|{state.st_mtime_ns}"
        if name not in self._known:
            self._known[name] = _hash_file(path, hear)
        return self._known[name]

    def _remember(self) -> None:
        beside = self._memory.with_suffix(f".{os.getpid()}")
        with contextlib.suppress(OSError):
            beside.write_text(json.dumps(self._known), "utf-8")
            beside.replace(self._memory)


def _hash_file(path: Path, hear: Hear) -> str:
    sha = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            sha.update(chunk)
            hear(file.tell())
    return sha.hexdigest()
