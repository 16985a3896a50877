# SPDX-License-Identifier: GPL-3.0-or-later
"""What a worker says beside its answer is in the panel with it."""

from pathlib import Path

from tests.blender.blenders import Blender
from tests.blender.inside_run import run_inside


def test_what_a_preview_leaves_out_is_told_above_its_picture(blender: Blender, tmp_path: Path) -> None:
    drawn = run_inside(blender, "answers.py", tmp_path)["drawn"]
    others = list(map(str, range(49)))  # of sixty: fifty notices are kept, each once
    assert drawn == ["Preview of frame 3", "Keys are left out.", *others, "understudy.open_preview"]
