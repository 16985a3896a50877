# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts of `inside/` in a real Blender, with the extension as the package that it is."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.blender.blenders import Blender
from tools.as_package import package_folder
from tools.layout import ROOT


def run_inside(blender: Blender, script: str, folder: Path, **more: str) -> dict[str, Any]:
    """Run a script with a folder as its word, and return what it wrote to `said.json` there. more: its variables."""
    variables = {"PYTHONPATH": f"{ROOT}:{package_folder()}", "UNDERSTUDY_WORKER": sys.executable, **more}
    blender.run(Path(__file__).with_name("inside") / script, folder, variables=variables)
    return dict(json.loads((folder / "said.json").read_text()))
