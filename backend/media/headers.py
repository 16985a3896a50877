# SPDX-License-Identifier: GPL-3.0-or-later
"""The size that a picture file declares, read from its first bytes: to refuse a giant before it is unpacked."""

from __future__ import annotations

import struct

HEADER_BYTES = 1 << 18
"""How much of a file is enough: a JPEG's size stands behind its thumbnail and profiles."""

_JPEG_NO_SIZE = frozenset({0xC4, 0xC8, 0xCC})
_TIFF_WIDTH, _TIFF_HEIGHT = 256, 257
_TIFF_TYPES = {3: "H", 4: "I"}


def size_or_none(data: bytes) -> tuple[int, int] | None:
    """Say width and height in pixels as a PNG, JPEG or TIFF declares them; None for other kinds or broken heads."""
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            width, height = struct.unpack_from(">II", data, 16)
            return width, height
        if data.startswith(b"\xff\xd8"):
            return _jpeg_size(data)
        if data[:4] in (b"II*\0", b"MM\0*"):
            return _tiff_size(data, "<" if data[:2] == b"II" else ">")
    except (struct.error, KeyError):
        return None
    return None


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Walk the segments to the first frame header (ITU T.81, B.2.2)."""
    at = 2
    while True:
        marker, length = struct.unpack_from(">xBH", data, at)
        if 0xC0 <= marker <= 0xCF and marker not in _JPEG_NO_SIZE:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + length


def _tiff_size(data: bytes, order: str) -> tuple[int, int] | None:
    """Read the first directory (TIFF 6.0, section 2); None when it lies behind the bytes at hand."""
    (at,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, at)
    values = {}
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind = struct.unpack_from(order + "HH", data, entry)
        if tag in (_TIFF_WIDTH, _TIFF_HEIGHT):
            (values[tag],) = struct.unpack_from(order + _TIFF_TYPES[kind], data, entry + 8)
    return values[_TIFF_WIDTH], values[_TIFF_HEIGHT]
