# SPDX-License-Identifier: GPL-3.0-or-later
"""A result in place is whole and is never computed again; whatever interrupts a stage leaves nothing in its place."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from backend.contract.errors import StoppedError
from backend.contract.events import Event, StageDone, StageKept, StageStarted
from backend.contract.watch import Unwatched, Watch
from backend.pipeline.stage import Result, Stage
from backend.pipeline.store import Store, put_in_place


@dataclass(frozen=True)
class Word(Stage):
    name, version = "word", 1
    text: str
    before: Result | None = None
    fails: ClassVar[bool] = False

    def run(self, into: Path, watch: Watch) -> None:
        (into / "word.txt").write_text(self.text)
        watch.notice("spoken", f"{self.text} was written.")
        if self.fails:
            raise StoppedError


class Hearing(Unwatched):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def notice(self, code: str, text: str) -> None:
        self.heard.append(text)


def a_store(folder: Path, job: str = "j1") -> tuple[Store, list[Event]]:
    events: list[Event] = []
    return Store(folder, job, events.append), events


def test_a_result_in_place_is_kept_and_its_notices_are_told_again(tmp_path: Path) -> None:
    store, events = a_store(tmp_path)
    first = store.get(Word("a"), Unwatched())
    hearing = Hearing()
    assert store.get(Word("a"), hearing) == first
    assert [type(event) for event in events] == [StageStarted, StageDone, StageKept]
    assert hearing.heard == ["a was written."]


def test_the_key_follows_settings_version_and_what_came_before(tmp_path: Path) -> None:
    store, _ = a_store(tmp_path)
    before = store.get(Word("a"), Unwatched())

    class Newer(Word):
        version = 2

    keys = {stage.key for stage in (Word("a"), Word("b"), Word("a", before), Newer("a"))}
    assert len(keys) == 4
    assert Word("a").key == Word("a").key


def test_a_stage_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    class Failing(Word):
        fails = True

    store, _ = a_store(tmp_path)
    with pytest.raises(StoppedError):
        store.get(Failing("a"), Unwatched())
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_swept_by_its_own_job_and_by_no_other(tmp_path: Path) -> None:
    mine, other = tmp_path / ".word-1.j1.partial", tmp_path / ".word-2.j2.partial"
    mine.mkdir()
    other.mkdir()
    a_store(tmp_path, "j1")
    assert not mine.exists()
    assert other.exists()


def test_a_result_is_on_the_disk_before_it_is_moved_into_place_in_one_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = list[int]()

    class Seeing(Word):
        def run(self, into: Path, watch: Watch) -> None:
            super().run(into, watch)
            folders.append(into.stat().st_ino)

    def fsync(descriptor: int) -> None:
        assert not place.exists()
        synced.append(os.fstat(descriptor).st_ino)

    folders, stage = list[int](), Seeing("a")
    place = tmp_path / f"word-{stage.key}"
    monkeypatch.setattr(os, "fsync", fsync)
    a_store(tmp_path)[0].get(stage, Unwatched())
    assert [place.stat().st_ino] == folders
    assert {path.stat().st_ino for path in place.iterdir()} == set(synced)


def test_the_slower_of_two_jobs_takes_the_result_of_the_faster(tmp_path: Path) -> None:
    place, partial = tmp_path / "word", tmp_path / ".partial"
    for folder, text in ((place, "first"), (partial, "second")):
        folder.mkdir()
        (folder / "word.txt").write_text(text)
    put_in_place(partial, place)
    assert (place / "word.txt").read_text() == "first"


def test_notices_reach_the_artist_while_the_stage_runs(tmp_path: Path) -> None:
    store, _ = a_store(tmp_path)
    hearing = Hearing()
    store.get(Word("a"), hearing)
    assert hearing.heard == ["a was written."]
