# SPDX-License-Identifier: GPL-3.0-or-later
"""Sequences that are not a stage's own folder of frames: one picture held, the artist's files, windows joined."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..contract.errors import UnderstudyError
from ..media.images import Pixels, read_picture
from ..media.sequence import Sequence, frame_name

_PICTURES = {".png", ".tif", ".tiff", ".jpg", ".jpeg"}


class MatteCountError(UnderstudyError):
    """The artist's matte has another number of frames than the shot."""

    hint = "Give one picture for each frame of the shot, or a single picture that holds for all."

    def __init__(self, folder: Path, found: int, wanted: int) -> None:
        super().__init__(f"The matte in {folder} has {found} pictures; the shot has {wanted} frames.")
        self.folder, self.found, self.wanted = folder, found, wanted


@dataclass(frozen=True, slots=True)
class Files(Sequence):
    """Pictures under names of their own, as they are; a single one holds for the whole shot."""

    files: tuple[Path, ...]

    def __getitem__(self, index: int) -> Pixels:
        return read_picture(self.files[index if len(self.files) > 1 else 0])


@dataclass(frozen=True, slots=True)
class Held(Sequence):
    """One picture for every frame."""

    picture: Path

    def __getitem__(self, index: int) -> Pixels:
        return read_picture(self.picture)


@dataclass(frozen=True, slots=True)
class Windows(Sequence):
    """Frames that lie in the folders of several windows, under their number within the shot."""

    folders: tuple[tuple[int, Path], ...]
    """(last frame, folder) of each window, in order."""

    def __getitem__(self, index: int) -> Pixels:
        folder = next(folder for last, folder in self.folders if index <= last)
        return read_picture(folder / frame_name(index))


def artist_matte(path: Path, count: int) -> Files:
    """Read a matte of the artist's: a picture, or a folder with a picture for each of `count` frames, by name order.

    Raises MatteCountError.
    """
    files = sorted(p for p in path.iterdir() if p.suffix.lower() in _PICTURES) if path.is_dir() else [path]
    if len(files) not in (1, count):
        raise MatteCountError(path, len(files), count)
    return Files(path, count, tuple(files))
