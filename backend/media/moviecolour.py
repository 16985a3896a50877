# SPDX-License-Identifier: GPL-3.0-or-later
"""From a decoded frame to RGB: FFmpeg's scaler, made to round rightly, and its 16 bit results set to full scale."""

from __future__ import annotations

from functools import cache
from typing import cast

import numpy as np
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Interpolation

from .clipinfo import UNDECLARED, ClipColour
from .colour import to_depth
from .images import Pixels

# With PyAV's default flags 8 bit results are up to 3 codes beside the analytic ones, with these half a code; bilinear
# instead of bicubic gives garbage in 16 bits (libswscale 9.5). Held by test_colours_are_those_of_the_standards_formula.
_EXACTLY = (
    Interpolation.BICUBIC
    | Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
    | Interpolation.BITEXACT
)

# Names as FFmpeg prints them, by the numbers of ITU-T H.273.
_PRIMARIES = {1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "film", 9: "bt2020"} | {
    10: "smpte428",
    11: "smpte431",
    12: "smpte432",
    22: "ebu3213",
}
_TRANSFERS = {1: "bt709", 4: "gamma22", 5: "gamma28", 6: "smpte170m", 7: "smpte240m", 8: "linear", 9: "log100"} | {
    10: "log316",
    11: "iec61966-2-4",
    12: "bt1361e",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    17: "smpte428",
    18: "arib-std-b67",
}
_MATRICES = {0: "gbr", 1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "ycgco"} | {
    9: "bt2020nc",
    10: "bt2020c",
    14: "ictcp",
}
_RANGES = {1: "limited", 2: "full"}


def colour_of(frame: VideoFrame) -> ClipColour:
    """Say what the frame declares of its colour."""
    return ClipColour(
        primaries=_PRIMARIES.get(frame.color_primaries, UNDECLARED),
        transfer=_TRANSFERS.get(frame.color_trc, UNDECLARED),
        matrix=_MATRICES.get(frame.colorspace, UNDECLARED),
        range=_RANGES.get(frame.color_range, UNDECLARED),
    )


def bits_of(pixel_format: VideoFormat) -> int:
    """Say the bits of the format's first channel."""
    return pixel_format.components[0].bits


def has_alpha(pixel_format: VideoFormat) -> bool:
    """Say whether the format holds coverage."""
    return any(component.is_alpha for component in pixel_format.components)


def is_yuv(pixel_format: VideoFormat) -> bool:
    """Say whether the format holds luma and colour differences."""
    return not pixel_format.is_rgb and len(pixel_format.components) >= 3


def rgb_of_frame(frame: VideoFrame, depth_bits: int) -> Pixels:
    """Convert to RGB `h w 3` uint8 or uint16 by the frame's declared matrix and range (undeclared: BT.601, limited)."""
    if bits_of(frame.format) <= 8 and (depth_bits == 8 or not is_yuv(frame.format)):
        return to_depth(_convert(frame, "rgb24"), depth_bits)
    return _full_scale(_white_of(frame), depth_bits)[_convert(frame, "rgb48le")]


def _convert(frame: VideoFrame, pixel_format: str) -> Pixels:
    return cast(Pixels, frame.to_ndarray(format=pixel_format, interpolation=_EXACTLY, threads=1))


def _white_of(frame: VideoFrame) -> int:
    """Say where the scaler puts white in 16 bits: all but RGB is shifted up, not stretched."""
    if frame.format.is_rgb:
        return (1 << 16) - 1
    is_limited = is_yuv(frame.format) and frame.color_range != ColorRange.JPEG
    bits = 8 if is_limited else min(bits_of(frame.format), 16)
    return ((1 << bits) - 1) << (16 - bits)


@cache
def _full_scale(white: int, depth_bits: int) -> Pixels:
    """Make the table from the scaler's 16 bits to the nearest code of the wanted depth, white at its top."""
    top = (1 << depth_bits) - 1
    codes = np.minimum((np.arange(1 << 16, dtype=np.uint64) * top + white // 2) // white, top)
    return cast(Pixels, codes.astype(np.uint8 if depth_bits == 8 else np.uint16))
