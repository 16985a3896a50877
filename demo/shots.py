# SPDX-License-Identifier: GPL-3.0-or-later
"""Rendered shots and characters from the cache; what is missing there is rendered first. Standard library only.

`python -m demo.shots FOLDER` puts the demo's own pair there: `clip/`, a numbered sequence, and `character.png`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from backend.contract.errors import UnderstudyError

PYTHON_VARIABLE = "UNDERSTUDY_BPY_45"
CACHE_VARIABLE = "UNDERSTUDY_CACHE"
DEMO_FRAMES = (6, 77)
"""What of the solo shot the demo shows: all but the walk out of the picture."""
CUT_FRAMES = (34, 57)
"""A cut of the solo shot for tests: the end of the turn, the arm across the body, the first of the fast hands."""

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parent
_NOT_RENDERING = {"shots.py"}
"""Sources that can't change a picture."""

Progress = Callable[[int, int], None]


class BlenderPythonMissingError(UnderstudyError):
    """There is no Python that holds bpy, so nothing can be rendered."""

    hint = f"Run `python3.11 -m tools demo` once, which makes it, or let {PYTHON_VARIABLE} name a Python with bpy 4.5."

    def __init__(self, tried: Path) -> None:
        super().__init__(f"There is no Python with bpy at {tried}.")
        self.tried = tried


class RenderFailedError(UnderstudyError):
    """The program that renders the demo ended with an error."""

    hint = "Read the end of the log that the message names."

    def __init__(self, log: Path, code: int) -> None:
        super().__init__(f"Rendering the demo failed with exit code {code}; its log is {log}.")
        self.log, self.code = log, code


def quiet(done_frames: int, total_frames: int) -> None:
    """Take progress and say nothing."""


def rendered_shot(
    variant: str,
    seed: int = 0,
    *,
    size: tuple[int, int] = (640, 360),
    frames: tuple[int, int] | None = None,
    progress: Progress = quiet,
) -> Path:
    """Return the folder of a shot (read it by `truth.load_truth`), from the cache or rendered now.

    variant: solo, medium, pair or visit. frames: first and last within the shot, both included; all if left out.
    Raises BlenderPythonMissingError, RenderFailedError.
    """
    arguments = [f"--variant={variant}", f"--seed={seed}", f"--size={size[0]}x{size[1]}"]
    return _cached([*arguments, *([f"--frames={frames[0]}-{frames[1]}"] if frames else [])], progress)


def rendered_character(seed: int = 0, *, height: int = 1152, progress: Progress = quiet) -> Path:
    """Return the folder with `character.png`, straight RGBA, and `character_in_place.png`, before its own background.

    Raises BlenderPythonMissingError, RenderFailedError.
    """
    return _cached(["--variant=character", f"--seed={seed}", f"--size={height * 2 // 3}x{height}"], progress)


def place_demo(folder: Path, progress: Progress = quiet) -> None:
    """Lay the demo's clip and character into `folder`, rendered if need be. Raises as `rendered_shot`."""
    character = rendered_character() / "character.png"
    clip = rendered_shot("solo", frames=DEMO_FRAMES, progress=progress) / "beauty"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(character, folder / character.name)
    shutil.rmtree(folder / "clip", ignore_errors=True)
    shutil.copytree(clip, folder / "clip")


def cache_key(arguments: list[str], sources: Path = _HERE) -> str:
    """Hash what a rendering depends on: its arguments and the sources in this folder."""
    digest = hashlib.sha256(json.dumps(arguments).encode())
    for path in sorted(sources.glob("*.py")):
        if path.name not in _NOT_RENDERING:
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _cached(arguments: list[str], progress: Progress) -> Path:
    """Return the folder of a rendering; render beside it and rename when done, so that it is whole or not there."""
    cache = Path(os.environ.get(CACHE_VARIABLE) or _ROOT / ".cache") / "rendered"
    place = cache / cache_key(arguments)
    if place.is_dir():
        return place
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="unfinished-", dir=cache) as unfinished:
        made = Path(unfinished) / "made"
        _render(arguments, made, cache / f"{place.name}.log", progress)
        try:
            made.rename(place)
        except OSError:  # another process was first: its pictures are the same
            if not place.is_dir():
                raise
    return place


def _render(arguments: list[str], into: Path, log: Path, progress: Progress) -> None:
    command = [str(blender_python()), "-m", "demo.render", f"--out={into}", *arguments]
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    into.mkdir()
    with (
        log.open("w", encoding="utf-8") as said,
        subprocess.Popen(
            command, cwd=_ROOT, env=clean, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as child,
    ):
        assert child.stdout is not None
        try:
            for line in child.stdout:
                said.write(line)
                _hear(line, progress)
        except BaseException:
            child.kill()
            raise
    if child.returncode:
        raise RenderFailedError(log, child.returncode)


def _hear(line: str, progress: Progress) -> None:
    """Pass on lines like `frame 3 of 24`; Blender writes much else."""
    words = line.split()
    if len(words) == 4 and words[0] == "frame" and words[2] == "of":
        progress(int(words[1]), int(words[3]))


def blender_python() -> Path:
    """Find a Python that holds bpy: this one, the one that is named, the one in .envs. Raises if there is none."""
    if find_spec("bpy"):
        return Path(sys.executable)
    inside = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
    python = Path(os.environ.get(PYTHON_VARIABLE) or _ROOT / ".envs" / "bpy45" / inside)
    if not python.exists():
        raise BlenderPythonMissingError(python)
    return python


def main() -> int:
    """Lay the demo's pair into the folder that the only argument names; say how far it is."""
    started_s = time.monotonic()

    def say(done_frames: int, total_frames: int) -> None:
        left_s = (time.monotonic() - started_s) / done_frames * (total_frames - done_frames)
        end = "\n" if done_frames == total_frames or not sys.stdout.isatty() else ""
        sys.stdout.write(
            f"\rRendering the demo shot: frame {done_frames} of {total_frames}, {left_s:.0f} s left  {end}"
        )
        sys.stdout.flush()

    try:
        place_demo(Path(sys.argv[1]), say)
    except UnderstudyError as error:
        sys.stderr.write(f"{error.advice}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
