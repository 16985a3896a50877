# SPDX-License-Identifier: GPL-3.0-or-later
"""Make an environment from a locked list: whole or not at all, and nothing is fetched twice.

Wheels are fetched one by one, each to be kept once it is whole. When all are there they are unpacked into a new
environment, and a seal is laid into it last. So an end at any moment costs one wheel, or the unpacking.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..contract.disk import disk_errors
from ..contract.environment import environment_of, is_whole, python_of, seal_of
from ..contract.errors import StoppedError
from ..contract.events import Event, StageKept
from ..contract.jobfolder import JobLock
from .errors import (
    FetchFailedError,
    NoVenvError,
    OtherPackageError,
    RoomMissingError,
    UnpackFailedError,
)
from .leashed import Ran, Runner
from .lists import LockedList, Pin
from .progress import Progress, sizes_below

FETCH, UNPACK = "fetch", "unpack"
_COMPILED = 1.1
"""Python puts its own compiled form beside what is unpacked: 5 % more, measured."""
_PIP = ("--no-input", "--disable-pip-version-check", "--progress-bar=off", "--no-deps", "--require-hashes")
_PIP_LOG = "pip.log"
_WALK_EVERY_S = 2.0
"""An environment has tens of thousands of files to sum up."""
_START_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """Where an environment is being made. wheels: those that are whole. scratch: nothing in it is kept."""

    folder: Path
    wanted: LockedList
    runner: Runner
    tell: Callable[[Event], None]

    @property
    def environment(self) -> Path:
        return environment_of(self.folder)

    @property
    def wheels(self) -> Path:
        return self.folder / "wheels"

    @property
    def bare(self) -> Path:
        """Lies in an environment while it holds pip and nothing else."""
        return self.environment / "bare"

    @property
    def needed_bytes(self) -> float:
        """All that lies on the disk at once: the wheels, and what comes out of them."""
        return self.wanted.fetch_bytes + self.wanted.unpacked_bytes * _COMPILED

    @property
    def scratch(self) -> Path:
        return self.runner.scratch

    def pip(self, *words: str, look: Callable[[], None], **variables: str) -> Ran:
        """Run the environment's own pip, which obeys its own settings on this machine."""
        return self.runner.run(python_of(self.environment), "pip", *words, *_PIP, look=look, **variables)


def create(folder: Path, wanted: LockedList, tell: Callable[[Event], None], is_stopped: Callable[[], bool]) -> None:
    """Put the environment for this Python in place below a folder. Raises an UnderstudyError for what is in the way."""
    with disk_errors(folder), JobLock(folder):
        runner = Runner(log=folder / _PIP_LOG, scratch=folder / "scratch", is_stopped=is_stopped)
        site = _Site(folder=folder, wanted=wanted, runner=runner, tell=tell)
        shutil.rmtree(site.scratch, ignore_errors=True)
        if _is_made_from(site.environment, wanted):
            if not _starts(python_of(site.environment)):  # the Blender that made it is gone, or has moved
                _make_venv(site)
            tell(StageKept(stage=UNPACK, key=""))
        else:
            _fetch(site)
            _unpack(site)
        shutil.rmtree(site.scratch, ignore_errors=True)


def _is_made_from(environment: Path, wanted: LockedList) -> bool:
    return is_whole(environment) and seal_of(environment).read_bytes() == wanted.path.read_bytes()


def _starts(python: Path) -> bool:
    try:
        asked = subprocess.run(
            [python, "-I", "-c", ""], stdin=subprocess.DEVNULL, capture_output=True, timeout=_START_LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def _make_new(site: _Site) -> None:
    """Make an environment with nothing but pip, in place of what is there."""
    shutil.rmtree(site.environment, ignore_errors=True)
    _make_venv(site)
    site.bare.touch()


def _make_venv(site: _Site) -> None:
    """Make an environment with pip, or give the one that is there this Python. Raises NoVenvError."""
    shutil.rmtree(python_of(site.environment).parent, ignore_errors=True)  # links to what is gone would be kept
    made = site.runner.run(Path(sys.executable), "venv", str(site.environment))
    if not made.is_well:
        _refuse_full_disk(made, site)
        raise NoVenvError(Path(sys.executable), site.runner.log)


def _fetch(site: _Site) -> None:
    """Fetch the wheels that are not there."""
    kept = _kept_wheels(site)
    had = sum(wheel.stat().st_size for wheel in kept.values())
    progress = Progress(FETCH, site.tell, site.wanted.fetch_bytes, had)
    progress.at(had)
    _refuse_small_disk(site, site.needed_bytes - had)
    has_pip = is_whole(site.environment) or site.bare.exists()
    if not (has_pip and _starts(python_of(site.environment))):
        _make_new(site)
    for pin in site.wanted.pins:
        if pin.name not in kept:
            had += _fetch_one(site, pin, progress, had)


def _kept_wheels(site: _Site) -> dict[str, Path]:
    """Find the wheels that are whole, by their hashes, and take away what is not on the list."""
    site.wheels.mkdir(parents=True, exist_ok=True)
    names = {digest: pin.name for pin in site.wanted.pins for digest in pin.hashes}
    kept = {}
    for path in site.wheels.iterdir():
        if site.runner.is_stopped():
            raise StoppedError
        with path.open("rb") as file:
            name = names.get(hashlib.file_digest(file, "sha256").hexdigest())
        if name is None:
            path.unlink()
        else:
            kept[name] = path
    return kept


def _fetch_one(site: _Site, pin: Pin, progress: Progress, had: int) -> int:
    """Fetch a wheel and move it to the others; return its size. Raises FetchFailedError, OtherPackageError."""
    listed, beside = site.scratch / "wanted.txt", site.scratch / "whole"
    site.scratch.mkdir(parents=True, exist_ok=True)
    listed.write_text(f"{pin.text}\n", encoding="utf-8")
    ran = site.pip(
        "download",
        "--only-binary=:all:",
        "--no-cache-dir",
        f"--dest={beside}",
        f"--requirement={listed}",
        look=lambda: progress.at(had + max(sizes_below(site.scratch), default=0)),  # pip fetches, then copies
    )
    if not ran.is_well:
        _refuse_full_disk(ran, site)
        failed = OtherPackageError if "DO NOT MATCH THE HASHES" in ran.said else FetchFailedError
        raise failed(pin.name, site.runner.log)
    [wheel] = beside.iterdir()
    size = wheel.stat().st_size
    wheel.replace(site.wheels / wheel.name)
    shutil.rmtree(site.scratch)
    progress.at(had + size)
    return size


def _unpack(site: _Site) -> None:
    """Install all wheels into a new environment and seal it; nothing but the local wheels is asked."""
    total = site.wanted.unpacked_bytes
    progress = Progress(UNPACK, site.tell, total)
    if not site.bare.exists():
        _make_new(site)
    _refuse_small_disk(site, total * _COMPILED)
    site.bare.unlink()
    ran = site.pip(
        "install",
        "--isolated",  # settings that name a mirror or another folder to install to have had their say
        "--no-index",
        f"--find-links={site.wheels}",
        f"--requirement={site.wanted.path}",
        look=_seldom(lambda: progress.at(sum(sizes_below(site.environment)))),
        PIP_CONFIG_FILE=os.devnull,
    )
    if not ran.is_well:
        _refuse_full_disk(ran, site)
        raise UnpackFailedError(site.environment, site.runner.log)
    progress.at(total)
    seal = seal_of(site.environment)
    beside = seal.with_suffix(".unfinished")
    shutil.copyfile(site.wanted.path, beside)
    beside.replace(seal)
    shutil.rmtree(site.wheels, ignore_errors=True)


def _seldom(look: Callable[[], None]) -> Callable[[], None]:
    """Look no more often than every few seconds."""
    last_s = time.monotonic()

    def sometimes() -> None:
        nonlocal last_s
        if time.monotonic() - last_s > _WALK_EVERY_S:
            look()
            last_s = time.monotonic()

    return sometimes


def _refuse_small_disk(site: _Site, needed_bytes: float) -> None:
    free = shutil.disk_usage(site.folder).free
    if free < needed_bytes:
        raise RoomMissingError(site.folder, needed_bytes, free)


def _refuse_full_disk(ran: Ran, site: _Site) -> None:
    """Raise RoomMissingError where a child failed because the disk was full after all."""
    if re.search(r"No space left on device|Errno 28|Disk quota exceeded", ran.said):
        raise RoomMissingError(site.folder, site.needed_bytes, shutil.disk_usage(site.folder).free)
