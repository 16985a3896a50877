# SPDX-License-Identifier: GPL-3.0-or-later
"""The test command gives each test to the environment that can run it, and says what it is run with."""

from pathlib import Path

import pytest

from tools.environments import WAN, WORKER
from tools.testing import NAMED, WAN_TESTS, Named, named_row, shared_out, worst


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


@pytest.mark.parametrize("named", NAMED, ids=lambda named: named.variable)
def test_the_table_says_what_a_variable_names(named: Named, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(named.variable, raising=False)
    assert named.without in named_row(named)[2]
    place = tmp_path if named.is_folder else tmp_path / "blender"
    monkeypatch.setenv(named.variable, str(place))
    place.mkdir(exist_ok=True) if named.is_folder else place.touch()
    assert named_row(named)[1:] == ("run", str(place))
    monkeypatch.setenv(named.variable, str(tmp_path / "nowhere"))
    assert named_row(named)[1] == named.astray
