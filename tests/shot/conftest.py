# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole shots for tests: the rendered performer, cut short and small, every frame with its number in a corner."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from backend.media.images import read_picture, write_picture
from tests.painted import painted, painted_number
from tests.rendered import character_picture, rendered_performer
from tests.worker import Hold, Worker

SIZE = (480, 270)
STAMP = (48, 36)
"""Size of the number in the upper left corner, far from the performer."""
KILLED_FRAMES = 6


@dataclass(frozen=True, slots=True)
class SmallShot:
    """A picture sequence with a performer, the true matte and plate of its frames, and a character's picture."""

    clip: Path
    matte: Path
    plate: Path
    character: Path

    def replace(self, output: Path, *words: str | Path, hold: Hold | None = None) -> Worker:
        """Start a replace job of the shot's first frames."""
        last = () if "--last" in words else ("--last", str(KILLED_FRAMES - 1))
        words = ("replace", self.clip, self.character, "--name", "small", "--output", output, *last, *words)
        return Worker(*words, hold=hold)


@pytest.fixture(scope="session")
def small_shot(tmp_path_factory: pytest.TempPathFactory) -> SmallShot:
    """Render the cut, or take it from the cache; make it small and stamp its frames."""
    folder, truth = tmp_path_factory.mktemp("shot"), rendered_performer()
    for name, source in (("clip", truth.beauty), ("matte", truth.matte()), ("plate", truth.plate)):
        (folder / name).mkdir()
        for number, path in enumerate(sorted(source.glob("*.png"))):
            picture = read_picture(path)
            if name == "clip":
                picture[: STAMP[1], : STAMP[0]] = painted(number, *STAMP)
            write_picture(folder / name / f"frame.{number + 101:04d}.png", picture)
    return SmallShot(folder / "clip", folder / "matte", folder / "plate", character_picture())


def stamped_number(picture_path: Path) -> int:
    """Read a frame's number from its corner."""
    return painted_number(read_picture(picture_path)[: STAMP[1], : STAMP[0]])
