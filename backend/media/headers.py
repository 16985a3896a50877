# SPDX-License-Identifier: GPL-3.0-or-later
"""The size that a picture file declares, read without its pixels: to refuse a giant before it is unpacked."""

from __future__ import annotations

import struct
from typing import Any, BinaryIO

_JPEG_NO_SIZE = frozenset({0xC4, 0xC8, 0xCC})
_TIFF_WIDTH, _TIFF_HEIGHT = 256, 257
_TIFF_TYPES = {3: "H", 4: "I"}


def size_or_none(file: BinaryIO) -> tuple[int, int] | None:
    """Say width and height in pixels as a PNG, JPEG or TIFF declares them; None for other kinds or broken heads."""
    magic = file.read(8)
    try:
        if magic == b"\x89PNG\r\n\x1a\n":
            width, height = _unpack(file, ">8x II")
            return width, height
        if magic.startswith(b"\xff\xd8"):
            return _jpeg_size(file)
        if magic[:4] in (b"II*\0", b"MM\0*"):
            return _tiff_size(file, "<" if magic[:2] == b"II" else ">")
    except (struct.error, KeyError):
        return None
    return None


def _jpeg_size(file: BinaryIO) -> tuple[int, int]:
    """Walk the segments to the first frame header (ITU T.81, B.2.2)."""
    file.seek(2)
    while True:
        marker, length = _unpack(file, ">x BH")
        if 0xC0 <= marker <= 0xCF and marker not in _JPEG_NO_SIZE:
            height, width = _unpack(file, ">x HH")
            return width, height
        file.seek(max(length - 2, 0), 1)


def _tiff_size(file: BinaryIO, order: str) -> tuple[int, int]:
    """Read the first directory, which may lie behind the pixels (TIFF 6.0, section 2)."""
    file.seek(4)
    (directory,) = _unpack(file, order + "I")
    file.seek(directory)
    (count,) = _unpack(file, order + "H")
    values = {}
    for _ in range(count):
        tag, kind, _, value = _unpack(file, order + "HHI4s")
        if tag in (_TIFF_WIDTH, _TIFF_HEIGHT):
            (values[tag],) = struct.unpack_from(order + _TIFF_TYPES[kind], value)
    return values[_TIFF_WIDTH], values[_TIFF_HEIGHT]


def _unpack(file: BinaryIO, layout: str) -> tuple[Any, ...]:
    """Read and unpack the next bytes. Raises struct.error at the file's end."""
    return struct.unpack(layout, file.read(struct.calcsize(layout)))
