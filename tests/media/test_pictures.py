# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from backend.media.clip import open_clip
from backend.media.clipinfo import ClipEmptyError, SizesDifferError, reductions
from backend.media.headers import size_or_none
from backend.media.images import read_picture, write_picture
from backend.media.numbering import NumberedName, SequenceAmbiguousError, SequenceGapError, gaps_in

from ..painted import painted, painted_number


def write_numbered(folder: Path, numbers: range | list[int], pattern: str = "shot.{:04d}.png") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        Image.fromarray(painted(number % 4096)).save(folder / pattern.format(number))
    return folder


@pytest.mark.parametrize("pattern", ["shot.{:04d}.png", "shot_{}.tif", "{:03d}.jpg", "a1_{:02d}_left.TIFF"])
def test_a_sequence_is_read_by_number_from_any_name_for_it(pattern: str, tmp_path: Path) -> None:
    folder = write_numbered(tmp_path / "v 1 ünï", range(8, 13), pattern)
    hashes = folder / pattern.replace("{:04d}", "####").replace("{:03d}", "%03d").replace("{:02d}", "##").replace(
        "{}", "#"
    )
    for source in (folder, folder / pattern.format(10), hashes):
        clip = open_clip(source)
        assert clip.info.numbers == (8, 9, 10, 11, 12)
        assert [painted_number(frame) for frame in clip.frames(0, 4, 8)] == [8, 9, 10, 11, 12]
        assert painted_number(clip.frame(3, 16)) == 11


def test_what_a_system_lays_beside_pictures_is_no_picture(tmp_path: Path) -> None:
    write_numbered(tmp_path, range(1, 4))
    for name in ("._shot.0001.png", ".shot.0009.png"):
        (tmp_path / name).write_bytes(b"a resource fork")
    (tmp_path / "shot.0004.png").mkdir()
    assert open_clip(tmp_path).info.numbers == (1, 2, 3)


def test_missing_numbers_are_told(tmp_path: Path) -> None:
    write_numbered(tmp_path, [1, 2, 5, 6, 9])
    with pytest.raises(SequenceGapError, match="3 to 4, 7 to 8 are missing") as caught:
        open_clip(tmp_path)
    assert caught.value.missing == (range(3, 5), range(7, 9))


def test_two_sequences_in_a_folder_are_told_apart_only_by_the_artist(tmp_path: Path) -> None:
    write_numbered(tmp_path, range(3), "comp.{:04d}.png")
    write_numbered(tmp_path, range(5), "plate.{:04d}.png")
    with pytest.raises(SequenceAmbiguousError):
        open_clip(tmp_path)
    assert open_clip(tmp_path / "plate.0001.png").info.frame_count == 5
    with pytest.raises(ClipEmptyError):
        open_clip(tmp_path / "matte.####.png")


def test_one_number_twice_is_refused(tmp_path: Path) -> None:
    write_numbered(tmp_path, [1, 2], "{:04d}.png")
    write_numbered(tmp_path, [2], "{}.png")
    with pytest.raises(SequenceAmbiguousError):
        open_clip(tmp_path)


def test_a_picture_of_another_size_is_named(tmp_path: Path) -> None:
    write_numbered(tmp_path, range(4))
    write_picture(tmp_path / "shot.0002.png", painted(2, 64, 50))
    with pytest.raises(SizesDifferError, match=r"shot\.0002\.png is 64 x 50"):
        open_clip(tmp_path)


def test_a_lone_picture_is_a_clip_of_one_frame(tmp_path: Path) -> None:
    Image.fromarray(painted(7)).save(tmp_path / "still.png")
    clip = open_clip(tmp_path / "still.png")
    assert (clip.info.frame_count, clip.info.numbers) == (1, None)
    assert painted_number(clip.frame(0, 8)) == 7


def test_a_rate_can_be_given_and_is_24_otherwise(tmp_path: Path) -> None:
    write_numbered(tmp_path, range(2))
    assert open_clip(tmp_path).info.fps == 24
    assert open_clip(tmp_path, Fraction(30000, 1001)).info.fps == Fraction(30000, 1001)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_come_through_to_the_bit(suffix: str, tmp_path: Path) -> None:
    picture = np.random.default_rng(1).integers(0, 65536, (20, 30, 3), np.uint16)
    if suffix == "tif":
        tifffile.imwrite(tmp_path / "a_1.tif", picture)
    else:
        write_picture(tmp_path / "a_1.png", picture)
    clip = open_clip(tmp_path)
    np.testing.assert_array_equal(clip.frame(0, 16), picture)
    assert np.abs(clip.frame(0, 8) - picture / 257).max() <= 0.5
    assert any("16 bits" in text for text in reductions(clip.info, 8))


@pytest.mark.parametrize(
    ("mode", "has_alpha"), [("L", False), ("RGBA", True), ("P", False), ("1", False), ("LA", True)]
)
def test_every_kind_of_png_gives_its_rgb(mode: str, has_alpha: bool, tmp_path: Path) -> None:
    Image.fromarray(painted(99)).convert(mode, dither=Image.Dither.NONE).save(tmp_path / "a_1.png")
    clip = open_clip(tmp_path)
    assert clip.frame(0, 8).shape == (48, 64, 3)
    assert painted_number(clip.frame(0, 8)) == 99
    assert clip.info.has_alpha == has_alpha


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_photo_stands_upright(orientation: int, tmp_path: Path) -> None:
    """Pillow's own reading of the Exif tag is the truth."""
    image = Image.fromarray(painted(3))
    image.getexif()[274] = orientation
    exif = image.getexif()
    image.save(tmp_path / "a.jpg", quality=95, exif=exif)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "a.jpg")))
    assert np.abs(read_picture(tmp_path / "a.jpg").astype(int) - upright).max() <= 3


@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from(["PNG", "JPEG", "TIFF"]))
def test_a_pictures_head_tells_its_size(width: int, height: int, kind: str) -> None:
    file = io.BytesIO()
    Image.new("RGB", (width, height)).save(file, kind)
    assert size_or_none(io.BytesIO(file.getvalue())) == (width, height)


@given(st.binary(max_size=200), st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"II*\0", b"MM\0*", b""]))
def test_no_head_however_broken_breaks_the_reader(rest: bytes, magic: bytes) -> None:
    size = size_or_none(io.BytesIO(magic + rest))
    assert size is None or len(size) == 2


def test_equal_pictures_are_equal_files(tmp_path: Path) -> None:
    picture = np.random.default_rng(1).integers(0, 65536, (20, 30, 4), np.uint16)
    write_picture(tmp_path / "a.png", picture)
    write_picture(tmp_path / "b.png", picture.copy())
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png"), picture)


@given(
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), max_size=8),
    st.integers(0, 10**9),
)
def test_a_number_is_found_behind_any_name(name: str, number: int) -> None:
    parts = NumberedName.parse_or_none(f"{name}v2_{number:04d}.png")
    assert parts is not None
    assert (parts.head, parts.number, parts.tail) == (f"{name}v2_", number, ".png")


@given(st.sets(st.integers(0, 500), min_size=1))
def test_gaps_are_all_numbers_that_lack_between_the_ends(numbers: set[int]) -> None:
    missing = {number for run in gaps_in(tuple(sorted(numbers))) for number in run}
    assert missing == set(range(min(numbers), max(numbers))) - numbers


def test_a_gap_as_wide_as_a_date_is_told_at_once(tmp_path: Path) -> None:
    write_numbered(tmp_path, [19700101120000, 20261231235959], "IMG_{}.png")
    with pytest.raises(SequenceGapError, match="19700101120001 to 20261231235958 are missing"):
        open_clip(tmp_path)


def test_a_sequence_full_of_gaps_tells_a_dozen(tmp_path: Path) -> None:
    write_numbered(tmp_path, list(range(0, 60, 2)))
    with pytest.raises(SequenceGapError, match=r"Frames 1, 3, 5.* 23 and in 17 more gaps are missing"):
        open_clip(tmp_path)
