# SPDX-License-Identifier: GPL-3.0-or-later
"""Every button and every setting says what it does, and the search finds all that can be meant without a row."""

from pathlib import Path

import pytest

from tests.blender.blenders import Blender
from tests.blender.inside_run import run_inside


@pytest.mark.parametrize("blender", ["4.2", "5.2"], indirect=True)
def test_everything_has_a_tooltip_and_is_searched(blender: Blender, tmp_path: Path) -> None:
    said = run_inside(blender, "tooltips.py", tmp_path)
    assert said["operators"] > 20
    assert said["silent operators"] == said["ended by a stop"] == []
    assert said["silent properties"] == []
    assert said["not searched"] == [f"understudy.remove_{of_a_row}" for of_a_row in ("casting", "joint", "lora")]
