# SPDX-License-Identifier: GPL-3.0-or-later
"""A small picture of how a frame comes out, for a panel that shows work in progress."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import cv2

from .colour import to_depth
from .comp import comp_over
from .images import Pixels, write_picture

_LONG_SIDE_PX = 256


def write_thumbnail(path: Path, plate: Pixels, character: Pixels) -> None:
    """Write a straight RGBA character over its plate as an 8-bit PNG of at most _LONG_SIDE_PX. Raises OSError."""
    height, width = plate.shape[:2]
    scale = min(1.0, _LONG_SIDE_PX / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = [to_depth(cast(Pixels, cv2.resize(it, size, interpolation=cv2.INTER_AREA)), 8) for it in (plate, character)]
    write_picture(path, comp_over(*small))
