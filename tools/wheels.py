# SPDX-License-Identifier: GPL-3.0-or-later
"""The wheels that ride in the extension's zip: fetched by `requirements/wheels.txt`, a folder for each platform."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from . import say
from .environments import WORKER, lock_path, locked_packages, make, run_pip
from .failures import WheelNarrowError
from .layout import CACHE, ENVIRONMENTS, short
from .locks import PLATFORMS
from .one_at_a_time import alone

ZIPS = {"linux-x64": "Linux x86-64", "macos-arm64": "macOS arm64", "windows-x64": "Windows x64"}
"""Blender's name of a platform -> the locks'. Not macos-x64 (mediapipe has no wheel) nor windows-arm64 (no OpenCV)."""

_LOCK = "wheels"
_ANY_PYTHON = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--python-version=3.11"]
"""The oldest Blender's Python is asked for; what comes has to serve the later ones too."""
_MACHINES = {"AMD64": "x64", "x86_64": "x64", "arm64": "arm64", "aarch64": "arm64"}
_SYSTEMS = {"linux": "linux", "darwin": "macos", "win32": "windows"}


def this_platform() -> str:
    """Name this machine as Blender does; it need not be one of `ZIPS`."""
    return f"{_SYSTEMS.get(sys.platform, sys.platform)}-{_MACHINES.get(platform.machine(), platform.machine())}"


def wheels_folder(name: str) -> Path:
    """Where a platform's wheels lie once they are fetched."""
    return CACHE / "extension_wheels" / name


def are_in_place(name: str) -> bool:
    """Whether a platform's wheels are there, whole and of today's lock."""
    made_from = wheels_folder(name) / lock_path(_LOCK).name
    return made_from.is_file() and made_from.read_bytes() == lock_path(_LOCK).read_bytes()


def make_wheels(name: str) -> str:
    """Put a platform's wheels in place and say what that came to. Raises SetUpError."""
    make(WORKER, "worker")
    with alone(ENVIRONMENTS / f"wheels-{name}.lock"), say.status(short(wheels_folder(name))) as status:
        if are_in_place(name):
            return "in place"
        _fetch(name, status)
        return f"fetched in {status.elapsed_s:.0f} s"


def _fetch(name: str, status: say.Status) -> None:
    """Fetch beside and rename, so that a folder of that name is always whole."""
    folder = wheels_folder(name)
    beside = folder.with_name(f"{name}.unfinished")
    shutil.rmtree(beside, ignore_errors=True)
    tags = [f"--platform={tag}" for tag in PLATFORMS[ZIPS[name]]]
    run_pip(
        WORKER.interpreter,
        ["download", *_ANY_PYTHON, *tags, f"--dest={beside}", f"--requirement={lock_path(_LOCK)}"],
        log=ENVIRONMENTS / f"wheels-{name}.log",
        what=f"the extension's wheels for {name}",
        status=status,
        total=len(locked_packages(lock_path(_LOCK))),
    )
    refuse_narrow(beside.glob("*.whl"))
    shutil.copyfile(lock_path(_LOCK), beside / lock_path(_LOCK).name)
    shutil.rmtree(folder, ignore_errors=True)
    beside.rename(folder)


def refuse_narrow(wheels: Iterable[Path]) -> None:
    """See that each wheel serves every Python from 3.11 on, by its abi tag. Raises WheelNarrowError."""
    for wheel in wheels:
        if wheel.stem.split("-")[-2] not in ("none", "abi3"):
            raise WheelNarrowError(wheel)
