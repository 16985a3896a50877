# SPDX-License-Identifier: GPL-3.0-or-later
"""The fixture that runs a test in real Blenders: in all of them, or in those that the test names.

@pytest.mark.parametrize("blender", THOROUGH, indirect=True)
def test_a_strip_is_placed(blender: Blender) -> None: ...
"""

from pathlib import Path

import pytest

from tests.blender.blenders import ENVIRONMENTS, EVERY, Blender


@pytest.fixture(params=EVERY)
def blender(request: pytest.FixtureRequest, tmp_path: Path) -> Blender:
    """Give a Blender with a fresh user folder; skip where this machine has none of that version."""
    environment = ENVIRONMENTS[request.param]
    if not environment.interpreter.exists():
        pytest.skip(
            f"{environment.purpose} is not in place; `python3.11 -m tools test` makes it "
            f"where there is a Python {environment.python}"
        )
    return Blender(request.param, environment.interpreter, tmp_path / "blender")
