# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole shots for tests: the rendered performer, cut short and small, every frame with its number in a corner."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from backend.media.images import read_picture, write_picture
from demo.shots import CUT_FRAMES, rendered_character, rendered_shot
from tests.painted import painted
from tests.worker import Worker

SIZE = (480, 270)
STAMP = (48, 36)
"""Size of the number in the upper left corner, far from the performer."""
KILLED_FRAMES = 6


@dataclass(frozen=True, slots=True)
class SmallShot:
    """A picture sequence with a performer, and a character's picture. truth: the folder of the whole rendering."""

    clip: Path
    character: Path
    truth: Path

    def replace(self, output: Path, *words: str | Path) -> Worker:
        """Start a replace job of the shot's first frames."""
        last = () if "--last" in words else ("--last", str(KILLED_FRAMES - 1))
        return Worker("replace", self.clip, self.character, "--name", "small", "--output", output, *last, *words)


@pytest.fixture(scope="session")
def small_shot(tmp_path_factory: pytest.TempPathFactory) -> SmallShot:
    """Render the cut, or take it from the cache, and stamp its frames."""
    truth = rendered_shot("solo", size=SIZE, frames=CUT_FRAMES)
    clip = tmp_path_factory.mktemp("shot") / "clip"
    clip.mkdir()
    for number, path in enumerate(sorted((truth / "beauty").glob("*.png"))):
        frame = read_picture(path)[..., :3].copy()
        frame[: STAMP[1], : STAMP[0]] = painted(number, *STAMP)
        write_picture(clip / f"frame.{number + 101:04d}.png", frame)
    return SmallShot(clip, rendered_character() / "character.png", truth)


def stamped_number(picture_path: Path) -> int:
    """Read a frame's number from its corner."""
    from tests.painted import painted_number

    return painted_number(read_picture(picture_path)[: STAMP[1], : STAMP[0]])
