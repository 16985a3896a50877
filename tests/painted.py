# SPDX-License-Identifier: GPL-3.0-or-later
"""Small pictures that carry their number in their pixels, in blocks large enough to survive a lossy codec."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TypedDict, cast

import av
import cv2
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

COLUMNS, ROWS = 4, 3
DARK, BRIGHT = 48, 208

Picture = NDArray[np.uint8]


def painted(number: int, width: int = 64, height: int = 48) -> Picture:
    """Paint the 12 bits of a number as dark and bright blocks, lowest first, row by row. Grey RGB `h w 3` uint8."""
    bits = (number >> np.arange(COLUMNS * ROWS)) & 1
    small = np.where(bits, BRIGHT, DARK).astype(np.uint8).reshape(ROWS, COLUMNS)
    grey = cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.repeat(grey[..., None], 3, axis=2)


def painted_number(image: NDArray[np.integer]) -> int:
    """Read the number back from the middle of each block; any depth, grey or RGB."""
    grey = image.reshape(*image.shape[:2], -1)[..., 0].astype(float) / np.iinfo(image.dtype).max * 255
    height, width = grey.shape
    rows = ((np.arange(ROWS) + 0.5) * height / ROWS).astype(int)
    columns = ((np.arange(COLUMNS) + 0.5) * width / COLUMNS).astype(int)
    bits = grey[np.ix_(rows, columns)].ravel() > (DARK + BRIGHT) / 2
    return int((bits << np.arange(bits.size)).sum())


class Encoding(TypedDict, total=False):
    """How `write_movie` encodes."""

    codec: str
    pixel_format: str
    fps: Fraction
    size: tuple[int, int]
    options: dict[str, str]
    muxing: dict[str, str]


def write_movie(
    path: Path,
    frame_count: int,
    *,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    fps: Fraction = Fraction(24),
    size: tuple[int, int] = (64, 48),
    options: dict[str, str] | None = None,
    muxing: dict[str, str] | None = None,
    rotation_deg: int = 0,
    ticks: list[int] | None = None,
) -> Path:
    """Encode painted frames. ticks: of 1/1000 s at which each frame is shown, for a variable rate."""
    with av.open(str(path), "w", options=muxing or {}) as container:
        stream = cast(VideoStream, container.add_stream(codec, rate=fps, options=options or {}))
        stream.width, stream.height = size
        stream.pix_fmt = pixel_format
        if rotation_deg:
            stream.set_display_rotation(rotation_deg)
        if ticks:
            stream.codec_context.time_base = Fraction(1, 1000)
        for number in range(frame_count):
            frame = av.VideoFrame.from_ndarray(painted(number, *size), "rgb24")
            if ticks:
                frame.pts, frame.time_base = ticks[number], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
