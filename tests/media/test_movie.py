# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from backend.media.clip import open_clip

from ..painted import painted_number, write_movie

KINDS = {
    "h264 with b-frames": ("a.mp4", {"options": {"bf": "3", "g": "12"}}),
    "h264 open gop": ("a.mkv", {"options": {"bf": "3", "g": "12", "x264-params": "open-gop=1"}}),
    "h265 10 bit": (
        "a.mp4",
        {"codec": "libx265", "pixel_format": "yuv420p10le", "options": {"x265-params": "log-level=none"}},
    ),
    "prores 422 10 bit": ("a.mov", {"codec": "prores_ks", "pixel_format": "yuv422p10le"}),
    "mpeg4 avi": ("a.avi", {"codec": "mpeg4", "options": {"bf": "2"}}),
    "h264 avi": ("a.avi", {"options": {"bf": "2"}}),
    "mpeg2 program stream": ("a.mpg", {"codec": "mpeg2video", "options": {"bf": "2"}, "fps": Fraction(25)}),
    "transport stream": ("a.ts", {"options": {"bf": "3", "g": "12"}}),
    "vp9": ("a.webm", {"codec": "libvpx-vp9", "options": {"cpu-used": "8", "lag-in-frames": "16"}}),
    "ffv1 of odd size": ("a.mkv", {"codec": "ffv1", "pixel_format": "yuv444p", "size": (67, 51)}),
    "h264 of odd size": ("a.mkv", {"pixel_format": "yuv444p", "size": (67, 51)}),
    "raw": ("a.h264", {}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_coded_frame_is_read_once_and_in_order(kind: str, tmp_path: Path) -> None:
    name, how = KINDS[kind]
    clip = open_clip(write_movie(tmp_path / name, 40, **how))
    assert clip.info.frame_count == 40
    assert [painted_number(frame) for frame in clip.frames(0, 39, 8)] == list(range(40))


@pytest.mark.parametrize("kind", KINDS)
def test_a_frame_read_alone_is_the_one_of_the_sequence(kind: str, tmp_path: Path) -> None:
    name, how = KINDS[kind]
    clip = open_clip(write_movie(tmp_path / name, 40, **how))
    for index, expected in enumerate(clip.frames(0, 39, 8)):
        if index % 7 in (0, 3) or index == 39:
            np.testing.assert_array_equal(clip.frame(index, 8), expected)
