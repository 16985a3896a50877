# SPDX-License-Identifier: GPL-3.0-or-later
"""One version, written in three places because three programs read it."""

import tomllib
from pathlib import Path

from backend.version import VERSION


def test_worker_project_and_manifest_say_the_same_version(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    manifest = tomllib.loads((root / "blender_manifest.toml").read_text(encoding="utf-8"))
    assert VERSION == project["version"] == manifest["version"]
