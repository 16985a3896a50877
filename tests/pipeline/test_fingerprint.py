# SPDX-License-Identifier: GPL-3.0-or-later
"""A fingerprint follows content, whatever stands for it, and is taken once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backend.contract.errors import StoppedError
from backend.pipeline import fingerprint
from backend.pipeline.fingerprint import Fingerprints


@pytest.fixture
def sequence(tmp_path: Path) -> Path:
    folder = tmp_path / "plates"
    folder.mkdir()
    for number in range(3):
        (folder / f"a.{number:04d}.png").write_bytes(bytes([number]))
    return folder


@pytest.mark.parametrize("named", ["", "a.0001.png", "a.####.png"])
def test_a_change_of_any_frame_is_seen_however_the_sequence_is_named(
    named: str, sequence: Path, tmp_path: Path
) -> None:
    taken = Fingerprints(tmp_path / "memory.json")
    before = taken.take_clip(sequence / named)
    (sequence / "a.0002.png").write_bytes(b"another")
    assert taken.take_clip(sequence / named).digest != before.digest


def test_a_frame_of_another_number_is_another_sequence(sequence: Path, tmp_path: Path) -> None:
    taken = Fingerprints(tmp_path / "memory.json")
    before = taken.take_clip(sequence)
    (sequence / "a.0002.png").rename(sequence / "a.0003.png")
    (sequence / "a.0001.png").rename(sequence / "a.0002.png")
    (sequence / "a.0000.png").rename(sequence / "a.0001.png")
    assert taken.take_clip(sequence).digest != before.digest


def test_a_folder_has_one_fingerprint_in_whatever_order_a_system_lists_it(
    sequence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, listed = Fingerprints(tmp_path / "memory.json").take(sequence), sorted(sequence.iterdir())
    for order in (listed, listed[::-1]):
        monkeypatch.setattr(Path, "iterdir", lambda _, order=order: iter(order))
        assert Fingerprints(tmp_path / "memory.json").take(sequence) == before


def test_a_file_keeps_its_fingerprint_under_another_name(tmp_path: Path) -> None:
    taken, (one, two) = Fingerprints(tmp_path / "memory.json"), (tmp_path / "one.mp4", tmp_path / "two.mp4")
    for path in (one, two):
        path.write_bytes(b"same")
    assert taken.take(one).digest == taken.take(two).digest


def test_a_large_file_is_read_once_also_by_the_next_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"frames")
    before = Fingerprints(tmp_path / "memory.json").take(clip)
    monkeypatch.setattr(fingerprint, "_hash_file", lambda path, _: pytest.fail(f"{path} was read again"))
    assert Fingerprints(tmp_path / "memory.json").take(clip) == before


def test_what_is_read_is_told_as_it_goes_and_may_be_ended_in_the_middle(tmp_path: Path) -> None:
    clip, taken, told = tmp_path / "clip.mp4", Fingerprints(tmp_path / "memory.json"), list[int]()
    clip.write_bytes(bytes(40 << 20))  # two pieces of 16 mebibytes, and a half

    def stop_after_two(read_bytes: int) -> None:
        told.append(read_bytes)
        if len(told) == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        taken.take(clip, stop_after_two)
    assert told == [16 << 20, 32 << 20]
    assert taken.take(clip, told.append).digest
    assert told[2:] == [16 << 20, 32 << 20, 40 << 20]
    assert taken.take(clip, told.append).digest and len(told) == 5


def test_a_stop_among_many_files_forgets_none_that_was_read(sequence: Path, tmp_path: Path) -> None:
    told = list[int]()

    def stop_at_the_third(read_bytes: int) -> None:
        told.append(read_bytes)
        if len(told) == 3:
            raise StoppedError

    with pytest.raises(StoppedError):
        Fingerprints(tmp_path / "memory.json").take(sequence, stop_at_the_third)
    told.clear()
    assert Fingerprints(tmp_path / "memory.json").take(sequence, told.append).digest
    assert len(told) == 1


def test_a_file_that_was_written_again_is_read_again(tmp_path: Path) -> None:
    clip, taken = tmp_path / "clip.mp4", Fingerprints(tmp_path / "memory.json")
    clip.write_bytes(b"frames")
    before = taken.take(clip)
    clip.write_bytes(b"others")
    os.utime(clip, ns=(1, 1))
    assert taken.take(clip).digest != before.digest


def test_a_damaged_memory_only_costs_time(tmp_path: Path) -> None:
    (tmp_path / "memory.json").write_text("[")
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"frames")
    assert Fingerprints(tmp_path / "memory.json").take(clip).digest


def test_the_hash_of_a_file_is_that_of_other_programs(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"abc")
    taken = Fingerprints(tmp_path / "memory.json").take(tmp_path / "a.bin").digest
    assert taken == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, appendix B.1
