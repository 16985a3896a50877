# SPDX-License-Identifier: GPL-3.0-or-later
"""The files behind a strip."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import bpy

from .compat import handle_offsets

if TYPE_CHECKING:
    from bpy.types import ImageStrip, MovieStrip, Strip


class Size(NamedTuple):
    """Of a picture."""

    width_px: int
    height_px: int


def media_files(strip: Strip) -> list[Path]:
    """List the files that a movie or an image strip shows frames of; other strips have none of their own."""
    if strip.type == "MOVIE":
        return [_absolute(cast("MovieStrip", strip).filepath, strip)]
    if strip.type == "IMAGE":
        pictures = cast("ImageStrip", strip)
        folder = _absolute(pictures.directory, strip)
        return [folder / element.filename for element in _shown(pictures)]
    return []


def media_size_or_none(strip: Strip) -> Size | None:
    """Return the size of the strip's own pixels, if it has some and its first file can be read."""
    if strip.type not in {"MOVIE", "IMAGE"}:
        return None
    element = cast("MovieStrip | ImageStrip", strip).elements[0]
    if element.orig_width > 0 and element.orig_height > 0:
        return Size(element.orig_width, element.orig_height)
    return _size_in_file(next(path for path in media_files(strip)))


def _shown(strip: ImageStrip) -> list[Any]:
    """Return the pictures that the strip shows; all of them where its times are bent and it can't be said which."""
    elements = list(strip.elements)
    if len(getattr(strip, "retiming_keys", ())) > 0:  # not there in 4.2
        return elements
    before, after = (max(0, offset) for offset in handle_offsets(strip))
    if strip.use_reverse_frames:
        before, after = after, before
    return elements[before : len(elements) - after] or elements


def _absolute(path: str, strip: Strip) -> Path:
    block = strip.id_data
    return Path(os.path.normpath(bpy.path.abspath(path, library=block.library if block else None)))


def _size_in_file(path: Path) -> Size | None:
    """Ask Blender for the size of a picture, and leave no trace of the question."""
    try:
        image = bpy.data.images.load(str(path))
    except RuntimeError:
        return None
    size = Size(*image.size)
    bpy.data.images.remove(image)
    return size if min(size) > 0 else None
