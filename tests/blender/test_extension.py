# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's own tools take the extension: built, validated, installed, switched on and off and on again."""

import shutil
import zipfile
from pathlib import Path

import pytest

from tests.blender.blenders import Blender

ROOT = Path(__file__).resolve().parents[2]

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
def package(blender: Blender, tmp_path: Path) -> Path:
    """Build the zip by the tool that Blender itself brings along."""
    source = tmp_path / "source"
    source.mkdir()
    for name in _SHIPPED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, source / name)
    blender.run(blender.extension_tool, "build", "--source-dir", source, "--output-dir", tmp_path)
    built = next(tmp_path.glob("understudy-*.zip"))
    blender.run(blender.extension_tool, "validate", built)
    return built


def test_the_zip_holds_the_extension_and_nothing_of_its_workshop(package: Path) -> None:
    names = zipfile.ZipFile(package).namelist()
    assert {"blender_manifest.toml", "__init__.py", "LICENSE", "backend/__main__.py"} <= set(names)
    assert [name for name in names if name.startswith(("tests", "tools", "docs")) or "__pycache__" in name] == []


def test_blender_installs_it_and_switches_it_on_and_off_and_on(blender: Blender, package: Path) -> None:
    blender.run("-c", _INSTALL, package)
