# SPDX-License-Identifier: GPL-3.0-or-later
"""Against the formula of BT.601, BT.709 and BT.2020 (R' = Y' + 2(1 - Kr)Cr and so on), in float64."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange

from backend.media.clip import open_clip
from backend.media.clipinfo import ClipColour, assumptions, reductions
from backend.media.moviecolour import rgb_of_frame

from ..painted import write_movie

KR_KB = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 9: (0.2627, 0.0593), 2: (0.299, 0.114)}
"""By the number of the matrix in ITU-T H.273; 2 is undeclared, which is read as BT.601."""
BLOCK, BLOCKS = 8, 24


def planes_of(bits: int, is_full: bool) -> list[np.ndarray]:
    """Flat blocks of random legal colours, large enough that chroma sampling does not matter in their middle."""
    low, high = (0, 2**bits - 1) if is_full else (16 << (bits - 8), 235 << (bits - 8))
    random = np.random.default_rng(5)
    return [random.integers(low, high + 1, (BLOCKS, BLOCKS)).repeat(BLOCK, 0).repeat(BLOCK, 1) for _ in range(3)]


def frame_of(pixel_format: str, planes: list[np.ndarray], matrix: int, is_full: bool) -> av.VideoFrame:
    side = BLOCK * BLOCKS
    frame = av.VideoFrame(side, side, pixel_format)
    for plane, values in zip(frame.planes, planes, strict=True):
        kind = np.uint8 if frame.format.components[0].bits == 8 else np.uint16
        rows = np.zeros((plane.height, plane.line_size // kind().itemsize), kind)
        rows[:, : plane.width] = values[:: side // plane.height, :: side // plane.width]
        plane.update(rows.tobytes())
    frame.colorspace, frame.color_range = matrix, ColorRange.JPEG if is_full else ColorRange.MPEG
    return frame


def analytic(planes: list[np.ndarray], matrix: int, is_full: bool, bits: int) -> np.ndarray:
    step = 2 ** (bits - 8)
    black, luma, chroma = (0, 2**bits - 1, 2**bits - 1) if is_full else (16 * step, 219 * step, 224 * step)
    y, cb, cr = (planes[0] - black) / luma, *((plane - 128 * step) / chroma for plane in planes[1:])
    kr, kb = KR_KB[matrix]
    red, blue = y + 2 * (1 - kr) * cr, y + 2 * (1 - kb) * cb
    green = (y - kr * red - kb * blue) / (1 - kr - kb)
    return np.clip(np.stack([red, green, blue], -1), 0, 1)


@pytest.mark.parametrize("is_full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("matrix", KR_KB)
@pytest.mark.parametrize(
    ("pixel_format", "bits"),
    [("yuv420p", 8), ("yuv422p", 8), ("yuv444p", 8), ("yuv420p10le", 10), ("yuv422p10le", 10), ("yuv444p12le", 12)],
)
def test_colours_are_those_of_the_standards_formula(pixel_format: str, bits: int, matrix: int, is_full: bool) -> None:
    planes = planes_of(bits, is_full)
    frame = frame_of(pixel_format, planes, matrix, is_full)
    expected = analytic(planes, matrix, is_full, bits)
    middles = np.s_[BLOCK // 2 :: BLOCK, BLOCK // 2 :: BLOCK]
    for depth_bits, most_codes in ((8, 0.6), (16, 8)):
        top = 2**depth_bits - 1
        codes = rgb_of_frame(frame, depth_bits).astype(float)
        assert np.abs(codes - expected * top)[middles].max() <= most_codes


@pytest.mark.parametrize("depth_bits", [8, 16])
@pytest.mark.parametrize(("pixel_format", "bits"), [("gbrp", 8), ("gray", 8), ("gbrp10le", 10), ("gray12le", 12)])
def test_white_is_white_and_black_is_black(pixel_format: str, bits: int, depth_bits: int) -> None:
    ramp = np.arange(BLOCK * BLOCKS) * (2**bits - 1) // (BLOCK * BLOCKS - 1)
    values = np.broadcast_to(ramp, (BLOCK * BLOCKS,) * 2)
    count = len(av.VideoFrame(16, 16, pixel_format).planes)
    frame = frame_of(pixel_format, [values] * count, 2, True)
    codes = rgb_of_frame(frame, depth_bits)[0].astype(float)
    assert np.abs(codes - ramp[:, None] / (2**bits - 1) * (2**depth_bits - 1)).max() <= (0.6 if depth_bits == 8 else 8)


def test_eight_bit_rgb_comes_through_to_the_bit(tmp_path: Path) -> None:
    picture = np.random.default_rng(3).integers(0, 256, (33, 47, 3), np.uint8)
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = 47, 33, "bgr0"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())
    clip = open_clip(tmp_path / "a.mkv")
    np.testing.assert_array_equal(clip.frame(0, 8), picture)
    np.testing.assert_array_equal(clip.frame(0, 16), picture.astype(np.uint16) * 257)


def test_what_the_file_declares_is_told(tmp_path: Path) -> None:
    declared = {"x264-params": "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:range=tv"}
    info = open_clip(write_movie(tmp_path / "a.mp4", 2, options=declared)).info
    assert info.colour == ClipColour(primaries="bt2020", transfer="smpte2084", matrix="bt2020nc", range="limited")
    assert any("HDR" in text for text in reductions(info, 16))
    assert assumptions(info) == ()


def test_what_the_file_does_not_declare_is_said_to_be_assumed(tmp_path: Path) -> None:
    info = open_clip(write_movie(tmp_path / "a.mp4", 2)).info
    assert info.colour.matrix == "undeclared"
    assert any("BT.601" in text for text in assumptions(info))
