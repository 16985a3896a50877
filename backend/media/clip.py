# SPDX-License-Identifier: GPL-3.0-or-later
"""The one door for frames: whatever the artist names as a clip is opened here."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from ..contract.errors import FileMissingError, UnderstudyError
from ..contract.job import Shot
from .clipinfo import Clip, ClipEmptyError
from .numbering import is_pattern, is_picture
from .pictures import open_pictures
from .strip import StripClip


class MovieReaderMissingError(UnderstudyError):
    """A movie was chosen where PyAV, which reads movies, is not installed."""

    hint = "Render or convert the movie to a PNG sequence and choose that, or run Understudy from its own environment."

    def __init__(self, path: Path) -> None:
        super().__init__(f"The movie {path} can't be read here: the library PyAV is not installed.")
        self.path = path


def open_shot(shot: Shot, folder: Path) -> Clip:
    """Open what a job's shot names, a file or a strip. folder: the job's. Raises what `open_clip` raises."""
    if shot.rendering.command:
        return StripClip(shot, folder)
    return open_clip(folder / shot.source, Fraction(shot.fps) if shot.fps else None)


def open_clip(source: Path, fps: Fraction | None = None) -> Clip:
    """Open a movie file, a folder of pictures, one picture of a numbered sequence, or a `name_####.png` pattern.

    fps overrides the file's own; it changes no frame. The whole file is surveyed, none of it is kept. Raises
    FileMissingError, ClipEmptyError, MovieReaderMissingError, and what `open_pictures` and `open_movie` raise.
    """
    if not source.exists():
        if is_pattern(source) and source.parent.is_dir():
            return open_pictures(source, fps)
        raise FileMissingError(source, "clip")
    if source.is_dir() or is_picture(source):
        return open_pictures(source, fps)
    if source.stat().st_size == 0:
        raise ClipEmptyError(source)
    try:  # PyAV is not in Blender's Python, where picture sequences must work all the same
        from .movie import open_movie
    except ModuleNotFoundError as error:
        raise MovieReaderMissingError(source) from error
    return open_movie(source, fps)
