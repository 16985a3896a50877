# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a clip before its frames are read, and what can be wrong with one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from ..contract.errors import UnderstudyError
from .images import Pixels

UNDECLARED = "undeclared"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipColour:
    """Colour as the file declares it, in FFmpeg's words; UNDECLARED where it says nothing."""

    primaries: str = UNDECLARED
    transfer: str = UNDECLARED
    matrix: str = UNDECLARED
    range: str = UNDECLARED


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipInfo:
    """A clip as it is read: sizes after the rotation flag, frames as the file codes them, none made or left out.

    bits: of a colour channel in the file. rotation_deg: counter-clockwise, already applied. numbers: of the files of
    a picture sequence, None for a movie. fps: for variable_rate the average. pixel_aspect: width to height of a pixel.
    """

    width_px: int
    height_px: int
    fps: Fraction
    frame_count: int
    bits: int = 8
    has_alpha: bool = False
    rotation_deg: int = 0
    colour: ClipColour = ClipColour()
    numbers: tuple[int, ...] | None = None
    is_yuv: bool = False
    is_variable_rate: bool = False
    is_interlaced: bool = False
    pixel_aspect: Fraction = Fraction(1)


class Clip(Protocol):
    """Frames that can be read in order or one by one, always the same ones. Nothing is held in memory."""

    info: ClipInfo

    def frames(self, first: int, last: int, depth_bits: int) -> Iterator[Pixels]:
        """Yield frames first..last (inclusive, from 0) as RGB `h w 3`, uint8 or uint16, decoded a few ahead.

        Raises FrameRangeError, and ClipTruncatedError or ClipDamagedError rather than ever shift a frame.
        """

    def frame(self, index: int, depth_bits: int) -> Pixels:
        """Read one frame, equal to the one that `frames` yields."""

    def picked(self, indices: tuple[int, ...], depth_bits: int) -> Iterator[Pixels]:
        """Yield some frames, equal to those that `frames` yields, indices rising."""


class ClipEmptyError(UnderstudyError):
    """There is a file or folder, but not one frame in it."""

    hint = "Copy or render it again, or choose another clip."

    def __init__(self, path: Path) -> None:
        super().__init__(f"The clip {path} is empty.")
        self.path = path


class NotAClipError(UnderstudyError):
    """A file is of no kind that frames are read from."""

    hint = "Choose a movie file, or a sequence of PNG, JPEG or TIFF pictures."

    def __init__(self, path: Path) -> None:
        super().__init__(f"The file {path} is not a movie or a picture that can be read.")
        self.path = path


class ClipWithoutPicturesError(UnderstudyError):
    """A media file holds sound only."""

    hint = "Choose a file that has a video track."

    def __init__(self, path: Path) -> None:
        super().__init__(f"The file {path} holds sound but no pictures.")
        self.path = path


class ClipTruncatedError(UnderstudyError):
    """A movie file ends before its frames do. whole_frames: how many can be read from the start."""

    hint = "Copy the file again from where it came; failing that, cut it to its whole frames and use that."

    def __init__(self, path: Path, whole_frames: int) -> None:
        super().__init__(f"The movie {path} is cut off: only its first {whole_frames} frames are whole.")
        self.path, self.whole_frames = path, whole_frames


class ClipDamagedError(UnderstudyError):
    """A frame within a movie can't be decoded, or is not the one that the file's own table promises."""

    hint = "Copy the file again from where it came, or convert it to a picture sequence and look at that frame."

    def __init__(self, path: Path, frame: int) -> None:
        super().__init__(f"The movie {path} is damaged at frame {frame}, counted from 0.")
        self.path, self.frame = path, frame


class SizesDifferError(UnderstudyError):
    """A picture of a sequence has another size than the first."""

    hint = "Render or scale that picture to the size of the others."

    def __init__(self, path: Path, size_px: tuple[int, int], first_px: tuple[int, int]) -> None:
        is_px, began_px = (f"{width} x {height}" for width, height in (size_px, first_px))
        super().__init__(f"The picture {path} is {is_px} pixels; its sequence begins with {began_px}.")
        self.path, self.size_px, self.first_px = path, size_px, first_px


class FrameRangeError(UnderstudyError):
    """Frames are asked for that the clip does not have."""

    hint = "Set the range within the clip."

    def __init__(self, first: int, last: int, frame_count: int) -> None:
        super().__init__(f"Frames {first} to {last} are asked for; the clip has frames 0 to {frame_count - 1}.")
        self.first, self.last, self.frame_count = first, last, frame_count


def check_range(info: ClipInfo, first: int, last: int) -> None:
    """Raise FrameRangeError unless first..last (inclusive) lies within the clip."""
    if not 0 <= first <= last < info.frame_count:
        raise FrameRangeError(first, last, info.frame_count)


def reductions(info: ClipInfo, depth_bits: int) -> tuple[str, ...]:
    """Say in sentences what of the clip a delivery of that depth can't hold. Empty when nothing is lost."""
    found: list[str] = []
    if info.bits > depth_bits:
        found.append(f"The clip has {info.bits} bits a channel; it is rounded to the delivered {depth_bits}.")
    if info.has_alpha:
        found.append("The clip has an alpha channel; it is dropped and the colours are used as they are.")
    if info.colour.transfer in _HDR_TRANSFERS:
        found.append(
            f"The clip's transfer is {info.colour.transfer} (HDR); its code values are kept as they are, "
            "not tone-mapped, and the comp treats them as sRGB."
        )
    if info.is_yuv and info.colour.range != "full":
        found.append("Code values above white or below black of the clip's limited range are cut at white and black.")
    return tuple(found)


def assumptions(info: ClipInfo) -> tuple[str, ...]:
    """Say in sentences what was taken for granted in reading the clip, where the file did not say or said oddly."""
    found: list[str] = []
    if info.is_yuv and info.colour.matrix == UNDECLARED:
        found.append("The clip does not declare its colour matrix; it is read as BT.601, as Blender and FFmpeg do.")
    if info.is_variable_rate:
        found.append(
            f"The clip's frames are not evenly spaced in time; each is one frame of the result, at {info.fps} a second."
        )
    if info.is_interlaced:
        found.append("The clip is interlaced; its fields are not taken apart.")
    if info.pixel_aspect != 1:
        found.append(f"The clip's pixels are {info.pixel_aspect} times as wide as high; they are treated as square.")
    return tuple(found)


_HDR_TRANSFERS = frozenset({"smpte2084", "arib-std-b67"})
