# SPDX-License-Identifier: GPL-3.0-or-later
"""What a zip is made of is refused before it is built where it could not serve every Blender, or has no licence."""

import tomllib
import zipfile
from pathlib import Path

import pytest

from tools.failures import LicenceMissingError, WheelNarrowError
from tools.layout import ROOT
from tools.licences import write_licences
from tools.wheels import refuse_narrow
from tools.zips import shipped_manifest


def wheel(folder: Path, metadata: str, **texts: str) -> Path:
    path = folder / "toy-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("toy-1.dist-info/METADATA", f"Name: toy\nVersion: 1\n{metadata}\n\nLicense: not this one\n")
        for name, text in texts.items():
            archive.writestr(f"toy-1.dist-info/licenses/{name}", text)
    return path


@pytest.mark.parametrize(
    "metadata", ["License-Expression: MIT", "License: MIT", "Classifier: License :: OSI Approved :: MIT"]
)
def test_a_licence_is_named_and_its_text_taken_out_of_the_wheel(metadata: str, tmp_path: Path) -> None:
    write_licences([wheel(tmp_path, metadata, LICENSE="be kind", NOTICE="by a test")], tmp_path / "into")
    assert (tmp_path / "into" / "toy" / "LICENSE").read_text() == "be kind"
    assert (tmp_path / "into" / "toy" / "NOTICE").read_text() == "by a test"
    assert (tmp_path / "into" / "README.txt").read_text().splitlines()[-1] == "toy 1, MIT: toy/"


@pytest.mark.parametrize(("metadata", "texts"), [("License: MIT", {}), ("", {"LICENSE": "be kind"})])
def test_a_wheel_without_a_licences_name_or_text_is_refused(
    metadata: str, texts: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(LicenceMissingError, match="toy-1-py3-none-any"):
        write_licences([wheel(tmp_path, metadata, **texts)], tmp_path / "into")


def test_a_wheel_for_one_python_is_refused() -> None:
    refuse_narrow([Path("a-1-py3-none-any.whl"), Path("b-1-cp37-abi3-win_amd64.whl")])
    with pytest.raises(WheelNarrowError, match="c-1-cp311"):
        refuse_narrow([Path("c-1-cp311-cp311-win_amd64.whl")])


def test_the_manifest_that_ships_is_the_tracked_one_with_wheels_and_a_platform() -> None:
    tracked = (ROOT / "blender_manifest.toml").read_text(encoding="utf-8")
    shipped = tomllib.loads(shipped_manifest(tracked, "linux-x64", ["a-1-py3-none-any.whl"]))
    added = {"platforms": ["linux-x64"], "wheels": ["./wheels/a-1-py3-none-any.whl"]}
    assert shipped == tomllib.loads(tracked) | added
