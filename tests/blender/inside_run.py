# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts of `inside/` in a real Blender, with the extension as the package that it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.blender.blenders import Blender
from tools.as_package import package_folder
from tools.layout import ROOT


def run_inside(blender: Blender, script: str, folder: Path) -> dict[str, Any]:
    """Run a script with a folder as its word, and return what it wrote to `said.json` there."""
    path = f"{ROOT}:{package_folder()}"
    blender.run(Path(__file__).with_name("inside") / script, folder, variables={"PYTHONPATH": path})
    return dict(json.loads((folder / "said.json").read_text()))
