# SPDX-License-Identifier: GPL-3.0-or-later
"""A package at the root is in the way of pytest and mypy: a clone's folder need not be an identifier."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.checks import CHECKS, environment_of
from tools.layout import CACHE


@pytest.fixture(scope="module")
def clone(files: tuple[Path, ...], root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy what is tracked, or would be, into a folder whose name no package could have."""
    folder = tmp_path_factory.mktemp("beside") / "a-clone.2"
    for path in files:
        target = folder / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    return folder


def run(words: tuple[str, ...], clone: Path, python: Path = Path(sys.executable)) -> subprocess.CompletedProcess[str]:
    """Run a module there as in a checkout, without this run's settings; mypy may know what it has read before."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "MYPY", "PYTHON"))}
    clean["MYPY_CACHE_DIR"] = str(CACHE / "mypy_of_clones")
    command = [str(python), "-m", *words]
    return subprocess.run(command, cwd=clone, env=clean, capture_output=True, text=True, check=False)


def test_there_is_no_blender_in_this_environment() -> None:
    assert importlib.util.find_spec("bpy") is None


@pytest.mark.parametrize("name", [name for name in CHECKS if name != "walls"])  # those are the tests beside this one
def test_the_code_is_clean_in_a_clone_of_any_name(name: str, clone: Path) -> None:
    ran = run(CHECKS[name], clone, environment_of(name).interpreter)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_pytest_finds_the_tests_in_a_clone_of_any_name(clone: Path) -> None:
    ran = run(("pytest", "--collect-only", "--quiet"), clone)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_pytest_runs_tests_in_a_clone_of_any_name(clone: Path) -> None:
    ran = run(("pytest", "--quiet", "tests/contract"), clone)
    assert ran.returncode == 0, ran.stdout + ran.stderr
