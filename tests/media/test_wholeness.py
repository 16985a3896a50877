# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.media.movierate import STANDARD_RATES, rate_of
from backend.media.wholeness import is_cut_off_or_none

from ..painted import write_movie


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.avi"])
def test_a_file_lacks_nothing_until_its_last_byte_is_gone(name: str, tmp_path: Path) -> None:
    path = write_movie(tmp_path / name, 8)
    assert is_cut_off_or_none(path) is False
    path.write_bytes(path.read_bytes()[:-1])
    assert is_cut_off_or_none(path) is True


def test_of_a_live_recording_nobody_can_tell(tmp_path: Path) -> None:
    assert is_cut_off_or_none(write_movie(tmp_path / "a.mkv", 8, muxing={"live": "1"})) is None
    assert is_cut_off_or_none(write_movie(tmp_path / "a.ts", 8)) is None


_MAGICS = [b"\0\0\0\x10ftyp", b"\0\0\0\x01mdat", b"\x1a\x45\xdf\xa3", b"RIFF", b""]


@given(st.sampled_from(_MAGICS), st.binary(max_size=64))
def test_no_file_however_broken_breaks_the_check(
    tmp_path_factory: pytest.TempPathFactory, magic: bytes, rest: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "broken"
    path.write_bytes(magic + rest)
    assert is_cut_off_or_none(path) in (True, False, None)


@given(
    st.sampled_from(STANDARD_RATES),
    st.sampled_from([1000, 12800, 24000, 90000]),
    st.integers(12, 2000),
    st.integers(0, 10**6),
)
def test_a_rate_is_told_from_stamps_rounded_to_any_tick(
    rate: Fraction, ticks_a_second: int, count: int, start: int
) -> None:
    """Enough frames tell 24 from 23.976 where the tick is fine; a coarse tick needs the rate that the file declares."""
    stamps = np.array([start + round(n * ticks_a_second / rate) for n in range(count)], np.int64)
    assert rate_of(stamps, Fraction(1, ticks_a_second), [rate]) == (rate, True)


@given(st.integers(2, 200), st.integers(0, 2**31))
def test_uneven_stamps_give_their_average(count: int, seed: int) -> None:
    steps = np.random.default_rng(seed).integers(20, 400, count)
    steps[0], steps[-1] = 20, 399
    stamps = np.concatenate([[0], np.cumsum(steps)])
    rate, is_even = rate_of(stamps, Fraction(1, 1000), [Fraction(24)])
    assert not is_even
    assert abs(float(rate) - count / (stamps[-1] / 1000)) < 1e-3
