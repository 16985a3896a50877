# SPDX-License-Identifier: GPL-3.0-or-later
"""The test command gives each test to the environment that can run it, and says what it is run with."""

from pathlib import Path

import pytest

from tools.environments import WAN, WORKER
from tools.testing import GOLDEN_VARIABLE, WAN_TESTS, golden_row, shared_out, worst


def test_without_a_path_everything_runs_once() -> None:
    assert shared_out(["-x"]) == [(WAN, [WAN_TESTS, "-x"]), (WORKER, [f"--ignore={WAN_TESTS}", "-x"])]


def test_a_named_test_runs_where_it_can() -> None:
    named = ["tests/contract", "-k", "wire"]
    assert shared_out(named) == [(WORKER, named)]
    of_wan = f"{WAN_TESTS}/conftest.py"
    assert shared_out([of_wan, "-x", "tests/contract"]) == [(WAN, [of_wan, "-x"]), (WORKER, ["tests/contract", "-x"])]


@pytest.mark.parametrize(("codes", "sum_of_them"), [([0, 0], 0), ([5, 0], 0), ([5, 5], 5), ([1, 5], 1), ([0, 2], 2)])
def test_a_run_that_had_nothing_to_run_counts_only_where_all_had_nothing(codes: list[int], sum_of_them: int) -> None:
    assert worst(codes) == sum_of_them


def test_the_table_says_which_official_numbers_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(GOLDEN_VARIABLE, raising=False)
    assert "the copied part runs" in golden_row()[2]
    monkeypatch.setenv(GOLDEN_VARIABLE, str(tmp_path))
    assert golden_row()[1:] == ("run", str(tmp_path))
    monkeypatch.setenv(GOLDEN_VARIABLE, str(tmp_path / "nowhere"))
    assert golden_row()[1] == "fails"
