# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs a test in real Blenders, in all of them or in those that the test names; and the extension's zip.

@pytest.mark.parametrize("blender", THOROUGH, indirect=True)
def test_a_strip_is_placed(blender: Blender) -> None: ...
"""

from pathlib import Path

import pytest

from tests.blender.blenders import ENVIRONMENTS, EVERY, Blender
from tools.wheels import are_in_place, this_platform
from tools.zips import build_zip


def blender_or_skip(version: str, user_folder: Path) -> Blender:
    """Give a Blender with this user folder; skip where this machine has none of that version."""
    environment = ENVIRONMENTS[version]
    if not environment.interpreter.exists():
        pytest.skip(
            f"{environment.purpose} is not in place; `python3.11 -m tools test` makes it "
            f"where there is a Python {environment.python}"
        )
    return Blender(version, environment.interpreter, user_folder)


@pytest.fixture(params=EVERY)
def blender(request: pytest.FixtureRequest, tmp_path: Path) -> Blender:
    """A Blender with a fresh user folder."""
    return blender_or_skip(request.param, tmp_path / "blender")


@pytest.fixture(scope="session")
def extension_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the zip for this machine, as `python3.11 -m tools zip` does, from what is tracked in this checkout."""
    platform = this_platform()
    if not are_in_place(platform):
        pytest.skip(f"the extension's wheels for {platform} are not in place; `python3.11 -m tools test` fetches them")
    return build_zip(platform, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module", params=EVERY)
def installed(request: pytest.FixtureRequest, extension_zip: Path, tmp_path_factory: pytest.TempPathFactory) -> Blender:
    """A Blender into which the zip was installed, shared by a module's tests."""
    blender = blender_or_skip(request.param, tmp_path_factory.mktemp("blender"))
    blender.install(extension_zip, "understudy")
    return blender
