# SPDX-License-Identifier: GPL-3.0-or-later
"""Results find their strip whatever was undone since the job was started."""

from pathlib import Path
from typing import Any

import cv2
import pytest

from tests.blender.blenders import EVERY
from tests.blender.conftest import blender_or_skip
from tests.blender.delivery import write_delivery
from tests.blender.inside_run import run_inside
from tests.painted import painted, write_movie

PASSES = 7
START = 11
MOVED = 16
"""Where the strip's content starts at first, and after it was moved."""


@pytest.fixture(scope="module", params=EVERY)
def said(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What that Blender tells of `inside/undo.py`."""
    folder: Path = tmp_path_factory.mktemp("undo")
    blender = blender_or_skip(request.param, folder / "blender")
    write_movie(folder / "dance.mov", 6)
    cv2.imwrite(str(folder / "character.png"), painted(0))
    write_delivery(folder / "delivered", [painted(number) for number in range(6)])
    return run_inside(blender, "undo.py", folder)


def test_a_strip_is_found_when_something_else_was_undone_and_redone(said: dict[str, Any]) -> None:
    assert said["something_else"] == [PASSES, [MOVED], ""]


def test_a_strip_is_found_when_undo_went_back_before_the_job_was_started(said: dict[str, Any]) -> None:
    assert said["back_before_the_start"] == [PASSES, [MOVED], ""]
    assert said["name_of_before"] == ["of before", PASSES, [MOVED], ""]


def test_a_strip_that_undo_took_away_is_told_and_nothing_ends_what_redo_can_bring_back(said: dict[str, Any]) -> None:
    assert said["gone"]["undone"] == [0, 0, [], "The strip talk is gone."]
    assert said["gone"]["redone"][:2] == [PASSES, [MOVED]]


def test_placing_is_one_step(said: dict[str, Any]) -> None:
    assert said["gone"]["placing undone"] == [0, []]
    assert said["gone"]["placing redone"] == [PASSES, [MOVED]]


def test_another_strip_in_its_place_is_not_taken_for_it(said: dict[str, Any]) -> None:
    assert said["another"] == [0, [], "The strip talk is gone."]


def test_a_mark_goes_to_no_strip_but_the_one_that_is_back_by_name_and_place(said: dict[str, Any]) -> None:
    given = {where for where, is_given in said["alike"].items() if is_given}
    assert given == {"by name and place"}
