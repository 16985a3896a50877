# SPDX-License-Identifier: GPL-3.0-or-later
"""What all rows share: the material, and jobs that are done once in a run."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from backend.contract.errors import UnderstudyError
from backend.media.clip import open_clip
from backend.media.sequence import Sequence, SequenceWriter
from demo.shots import CUT_FRAMES, rendered_character, rendered_shot
from demo.truth import Truth, load_truth

from .worker import Worked, work

FOOTAGE_VARIABLE = "UNDERSTUDY_FOOTAGE"
SEEDS = (0, 1)
"""Rendered shots that are measured unless others are asked for: one that nobody has looked at gives the verdict."""

_QUICK_FRAMES = 24
_QUICK_SIZE, _SIZE = (480, 270), (640, 360)


class FootageMissingError(UnderstudyError):
    """A clip that is no part of this repository is not on this machine."""

    hint = f"Let {FOOTAGE_VARIABLE} name the folder that holds it."

    def __init__(self, name: str) -> None:
        super().__init__(f"Skipped: {name} is not here.")
        self.name = name


class Bench:
    """Where a run's files go, whose seeds it measures, and whether it is quick: few frames, one seed.

    An earlier run's files are removed.
    """

    def __init__(self, output: Path, *, is_quick: bool, seeds: tuple[int, ...] = SEEDS) -> None:
        self.output, self.is_quick = output, is_quick
        self.seeds = seeds[:1] if is_quick else seeds
        self._jobs: dict[tuple[str, ...], Worked] = {}
        self._shots: dict[tuple[str, int], Truth] = {}
        self._character: Path | None = None
        self._work = output / "work"
        shutil.rmtree(self._work, ignore_errors=True)

    def say(self, text: str) -> None:
        """Tell whoever waits what is being done."""
        sys.stderr.write(f"{text}\n")

    def clip(self, name: str) -> Path:
        """Find a clip of the footage. Raises FootageMissingError."""
        path = Path(os.environ.get(FOOTAGE_VARIABLE, "")) / name
        if not os.environ.get(FOOTAGE_VARIABLE) or not path.is_file():
            raise FootageMissingError(name)
        return path

    def shot(self, variant: str, seed: int = 0) -> Truth:
        """Take a rendered shot, or render it. Quick ones are a cut of it, and smaller."""
        if (variant, seed) not in self._shots:
            self.say(f"rendered shot {variant}, seed {seed}")
            frames, size = (CUT_FRAMES, _QUICK_SIZE) if self.is_quick else (None, _SIZE)
            self._shots[variant, seed] = load_truth(rendered_shot(variant, seed, size=size, frames=frames))
        return self._shots[variant, seed]

    def character(self) -> Path:
        """Take the picture of the rendered character, or render it."""
        if self._character is None:
            self._character = rendered_character() / "character.png"
        return self._character

    def on(self, truth: Truth, seed: int) -> str:
        """Name a rendered shot as the table does."""
        return f"rendered performer, seed {seed}, {truth.width}x{truth.height}, {len(truth)} frames"

    def frames(self, clip: Path) -> Sequence:
        """Read a clip's frames, 8 bits, into pictures that stages read."""
        folder = self._work / f"{clip.stem}_frames"
        opened = open_clip(clip)
        last = self.last(opened.info.frame_count)
        if not folder.exists():
            with SequenceWriter(folder) as writer:
                for index, image in enumerate(opened.frames(0, last, 8)):
                    writer.write(index, image)
        return Sequence(folder, last + 1)

    def last(self, count: int) -> int:
        """Tell the last frame to use of a clip of so many."""
        return min(count, _QUICK_FRAMES) - 1 if self.is_quick else count - 1

    def folder(self, name: str) -> Path:
        """Make an empty folder for a row's own files."""
        folder = self._work / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def replaced(self, clip: Path, *words: str) -> Worked:
        """Replace the largest performer of a clip by the rendered character; an equal job is done once in a run.

        Raises WorkerFailedError.
        """
        words = (str(clip), str(self.character()), *words)
        if self.is_quick:
            words = (*words, f"--last={_QUICK_FRAMES - 1}")
        if words not in self._jobs:
            self.say(f"replace {' '.join(words)}")
            output = self._work / f"job{len(self._jobs) + 1}"
            self._jobs[words] = work(output, "replace", "--name=shot", *words)
        return self._jobs[words]

    def replaced_shot(self, truth: Truth) -> Worked:
        """Replace the performer of a rendered shot, its shadow too, so that the plate can be held against the truth."""
        return self.replaced(truth.beauty, "--shadow=remove")
