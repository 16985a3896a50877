# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tools.type_checks`: mypy over worker and workshop by path, and over Blender's side as a package."""

from __future__ import annotations

import os
import subprocess
import sys

from .as_package import package_folder, rooms_here
from .layout import ROOT


def main() -> int:
    """Run both; return how many failed."""
    environment = {**os.environ, "MYPYPATH": str(package_folder())}
    packages = [
        word for room in rooms_here() for word in ("-p" if (ROOT / room.partition(".")[2]).is_dir() else "-m", room)
    ]
    runs = [[], *([packages] if packages else [])]
    command = [sys.executable, "-m", "mypy"]
    return sum(
        subprocess.run([*command, *words], cwd=ROOT, env=environment, check=False).returncode != 0 for words in runs
    )


if __name__ == "__main__":
    sys.exit(main())
