# SPDX-License-Identifier: GPL-3.0-or-later
"""A clip made of numbered pictures: PNG, JPEG or TIFF, 8 or 16 bits, colour or grey."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from .ahead import ahead
from .clipinfo import ClipColour, ClipEmptyError, ClipInfo, SizesDifferError, check_range
from .colour import to_depth
from .images import Pixels, check_size, read_picture, read_size, rgb_of
from .numbering import PictureFiles, find_pictures

DEFAULT_FPS = Fraction(24)
"""Of a sequence for which nobody gives one: film's."""

_AHEAD_FRAMES = 4


class PictureClip:
    """A picture sequence as a clip; see `Clip`. Open it with `open_pictures`."""

    def __init__(self, files: PictureFiles, info: ClipInfo) -> None:
        self.info = info
        self._paths = files.paths

    def frames(self, first: int, last: int, depth_bits: int) -> Iterator[Pixels]:
        """Yield frames first..last (inclusive) as RGB of that depth, read a few ahead."""
        check_range(self.info, first, last)
        return ahead((self.frame(index, depth_bits) for index in range(first, last + 1)), _AHEAD_FRAMES)

    def frame(self, index: int, depth_bits: int) -> Pixels:
        """Read one frame as RGB of that depth. Raises SizesDifferError and PictureUnreadableError."""
        check_range(self.info, index, index)
        path = self._paths[index]
        image = read_picture(path)
        size_px, first_px = (image.shape[1], image.shape[0]), (self.info.width_px, self.info.height_px)
        if size_px != first_px:
            raise SizesDifferError(path, size_px, first_px)
        return to_depth(rgb_of(image), depth_bits)

    def picked(self, indices: tuple[int, ...], depth_bits: int) -> Iterator[Pixels]:
        """Yield some frames as RGB of that depth."""
        return (self.frame(index, depth_bits) for index in indices)


def open_pictures(source: Path, fps: Fraction | None = None) -> PictureClip:
    """Open the sequence that a folder, one picture of it, or a pattern means.

    The head of every file is read, so that a gap, another size or an empty file is told before any work begins.
    Raises SequenceGapError, SequenceAmbiguousError, ClipEmptyError, SizesDifferError, PictureTooLargeError,
    PictureTooSmallError, PictureUnreadableError.
    """
    files = find_pictures(source)
    if not files.paths:
        raise ClipEmptyError(source)
    first = read_picture(files.paths[0])
    size_px = (first.shape[1], first.shape[0])
    check_size(files.paths[0], size_px)
    for path in files.paths[1:]:
        _check_head(path, size_px)
    return PictureClip(files, _describe(files, first, fps or DEFAULT_FPS))


def _check_head(path: Path, first_px: tuple[int, int]) -> None:
    """Compare a declared size; a JPEG that its orientation turns may declare it the other way round."""
    declared_px = read_size(path)
    if sorted(declared_px) != sorted(first_px):
        raise SizesDifferError(path, declared_px, first_px)


def _describe(files: PictureFiles, first: Pixels, fps: Fraction) -> ClipInfo:
    height, width = first.shape[:2]
    return ClipInfo(
        width_px=width,
        height_px=height,
        fps=fps,
        frame_count=len(files.paths),
        bits=first.dtype.itemsize * 8,
        has_alpha=first.shape[2:] == (4,),
        colour=ClipColour(),
        numbers=files.numbers,
    )
