# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.media.versions import Version, claim, find_delivered_or_none, replace_text


def delivered(folder: Path, name: str, job_id: str) -> int:
    version = claim(folder, name, job_id)
    assert version.publish()
    return version.number


def test_versions_count_up_and_names_do_not_mix(tmp_path: Path) -> None:
    assert [delivered(tmp_path, "shot", f"job{n}") for n in range(3)] == [1, 2, 3]
    assert delivered(tmp_path, "shot_b", "job9") == 1
    assert delivered(tmp_path, "sh.t", "job8") == 1


def test_a_gap_is_not_filled_for_versions_go_up(tmp_path: Path) -> None:
    (tmp_path / "shot_v002").mkdir()
    (tmp_path / "shot_v1007").mkdir()
    assert delivered(tmp_path, "shot", "a") == 1008


def test_a_claim_is_kept_for_the_job_that_made_it(tmp_path: Path) -> None:
    first = claim(tmp_path, "shot", "a")
    (first.partial / "comp").mkdir()
    (first.partial / "comp" / "half.png").touch()
    assert claim(tmp_path, "shot", "b").number == 2
    again = claim(tmp_path, "shot", "a")
    assert again.number == 1
    assert [path.name for path in again.partial.iterdir()] == ["shot_v001.json"]


def test_many_claims_at_once_never_meet(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        versions = list(pool.map(lambda n: claim(tmp_path, "shot", f"job{n}").number, range(40)))
    assert sorted(versions) == list(range(1, 41))


def test_a_version_delivered_since_the_look_is_not_claimed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    delivered(tmp_path, "shot", "a")
    monkeypatch.setattr("backend.media.versions._versions", lambda folder, name: iter(()))
    assert claim(tmp_path, "shot", "b").number == 2
    assert {path.name for path in tmp_path.iterdir()} == {"shot_v001", ".shot_v002.partial"}


def test_a_folder_made_by_hand_meanwhile_is_never_replaced(tmp_path: Path) -> None:
    version = claim(tmp_path, "shot", "a")
    version.delivered.mkdir()
    (version.delivered / "mine.txt").write_text("keep")
    assert not version.publish()
    assert (version.delivered / "mine.txt").read_text() == "keep"


def test_a_folder_made_by_hand_meanwhile_is_kept_though_it_is_empty(tmp_path: Path) -> None:
    version = claim(tmp_path, "shot", "a")
    version.delivered.mkdir()
    assert not version.publish()
    assert list(version.delivered.iterdir()) == []


def test_whoever_has_a_text_open_while_it_is_replaced_reads_the_old_one_whole(tmp_path: Path) -> None:
    path = tmp_path / "shot.json"
    replace_text(path, "old")
    with path.open("rb") as reader:
        replace_text(path, "new")
        assert reader.read() == b"old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_job_finds_what_it_delivered_and_nothing_else(tmp_path: Path) -> None:
    assert find_delivered_or_none(tmp_path / "not there", "shot", "a") is None
    claim(tmp_path, "shot", "a")
    assert find_delivered_or_none(tmp_path, "shot", "a") is None
    delivered(tmp_path, "shot", "a")
    (tmp_path / "shot_v009").mkdir()
    (tmp_path / "shot_v009" / "shot_v009.json").write_text("not json")
    assert find_delivered_or_none(tmp_path, "shot", "a") == Version(tmp_path, "shot", 1)


@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=8))
def test_any_name_a_file_can_have_is_versioned(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    folder = tmp_path_factory.mktemp("any")
    assert [delivered(folder, name, job) for job in "ab"] == [1, 2]
