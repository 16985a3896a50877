# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a movie file has all the bytes that its container declares: the outermost boxes, read without FFmpeg.

FFmpeg reads a file that was cut off as if it were a shorter one.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

_EBML = b"\x1a\x45\xdf\xa3"
_MP4_FIRST_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"})


def is_cut_off_or_none(path: Path) -> bool | None:
    """Say whether an MP4, MOV, Matroska, WebM or AVI file ends before its contents do; None where nothing tells."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        file.seek(0)
        try:
            if head[4:8] in _MP4_FIRST_BOXES:
                return _is_mp4_cut(file, size)
            if head[:4] == _EBML:
                return _is_matroska_cut(file, size)
            if head[:4] == b"RIFF":
                return _is_riff_cut(file, size)
        except struct.error:  # the end came within a box's own head
            return True
    return None


def _is_mp4_cut(file: BinaryIO, size: int) -> bool:
    """Walk the top level boxes (ISO/IEC 14496-12, 4.2): one runs over the end, or the table `moov` never came."""
    at, has_table = 0, False
    while at < size:
        file.seek(at)
        length, kind = struct.unpack(">I4s", file.read(8))
        if length == 1:
            (length,) = struct.unpack(">Q", file.read(8))
        at += length if length >= 8 else size  # 0: to the end of the file
        has_table = has_table or kind == b"moov"
    return not has_table or (at > size and length >= 8)


def _is_matroska_cut(file: BinaryIO, size: int) -> bool | None:
    """Compare the segment's declared size (RFC 8794, section 6); a live recording declares none."""
    while file.tell() < size:
        identifier = _variable_integer(file, keep_marker=True)
        length = _variable_integer(file, keep_marker=False)
        if identifier == 0x18538067:  # Segment
            return None if length is None else file.tell() + length > size
        file.seek(length or 0, 1)
    return True


def _variable_integer(file: BinaryIO, *, keep_marker: bool) -> int | None:
    """Read an EBML number; None where all its bits are set, which means unknown."""
    (lead,) = struct.unpack("B", file.read(1))
    length = 9 - lead.bit_length()
    rest = file.read(length - 1)
    if lead == 0 or len(rest) < length - 1:
        raise struct.error("not a number")
    value = int.from_bytes(bytes([lead]) + rest)
    bits = value & ((1 << 7 * length) - 1)
    if keep_marker:
        return value
    return None if bits == (1 << 7 * length) - 1 else bits


def _is_riff_cut(file: BinaryIO, size: int) -> bool:
    """Walk the RIFF chunks; an AVI over 1 GB has several."""
    at = end = 0
    while at < size:
        file.seek(at)
        kind, length = struct.unpack("<4sI", file.read(8))
        if kind != b"RIFF":
            return False
        end = at + 8 + length
        at = end + length % 2  # chunks begin at even places; the last filling byte is often left out
    return end > size
