# SPDX-License-Identifier: GPL-3.0-or-later
"""The Wan engine's Python environment, made in real Blenders from a mirror on this machine."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.blender.blenders import ENVIRONMENTS, THOROUGH
from tests.blender.conftest import blender_or_skip
from tests.environment.mirror import Mirror
from tools.layout import ROOT

MB = 1_000_000


@pytest.fixture(scope="module", params=THOROUGH)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What that Blender tells of `inside/environment.py`."""
    folder: Path = tmp_path_factory.mktemp("environment")
    blender = blender_or_skip(request.param, folder / "blender")
    (folder / "mirror").mkdir()
    mirror = Mirror(folder / "mirror")
    for name in ("first", "second"):
        mirror.add(name, 4 * MB)
    mirror.lock(folder / "list.txt", python=ENVIRONMENTS[request.param].python)
    mirror.stalls_at, mirror.go_on = "second", folder / "go_on"
    installed = folder / "blender" / "extensions" / "user_default"
    installed.mkdir(parents=True)
    (installed / "understudy").symlink_to(ROOT, target_is_directory=True)
    variables = {"PYTHONPATH": str(ROOT), **mirror.settings}
    script = Path(__file__).parent / "inside" / "environment.py"
    try:
        blender.run(script, folder, variables=variables)
    finally:
        mirror.close()
    return {"given": mirror.given, **json.loads((folder / "said.json").read_text())}


def test_offline_nothing_is_fetched_and_the_words_say_what_to_do(told: dict[str, Any]) -> None:
    assert "Allow Online Access" in told["refused"]["offline"]


def test_the_wan_engine_without_a_whole_environment_is_refused(told: dict[str, Any]) -> None:
    assert "Create Environment" in told["refused"]["none"]
    assert "does not exist" in told["refused"]["gone"]
    assert "not whole" in told["refused"]["unfinished"]


def test_the_click_does_not_wait_and_progress_comes_in_megabytes(told: dict[str, Any]) -> None:
    assert told["created"]["goes_on"]  # when the click is over: the mirror stalls until it has been stopped
    stage, done_mb, total_mb, is_busy = told["created"]["in_between"]
    assert (stage, total_mb, is_busy) == ("fetch", 8, True)
    assert 6 <= done_mb < 8  # in the middle of the second
    assert "being worked on" in told["created"]["twice"]


def test_what_was_stopped_is_gone_on_with_and_nothing_is_fetched_twice(told: dict[str, Any]) -> None:
    assert "Create Environment" in told["created"]["stopped"]
    assert told["given"] == ["first", "second", "second"]


def test_what_was_made_is_chosen_and_looked_at_in_its_own_python(told: dict[str, Any]) -> None:
    created = told["created"]
    assert "wan_environment/python3.11/bin/python" in created["python"]
    assert created["libraries"][0].endswith("wan_environment/python3.11/lib/python3.11/site-packages")
    assert created["draft"] != created["python"]
    message, hint, ready = created["end"]
    assert "lacks torch" in message and hint and not ready  # the mirror has none


def test_the_preferences_show_how_far_it_is(told: dict[str, Any]) -> None:
    assert told["drawn"] == [
        "understudy.create_environment",
        "understudy.stop_environment",
        "understudy.check_environment",
        "0.25 Fetching packages, 500 of 2,000 MB, 1:30 left",
        "Ready: torch 2",
    ]
