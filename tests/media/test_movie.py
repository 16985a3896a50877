# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import struct
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from backend.media import movie
from backend.media.clip import open_clip
from backend.media.clipinfo import ClipDamagedError, FrameRangeError, assumptions, reductions
from backend.media.movie import MovieClip, Survey, open_movie
from tests.footage import footage_named

from ..painted import Encoding, painted, painted_number, write_movie

B_FRAMES = {"bf": "3", "g": "12"}
KINDS: dict[str, tuple[str, Encoding]] = {
    "h264 with b-frames": ("a.mp4", {"options": B_FRAMES}),
    "h264 open gop": ("a.mkv", {"options": {**B_FRAMES, "x264-params": "open-gop=1"}}),
    "h264 without key frames": ("a.mp4", {"options": {"bf": "2", "g": "12", "x264-params": "intra-refresh=1"}}),
    "h265 10 bit": (
        "a.mp4",
        {"codec": "libx265", "pixel_format": "yuv420p10le", "options": {"x265-params": "log-level=none"}},
    ),
    "prores 422 10 bit": ("a.mov", {"codec": "prores_ks", "pixel_format": "yuv422p10le"}),
    "mpeg4 avi with b-frames": ("a.avi", {"codec": "mpeg4", "options": {"bf": "2"}}),
    "h264 avi with b-frames": ("a.avi", {"options": {"bf": "2"}}),
    "mpeg2 program stream": ("a.mpg", {"codec": "mpeg2video", "options": {"bf": "2"}, "fps": Fraction(25)}),
    "transport stream": ("a.ts", {"options": B_FRAMES}),
    "vp9": ("a.webm", {"codec": "libvpx-vp9", "options": {"cpu-used": "8", "lag-in-frames": "16"}}),
    "vp8": ("a.webm", {"codec": "libvpx", "options": {"auto-alt-ref": "1", "lag-in-frames": "16"}}),
    "ffv1 of odd size": ("a.mkv", {"codec": "ffv1", "pixel_format": "yuv444p", "size": (67, 51)}),
    "h264 of odd size": ("a.mkv", {"pixel_format": "yuv444p", "size": (67, 51)}),
    "mjpeg": ("a.mov", {"codec": "mjpeg", "pixel_format": "yuvj420p"}),
    "raw stream": ("a.h264", {}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_coded_frame_is_read_once_and_in_order(kind: str, tmp_path: Path) -> None:
    name, how = KINDS[kind]
    clip = open_clip(write_movie(tmp_path / name, 40, **how))
    assert clip.info.frame_count == 40
    assert [painted_number(frame) for frame in clip.frames(0, 39, 8)] == list(range(40))


@pytest.mark.parametrize("kind", KINDS)
def test_a_frame_read_alone_or_from_the_middle_is_the_one_of_the_sequence(kind: str, tmp_path: Path) -> None:
    name, how = KINDS[kind]
    clip = open_clip(write_movie(tmp_path / name, 40, **how))
    whole = list(clip.frames(0, 39, 8))
    for index in (0, 3, 11, 12, 13, 39):
        np.testing.assert_array_equal(clip.frame(index, 8), whole[index])
    for part, expected in zip(clip.frames(25, 30, 8), whole[25:31], strict=True):
        np.testing.assert_array_equal(part, expected)


def test_picked_frames_are_those_of_their_numbers(tmp_path: Path) -> None:
    clip = open_clip(write_movie(tmp_path / "a.mp4", 40, options=B_FRAMES))
    for indices in ((0,), (39,), (3, 11, 12, 30), (5, 39)):
        assert [painted_number(frame) for frame in clip.picked(indices, 8)] == list(indices)


@pytest.mark.parametrize("kind", KINDS)
def test_far_frames_that_are_picked_are_those_of_the_sequence(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(movie, "_SOUGHT_APART_FRAMES", 4)
    name, how = KINDS[kind]
    clip = open_clip(write_movie(tmp_path / name, 40, **how))
    whole, indices = list(clip.frames(0, 39, 8)), (1, 3, 11, 14, 25, 39)
    for index, image in zip(indices, clip.picked(indices, 8), strict=True):
        np.testing.assert_array_equal(image, whole[index])


class Counting:
    """An opened movie that counts into a list how many frames it gives."""

    def __init__(self, container: InputContainer, decoded: list[int]) -> None:
        self._container, self._decoded = container, decoded

    def decode(self, stream: VideoStream) -> Iterator[VideoFrame]:
        self._decoded.append(0)
        for frame in self._container.decode(stream):
            self._decoded[-1] += 1
            yield frame

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many frames are decoded, each time that decoding begins anew."""
    counts, opened = list[int](), movie._opened

    @contextmanager
    def counted(path: Path) -> Iterator[tuple[Any, VideoStream]]:
        with opened(path) as (container, stream):
            yield Counting(container, counts), stream

    monkeypatch.setattr(movie, "_opened", counted)
    return counts


def test_what_lies_between_far_frames_is_not_decoded_nor_a_far_one_before_it_is_due(
    tmp_path: Path, decoded: list[int]
) -> None:
    clip = open_clip(write_movie(tmp_path / "a.mp4", 400, options=B_FRAMES))
    decoded.clear()
    frames = clip.picked((10, 14, 390), 8)
    assert [painted_number(next(frames)) for _ in range(2)] == [10, 14]
    assert sum(decoded) < 20  # nobody has asked for the far one: whoever was told to stop has not waited for it
    assert painted_number(next(frames)) == 390
    assert sum(decoded) < 20 + int(B_FRAMES["g"])


def test_a_movie_in_which_nothing_can_be_sought_is_gone_through_once(tmp_path: Path, decoded: list[int]) -> None:
    clip = open_clip(write_movie(tmp_path / "a.avi", 90, codec="mpeg4"))
    decoded.clear()
    assert [painted_number(frame) for frame in clip.picked((3, 40, 80), 8)] == [3, 40, 80]
    assert decoded == [81]


def surveyed(path: Path, stamps: list[int]) -> MovieClip:
    """Open a movie as if the survey had found frames with other stamps, or another number of them."""
    info = replace(open_movie(path).info, frame_count=len(stamps))
    return MovieClip(path, Survey(len(stamps), np.array(stamps, np.int64), can_seek=False), info)


def test_a_file_that_holds_other_frames_than_were_surveyed_is_damaged_and_no_frame_is_another(tmp_path: Path) -> None:
    path = write_movie(tmp_path / "a.mkv", 10, fps=Fraction(25), codec="mpeg4")  # stamps are milliseconds
    stamps = [40 * index for index in range(10)]
    assert len(list(surveyed(path, stamps).frames(0, 9, 8))) == 10
    off = [*stamps[:4], 170, *stamps[5:]]
    frames = surveyed(path, off).frames(0, 9, 8)
    assert [painted_number(next(frames)) for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(ClipDamagedError):
        next(frames)


def test_a_file_that_goes_on_behind_the_surveyed_end_is_damaged(tmp_path: Path) -> None:
    path = write_movie(tmp_path / "a.mkv", 10, fps=Fraction(25), codec="mpeg4")
    clip = surveyed(path, [40 * index for index in range(9)])
    assert [painted_number(frame) for frame in clip.frames(0, 7, 8)] == list(range(8))
    with pytest.raises(ClipDamagedError):
        list(clip.frames(0, 8, 8))


@pytest.mark.parametrize("length", [1, 2, 5, 23, 77, 78, 164])
def test_any_length_is_counted_and_read_whole(length: int, tmp_path: Path) -> None:
    clip = open_clip(write_movie(tmp_path / "a.mp4", length, size=(32, 24), options={"bf": "2"}))
    assert [painted_number(frame) for frame in clip.frames(0, clip.info.frame_count - 1, 8)] == list(range(length))


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.ts"])
@pytest.mark.parametrize("fps", ["24000/1001", "24", "25", "30000/1001", "30", "50"])
def test_the_rate_is_exact_in_every_container(fps: str, name: str, tmp_path: Path) -> None:
    info = open_clip(write_movie(tmp_path / name, 30, size=(32, 24), fps=Fraction(fps), codec="mpeg4")).info
    assert info.fps == Fraction(fps)
    assert not info.is_variable_rate


def test_a_rate_that_is_given_changes_no_frame(tmp_path: Path) -> None:
    clip = open_clip(write_movie(tmp_path / "a.mp4", 10), Fraction(30000, 1001))
    assert (clip.info.fps, clip.info.frame_count) == (Fraction(30000, 1001), 10)


def test_unevenly_timed_frames_are_each_read_once_and_announced(tmp_path: Path) -> None:
    ticks = [0, 40, 80, 200, 230, 231, 500, 540, 900, 1000]
    clip = open_clip(write_movie(tmp_path / "a.mkv", 10, ticks=ticks, fps=Fraction(1000), options={"bf": "2"}))
    assert [painted_number(frame) for frame in clip.frames(0, 9, 8)] == list(range(10))
    assert painted_number(clip.frame(7, 8)) == 7
    assert clip.info.fps == Fraction(9)
    assert clip.info.is_variable_rate
    assert any("not evenly spaced" in text for text in assumptions(clip.info))


@pytest.mark.parametrize("rotation_deg", [90, 180, 270])
def test_the_rotation_flag_turns_the_picture_upright(rotation_deg: int, tmp_path: Path) -> None:
    clip = open_clip(write_movie(tmp_path / "a.mov", 5, rotation_deg=rotation_deg))
    turned = np.rot90(painted(3), rotation_deg // 90)
    assert (clip.info.height_px, clip.info.width_px) == turned.shape[:2]
    assert clip.info.rotation_deg == rotation_deg
    assert np.abs(clip.frame(3, 8).astype(int) - turned).mean() < 4


def test_a_phones_quarter_turn_clockwise_is_applied_clockwise(tmp_path: Path) -> None:
    """The track header's matrix as phones write it (ISO/IEC 14496-12, 8.3.2): x goes down, y goes left."""
    path = write_movie(tmp_path / "a.mp4", 3)
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    one = (1 << 16).to_bytes(4)
    turned = b"".join(
        (bytes(4), one, bytes(4), (-(1 << 16) & 0xFFFFFFFF).to_bytes(4), bytes(16), (1 << 30).to_bytes(4))
    )
    data[matrix : matrix + 36] = turned
    path.write_bytes(data)
    frame = open_clip(path).frame(2, 8)
    assert np.abs(frame.astype(int) - np.rot90(painted(2), -1)).mean() < 4


@pytest.mark.parametrize(("first", "length"), [(5, 35), (5, 20), (0, 13)])
def test_what_an_edit_trimmed_off_is_no_frame(first: int, length: int, tmp_path: Path) -> None:
    """The edit list of a phone's or an editor's trim (ISO/IEC 14496-12, 8.6.6): the frames are in the file, unshown."""
    path = write_movie(tmp_path / "a.mp4", 40, options=B_FRAMES)
    data = bytearray(path.read_bytes())
    entry = data.index(b"elst") + 12
    start = int.from_bytes(data[entry + 4 : entry + 8])
    data[entry : entry + 8] = struct.pack(">Ii", length * 1000 // 24, start + first * 512)
    path.write_bytes(data)
    clip = open_clip(path)
    assert [painted_number(frame) for frame in clip.frames(0, length - 1, 8)] == list(range(first, first + length))
    assert clip.info.frame_count == length
    assert painted_number(clip.frame(length - 1, 8)) == first + length - 1


def test_frames_outside_the_clip_are_refused(tmp_path: Path) -> None:
    clip = open_clip(write_movie(tmp_path / "a.mp4", 5))
    for first, last in ((0, 5), (-1, 2), (3, 2)):
        with pytest.raises(FrameRangeError):
            clip.frames(first, last, 8)


def test_what_the_depth_cannot_hold_is_announced(tmp_path: Path) -> None:
    info = open_clip(write_movie(tmp_path / "a.mkv", 2, codec="ffv1", pixel_format="yuva444p10le")).info
    assert (info.bits, info.has_alpha) == (10, True)
    at_8, at_16 = reductions(info, 8), reductions(info, 16)
    assert any("10 bits" in text for text in at_8)
    assert not any("10 bits" in text for text in at_16)
    assert any("alpha" in text for text in at_16)


@pytest.mark.parametrize("name", ["plain.mp4", "with spaces and ünïcödé 人.mp4", "take:1.mp4", "100%.mp4", "%03d.mp4"])
def test_any_file_name_is_opened_as_that_file(name: str, tmp_path: Path) -> None:
    path = write_movie(tmp_path / "a.mp4", 3).rename(tmp_path / name)
    assert open_clip(path).info.frame_count == 3


def test_a_relative_name_with_a_colon_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_movie(tmp_path / "a.mp4", 3).rename(tmp_path / "take:1.mp4")
    monkeypatch.chdir(tmp_path)
    assert open_clip(Path("take:1.mp4")).info.frame_count == 3


def test_a_very_long_path_is_opened(tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["a" * 200] * 8)
    folder.mkdir(parents=True)
    path = write_movie(tmp_path / "a.mp4", 3).rename(folder / "a.mp4")
    assert len(str(path)) > 1600
    assert open_clip(path).info.frame_count == 3


def test_stopping_in_the_middle_leaves_no_thread_behind(tmp_path: Path) -> None:
    frames, before = open_clip(write_movie(tmp_path / "a.mp4", 40)).frames(0, 39, 8), set(threading.enumerate())
    assert isinstance(frames, Generator)
    next(frames)
    frames.close()
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize(("name", "count"), [("alley_boy.mp4", 164), ("park_juggler.mp4", 247)])
def test_real_footage_is_counted_and_read_whole(name: str, count: int) -> None:
    clip = open_clip(footage_named(name))
    assert clip.info.frame_count == count == sum(1 for _ in clip.frames(0, count - 1, 8))
    assert clip.info.fps == 24
