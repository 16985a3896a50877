# SPDX-License-Identifier: GPL-3.0-or-later
"""The one door for frames: whatever the artist names as a clip is opened here."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from ..contract.errors import FileMissingError
from .clipinfo import Clip, ClipEmptyError
from .numbering import is_pattern, is_picture
from .pictures import open_pictures


def open_clip(source: Path, fps: Fraction | None = None) -> Clip:
    """Open a movie file, a folder of pictures, one picture of a numbered sequence, or a `name_####.png` pattern.

    fps overrides the file's own; it changes no frame. The whole file is surveyed, none of it is kept. Raises
    FileMissingError, ClipEmptyError, and what `open_pictures` and `open_movie` raise.
    """
    if not source.exists():
        if is_pattern(source) and source.parent.is_dir():
            return open_pictures(source, fps)
        raise FileMissingError(source, "clip")
    if source.is_dir() or is_picture(source):
        return open_pictures(source, fps)
    if source.stat().st_size == 0:
        raise ClipEmptyError(source)
    from .movie import open_movie  # PyAV is not in Blender's Python, where picture sequences must work all the same

    return open_movie(source, fps)
