# SPDX-License-Identifier: GPL-3.0-or-later
"""The first command of the README: set up all that the main job needs and run it, on the demo shot or on yours."""

from __future__ import annotations

from pathlib import Path

from . import say
from .children import run_child
from .environments import BPY45, WORKER, Made, make
from .failures import CharacterMissingError, StepFailedError
from .layout import CACHE, NETWORKS, OUT, short
from .networks import make_networks

DEMO_SHOT = CACHE / "demo"


def demonstrate(clip: Path | None, character: Path | None, options: list[str]) -> int:
    """Replace the performer of `clip` by `character`, or of the demo shot by its own character.

    options: further options of `python -m backend replace`. Returns the worker's exit code. Raises SetUpError.
    """
    if clip and not character:
        raise CharacterMissingError(clip)
    _say_made(make(WORKER, "worker"))
    say.line(f"{short(NETWORKS)}, the tracker's networks: {make_networks()}")
    if clip and character:
        return _replace(clip.absolute(), character.absolute(), OUT / clip.stem, options)
    _say_made(make(BPY45))
    return _replace(*_demo_shot(), OUT / "demo", ["--name=demo", *options])


def _demo_shot() -> tuple[Path, Path]:
    """Render the demo's clip and character, once; return them. Raises StepFailedError."""
    code = run_child([str(BPY45.interpreter), "-m", "demo.shots", str(DEMO_SHOT)])
    if code != 0:
        raise StepFailedError("Rendering the demo shot", code)
    return DEMO_SHOT / "clip", DEMO_SHOT / "character.png"


def _replace(clip: Path, character: Path, output: Path, options: list[str]) -> int:
    say.line(f"Replacing the performer of {short(clip)} by {short(character)}.")
    words = ["replace", str(clip), str(character), f"--output={output}", *options]
    return run_child([str(WORKER.interpreter), "-m", "backend", *words])


def _say_made(made: Made) -> None:
    say.line(f"{short(made.environment.folder)}, {made.environment.purpose}: {made.summary}")
