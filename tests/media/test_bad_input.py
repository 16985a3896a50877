# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import struct
import sys
import zlib
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream

from backend.contract.errors import FileMissingError, UnderstudyError
from backend.media.clip import MovieReaderMissingError, open_clip
from backend.media.clipinfo import (
    ClipDamagedError,
    ClipEmptyError,
    ClipTruncatedError,
    ClipWithoutPicturesError,
    NotAClipError,
)
from backend.media.images import PictureTooLargeError, PictureTooSmallError, PictureUnreadableError, write_picture

from ..painted import Encoding, painted, painted_number, write_movie


def test_what_is_not_there_is_missing(tmp_path: Path) -> None:
    for name in ("no.mp4", "no_####.png", "no/such/folder"):
        with pytest.raises((FileMissingError, ClipEmptyError)):
            open_clip(tmp_path / name)


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.avi", "a.xyz"])
def test_an_empty_file_is_called_empty(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    with pytest.raises(ClipEmptyError):
        open_clip(tmp_path / name)


def test_a_folder_without_pictures_is_called_empty(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no pictures here")
    with pytest.raises(ClipEmptyError):
        open_clip(tmp_path)


@pytest.mark.parametrize(
    "name", ["a.mp4", "a.txt", "a.nfo", "a.bin", "a.ans", "a.idf", "a.adf", "a.xb", "a.m3u8", "a.mpd", "a"]
)
def test_a_text_is_no_clip_whatever_its_name(name: str, tmp_path: Path) -> None:
    """FFmpeg would show some of them as a film of letters, and follow the addresses in others."""
    (tmp_path / name).write_text("#EXTM3U\n#EXTINF:10,\nother.ts\n#EXT-X-ENDLIST\n" * 50)
    with pytest.raises(NotAClipError):
        open_clip(tmp_path / name)


def test_a_list_of_other_files_is_no_clip(tmp_path: Path) -> None:
    write_movie(tmp_path / "secret.mp4", 3)
    (tmp_path / "a.ffconcat").write_text("ffconcat version 1.0\nfile secret.mp4\n")
    with pytest.raises(NotAClipError):
        open_clip(tmp_path / "a.ffconcat")


def test_a_picture_of_another_kind_is_no_clip(tmp_path: Path) -> None:
    (tmp_path / "a.dpx").write_bytes(b"SDPX" + bytes(4000))
    with pytest.raises(NotAClipError):
        open_clip(tmp_path / "a.dpx")


_SOUND_CODECS = {".wav": "pcm_s16le", ".m4a": "aac", ".mp3": "libmp3lame"}


def write_sound(path: Path, *, sleeve: bool = False) -> Path:
    with av.open(str(path), "w") as container:
        stream = cast(AudioStream, container.add_stream(_SOUND_CODECS[path.suffix], rate=8000, layout="mono"))
        if sleeve:
            picture = container.add_stream("mjpeg", rate=Fraction(1))
            picture.width, picture.height, picture.pix_fmt = 64, 48, "yuvj420p"
            picture.disposition = av.stream.Disposition.attached_pic
            container.mux(picture.encode(av.VideoFrame.from_ndarray(painted(1), "rgb24")))
            container.mux(picture.encode())
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), "s16", "mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize(("name", "sleeve"), [("a.wav", False), ("a.m4a", False), ("a.mp3", True)])
def test_sound_alone_is_said_to_be_sound(name: str, sleeve: bool, tmp_path: Path) -> None:
    with pytest.raises(ClipWithoutPicturesError):
        open_clip(write_sound(tmp_path / name, sleeve=sleeve))


B_FRAMES = {"bf": "3", "g": "12"}
CUT: dict[str, Encoding] = {
    "a.mp4": {"options": B_FRAMES},
    "fast.mp4": {"options": B_FRAMES, "muxing": {"movflags": "faststart"}},
    "a.mov": {"options": B_FRAMES},
    "a.mkv": {"options": B_FRAMES},
    "a.avi": {"options": B_FRAMES},
    "a.webm": {"codec": "libvpx-vp9"},
}


@pytest.mark.parametrize("kept", [0.05, 0.3, 0.6, 0.95, 0.999])
@pytest.mark.parametrize("name", CUT)
def test_a_file_that_was_cut_off_is_told_before_any_frame(name: str, kept: float, tmp_path: Path) -> None:
    path = write_movie(tmp_path / name, 40, **CUT[name])
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(ClipTruncatedError) as caught:
        open_clip(path)
    assert caught.value.whole_frames <= 40 * (kept + 0.1)


@pytest.mark.parametrize("kept", [0.2, 0.3, 0.45, 0.6, 0.8, 0.95, 0.999])
def test_a_cut_stream_gives_its_first_frames_or_none(kept: float, tmp_path: Path) -> None:
    """A transport stream does not say how long it is; but the cut is in coding order, and b-frames before it miss."""
    path = write_movie(tmp_path / "a.ts", 40, options=B_FRAMES)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    try:
        clip = open_clip(path)
    except ClipTruncatedError:
        return
    numbers = [painted_number(frame) for frame in clip.frames(0, clip.info.frame_count - 1, 8)]
    assert numbers == list(range(len(numbers)))


def test_the_whole_frames_of_a_cut_file_are_counted_rightly(tmp_path: Path) -> None:
    """Raw frames are of one size, so how many fit is arithmetic."""
    path = write_movie(tmp_path / "a.avi", 20, codec="rawvideo", pixel_format="bgr24")
    frame_bytes = 64 * 48 * 3
    first = path.read_bytes().index(b"00dc", path.read_bytes().index(b"movi"))
    path.write_bytes(path.read_bytes()[: first + 7 * (frame_bytes + 8) + 100])
    with pytest.raises(ClipTruncatedError) as caught:
        open_clip(path)
    assert caught.value.whole_frames == 7


def test_a_hole_in_the_middle_is_never_a_silent_shift(tmp_path: Path) -> None:
    path = write_movie(tmp_path / "a.mkv", 40, options={"bf": "0", "g": "12"})
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 40] = bytes(40)
    path.write_bytes(data)
    try:
        clip = open_clip(path)
        numbers = [painted_number(frame) for frame in clip.frames(0, clip.info.frame_count - 1, 8)]
    except (ClipDamagedError, ClipTruncatedError, NotAClipError):
        return
    assert len(numbers) == 40
    assert numbers[:15] == list(range(15))
    assert numbers[-3:] == [37, 38, 39]


def test_a_size_that_changes_midway_is_damage(tmp_path: Path) -> None:
    parts = [write_movie(tmp_path / f"{size[0]}.ts", 20, size=size) for size in ((64, 48), (96, 64))]
    (tmp_path / "both.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    with pytest.raises((ClipDamagedError, ClipTruncatedError)):
        clip = open_clip(tmp_path / "both.ts")
        list(clip.frames(0, clip.info.frame_count - 1, 8))


def test_uneven_time_before_the_end_is_no_cut(tmp_path: Path) -> None:
    ticks = [0, 40, 200, 240, 280, 320, 360, 400, 600, 640]
    path = write_movie(tmp_path / "a.mkv", 10, ticks=ticks, fps=Fraction(1000), muxing={"live": "1"})
    assert open_clip(path).info.frame_count == 10


def test_a_picture_of_one_pixel_is_too_small(tmp_path: Path) -> None:
    write_picture(tmp_path / "a_0001.png", np.zeros((1, 1, 3), np.uint8))
    with pytest.raises(PictureTooSmallError):
        open_clip(tmp_path)


@pytest.mark.parametrize(("size", "error"), [((8, 8), PictureTooSmallError), ((8208, 16), PictureTooLargeError)])
def test_a_movie_of_an_impossible_size_is_refused(
    size: tuple[int, int], error: type[Exception], tmp_path: Path
) -> None:
    with pytest.raises(error):
        open_clip(write_movie(tmp_path / "a.mkv", 1, codec="ffv1", size=size))


def giant_png(side_px: int) -> bytes:
    """A black picture of one bit a pixel: a few kilobytes on disk, gigabytes in memory."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side_px, side_px, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((side_px // 8 + 1) * side_px))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_a_16k_picture_is_refused_unopened(tmp_path: Path) -> None:
    (tmp_path / "a_0001.png").write_bytes(giant_png(16384))
    with pytest.raises(PictureTooLargeError) as caught:
        open_clip(tmp_path)
    assert (caught.value.width_px, caught.value.height_px) == (16384, 16384)


def test_a_square_within_8k_a_side_may_still_be_too_many_pixels(tmp_path: Path) -> None:
    (tmp_path / "a_0001.png").write_bytes(giant_png(8192))
    with pytest.raises(PictureTooLargeError):
        open_clip(tmp_path)


@pytest.mark.parametrize("name", ["a_0001.png", "a_0001.jpg", "a_0001.tif"])
@pytest.mark.parametrize(
    "content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0\xff\xff\xff\xff"]
)
def test_a_damaged_picture_is_named(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(PictureUnreadableError, match=name):
        open_clip(tmp_path)


def test_a_truncated_picture_is_named(tmp_path: Path) -> None:
    write_picture(tmp_path / "a_0001.png", np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8))
    data = (tmp_path / "a_0001.png").read_bytes()
    (tmp_path / "a_0001.png").write_bytes(data[: len(data) // 2])
    with pytest.raises(PictureUnreadableError):
        open_clip(tmp_path)


def test_every_refusal_names_the_file_and_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_text("text" * 100)
    with pytest.raises(UnderstudyError) as caught:
        open_clip(tmp_path / "bad.mp4")
    assert "bad.mp4" in str(caught.value)
    assert caught.value.hint


def test_a_movie_where_nothing_reads_movies_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_movie(tmp_path / "a.mp4", 1)
    monkeypatch.delitem(sys.modules, "backend.media.movie", raising=False)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MovieReaderMissingError, match=r"a\.mp4"):
        open_clip(path)
