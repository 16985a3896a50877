# SPDX-License-Identifier: GPL-3.0-or-later
"""The zip is built and taken by Blender's own tool, and holds what an artist needs and nothing else."""

import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.blender.blenders import Blender
from tools.layout import ROOT
from tools.wheels import ZIPS, are_in_place, this_platform
from tools.zips import build_zip, laid_out


def crcs(package: Path) -> dict[str, int]:
    with zipfile.ZipFile(package) as archive:
        return {member.filename: member.CRC for member in archive.infolist()}


def test_the_zip_holds_the_extension_and_nothing_of_its_workshop(extension_zip: Path) -> None:
    names = set(crcs(extension_zip))
    ours = {"blender_manifest.toml", "__init__.py", "LICENSE", "backend/__main__.py", "wheels/networks/pose.task"}
    assert ours < names
    workshop = ("tests", "tools", "docs", "demo", "benchmarks", ".", "Makefile", "pyproject")
    assert [name for name in names if name.startswith(workshop) or "__pycache__" in name] == []
    lists = {"requirements/wan_linux.txt", "requirements/wan_macos.txt"}
    assert {name for name in names if name.startswith("requirements/") and not name.endswith("/")} == lists


def test_the_zip_holds_every_wheel_that_its_manifest_names_and_a_licence_for_each(extension_zip: Path) -> None:
    with zipfile.ZipFile(extension_zip) as archive:
        manifest = tomllib.loads(archive.read("blender_manifest.toml").decode())
        index = archive.read("wheels/licences/README.txt").decode()
        wheels = {f"./{name}" for name in archive.namelist() if name.endswith(".whl")}
    assert set(manifest["wheels"]) == wheels
    assert manifest["platforms"] == [this_platform()]
    assert index.count("\n") - 2 == len(wheels) == 6


# The tool has changed over the versions; 4.5's has built the zip.
@pytest.mark.parametrize("blender", ["4.2", "5.2"], indirect=True)
def test_the_oldest_and_the_newest_blenders_tool_build_the_same_zip(
    blender: Blender, extension_zip: Path, tmp_path: Path
) -> None:
    built = tmp_path / "built.zip"
    with laid_out(this_platform()) as stage:
        blender.run(blender.extension_tool, "build", "--source-dir", stage, "--output-filepath", built)
    assert crcs(built) == crcs(extension_zip)


def test_every_blenders_tool_takes_the_zip_and_the_bare_checkout(blender: Blender, extension_zip: Path) -> None:
    blender.run(blender.extension_tool, "validate", extension_zip)
    blender.run(blender.extension_tool, "validate", ROOT)


@pytest.mark.parametrize("platform", [name for name in ZIPS if name != this_platform()])
def test_another_platforms_zip_is_built_and_valid_too(platform: str, tmp_path: Path) -> None:
    if not are_in_place(platform):
        pytest.skip(f"the wheels for {platform} are not in place; `python3.11 -m tools test-all` fetches them")
    build_zip(platform, tmp_path)  # raises where Blender's own tool finds a fault
