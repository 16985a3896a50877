# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guards look at: the files of this checkout, by git where there is git."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_NOT_OURS = {".git", ".envs", ".cache", "out", "build", "dist", ".mypy_cache", ".ruff_cache", ".pytest_cache"}


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def files(root: Path) -> tuple[Path, ...]:
    """Every file that is tracked or would be; in a copy without git, every file that is not made by a tool."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        found = [root / name for name in listed.stdout.split("\0") if name]
    else:
        found = [path for path in root.rglob("*") if not _NOT_OURS & set(path.relative_to(root).parts)]
    return tuple(sorted(path for path in found if path.is_file()))


@pytest.fixture(scope="session")
def sources(files: tuple[Path, ...]) -> tuple[Path, ...]:
    return tuple(path for path in files if path.suffix == ".py")
