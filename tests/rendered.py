# SPDX-License-Identifier: GPL-3.0-or-later
"""The rendered performer for tests: a cut with its truth, rendered once and cached. Never skipped.

All tests share one size: in a fresh clone, rendering is a good part of what they take.
"""

import shutil
from pathlib import Path

from demo.shots import CUT_FRAMES, rendered_character, rendered_shot
from demo.truth import Truth, load_truth


def rendered_performer(
    variant: str = "solo",
    seed: int = 0,
    *,
    size: tuple[int, int] = (480, 270),
    frames: tuple[int, int] | None = CUT_FRAMES,
) -> Truth:
    """Truth, with the folders of frames, plate and mattes: 24 frames with a turn, an arm across, a fast hand."""
    return load_truth(rendered_shot(variant, seed, size=size, frames=frames))


def write_cut(folder: Path, count: int) -> Path:
    """Lay its first frames into a new folder as a sequence numbered from 0; return the folder."""
    folder.mkdir()
    for number, path in enumerate(sorted(rendered_performer().beauty.glob("*.png"))[:count]):
        shutil.copyfile(path, folder / f"frame.{number:04d}.png")
    return folder


def character_picture(seed: int = 0, *, in_place: bool = False, height: int = 576) -> Path:
    """A very different figure as straight RGBA, or before a background of its own."""
    return rendered_character(seed, height=height) / ("character_in_place.png" if in_place else "character.png")
