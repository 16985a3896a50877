# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's own tools take the extension: built, validated, installed, switched on and off and on again.

Blender runs as a process: this environment holds none, and one process holds one.
"""

import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.environments import BPY45

ROOT = Path(__file__).resolve().parents[2]
RunPython = Callable[..., str]

_SHIPPED = ("blender_manifest.toml", "__init__.py", "LICENSE", "README.md", "backend", "tests", "tools", "docs")
_INSTALL = """
import sys, bpy, addon_utils
name = "bl_ext.user_default.understudy"
bpy.ops.extensions.package_install_files(filepath=sys.argv[1], repo="user_default", enable_on_install=True)
assert addon_utils.check(name) == (True, True), "not installed"
addon_utils.disable(name)
assert addon_utils.check(name)[1] is False, "not switched off"
addon_utils.enable(name)
assert addon_utils.check(name)[1] is True, "not switched on again"
"""


@pytest.fixture
def run_python(tmp_path: Path) -> RunPython:
    """Run Blender's Python with words and return what it wrote; its user folders are this test's."""
    if not BPY45.interpreter.exists():
        pytest.skip("Blender 4.5's environment is not made; `python3.11 -m tools test` makes it")

    def run(*words: str) -> str:
        environment = {"BLENDER_USER_RESOURCES": str(tmp_path / "blender"), "PATH": "/usr/bin:/bin"}
        command = [str(BPY45.interpreter), *words]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    return run


@pytest.fixture
def package(run_python: RunPython, tmp_path: Path) -> Path:
    """Build the zip by the tool that Blender itself brings along."""
    source = tmp_path / "source"
    source.mkdir()
    for name in _SHIPPED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, source / name)
    tool = next(BPY45.folder.rglob("bl_pkg/cli/blender_ext.py"))
    run_python(str(tool), "build", "--source-dir", str(source), "--output-dir", str(tmp_path))
    built = next(tmp_path.glob("understudy-*.zip"))
    run_python(str(tool), "validate", str(built))
    return built


def test_the_zip_holds_the_extension_and_nothing_of_its_workshop(package: Path) -> None:
    names = zipfile.ZipFile(package).namelist()
    assert {"blender_manifest.toml", "__init__.py", "LICENSE", "backend/__main__.py"} <= set(names)
    assert [name for name in names if name.startswith(("tests", "tools", "docs")) or "__pycache__" in name] == []


def test_blender_installs_it_and_switches_it_on_and_off_and_on(run_python: RunPython, package: Path) -> None:
    run_python("-c", _INSTALL, str(package))
