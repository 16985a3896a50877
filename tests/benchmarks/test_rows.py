# SPDX-License-Identifier: GPL-3.0-or-later
"""The table and the command that prints it."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.contract.events import Delivered, StageDone
from benchmarks.__main__ import ROWS, TABLE, main
from benchmarks.bench import FOOTAGE_VARIABLE
from benchmarks.table import Row, markdown
from benchmarks.worker import Worked


def test_every_row_of_the_table_has_as_many_cells_as_its_head() -> None:
    lines = markdown([Row("a", "b", "c", "d", True), Row("a", "b", "c", "d", None)]).splitlines()
    assert {line.count("|") for line in lines} == {6}
    assert "met" in lines[2]


def test_what_can_not_be_measured_says_why_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(FOOTAGE_VARIABLE, raising=False)
    assert main(["speed", "sanity", "--quick", f"--output={tmp_path}"]) == 0
    table = (tmp_path / TABLE).read_text("utf-8")
    assert table == capsys.readouterr().out
    assert table.count("Skipped: ") == 3
    assert FOOTAGE_VARIABLE in table


def test_help_lists_every_row(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert all(f"  {name} " in said for name in ROWS)


def test_delivering_lasts_from_the_last_stage_to_the_version() -> None:
    events = (
        (2.0, StageDone(stage="generate", key="a", seconds=1.5)),
        (4.0, StageDone(stage="generate", key="b", seconds=1.0)),
        (9.0, Delivered(folder="", version=1, first_number=1, frame_count=1, passes=(), sheet="")),
    )
    assert Worked(Path(), events, 0).stage_seconds() == {"generate": 2.5, "deliver": 5.0}
