# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the virtual environments from hash-locked lists, whole or not at all.

An environment is in place when the locks it was made from lie in it as copies, equal to today's. They are copied
last, so one that was cut short, or whose lock has changed, is made again; one that is in place costs no time.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from backend.contract.addresses import TORCH_CPU_INDEX

from . import say
from .failures import DiskFullError, DownloadError, LockMismatchError, VenvMissingError
from .interpreters import find_python
from .layout import ENVIRONMENTS, LOCKS, short
from .one_at_a_time import alone

_UNFINISHED = "unfinished"
"""A file in an environment while pip works in it: found at the next start, it says that the last one was killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A virtual environment: what it is for, the Python it wants, the locks it may hold, the room it takes.

    second_index: where pip also looks once its own index had no file that a lock allows.
    """

    name: str
    purpose: str
    python: str
    locks: tuple[str, ...]
    needs_gb: float
    second_index: str = ""

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return ENVIRONMENTS / self.name

    @property
    def interpreter(self) -> Path:
        """Its Python."""
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What making an environment came to. took_s is 0 where it was in place."""

    environment: Environment
    took_s: float

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.environment.interpreter

    @property
    def summary(self) -> str:
        """Say whether it was made or found."""
        return f"made in {self.took_s:.0f} s" if self.took_s else "in place"


WORKER = Environment(
    name="worker", purpose="the worker, and the tests and checks", python="3.11", locks=("worker", "test"), needs_gb=1.5
)

WAN = Environment(
    name="wan",
    purpose="the Wan engine on the CPU, and what it is held against",
    python="3.11",
    locks=("worker", "test", "wan", "parity"),
    needs_gb=3.0,
    second_index=TORCH_CPU_INDEX,
)


def _blender(version: str, python: str) -> Environment:
    name = f"bpy{version.replace('.', '')}"
    purpose = f"Blender {version} as a Python module"
    return Environment(name=name, purpose=purpose, python=python, locks=(name,), needs_gb=2.0)


BPY42, BPY45, BPY50 = _blender("4.2", "3.11"), _blender("4.5", "3.11"), _blender("5.0", "3.11")
BPY52 = _blender("5.2", "3.13")
BLENDERS = (BPY42, BPY45, BPY50, BPY52)
"""The oldest that the extension runs in, the last of each series with long support, and what changed between them."""


def make(environment: Environment, *locks: str) -> Made:
    """Put an environment in place, with these of its locks (all of them unless named). Raises SetUpError."""
    wanted = locks or environment.locks
    ENVIRONMENTS.mkdir(exist_ok=True)
    with alone(ENVIRONMENTS / f"{environment.name}.lock"):
        if not _is_sound(environment):
            shutil.rmtree(environment.folder, ignore_errors=True)
        missing = [name for name in wanted if not _copy_of(environment, name).exists()]
        if not missing:
            return Made(environment=environment, took_s=0.0)
        return _install(environment, missing)


def _install(environment: Environment, missing: list[str]) -> Made:
    _refuse_full_disk(environment)
    with say.status(f"{short(environment.folder)}, {environment.purpose}") as status:
        if not environment.interpreter.exists():
            _make_venv(environment, status)
        unfinished = environment.folder / _UNFINISHED
        unfinished.touch()
        for name in missing:
            _install_lock(environment, name, status)
        for name in missing:
            shutil.copyfile(lock_path(name), _copy_of(environment, name))
        unfinished.unlink()
        return Made(environment=environment, took_s=status.elapsed_s)


def lock_path(name: str) -> Path:
    """Return the tracked list of packages with their hashes."""
    return LOCKS / f"{name}.txt"


def locked_packages(lock: Path) -> dict[str, str]:
    """Read name and version of each package of a lock, in its order."""
    return dict(re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)", lock.read_text(encoding="utf-8"), flags=re.MULTILINE))


def _copy_of(environment: Environment, lock: str) -> Path:
    return environment.folder / f"{lock}.txt"


def _is_sound(environment: Environment) -> bool:
    """Whether nothing was cut short in it and every lock that it was made from is today's."""
    copies = [(lock_path(name), _copy_of(environment, name)) for name in environment.locks]
    return (
        environment.interpreter.exists()
        and not (environment.folder / _UNFINISHED).exists()
        and all(copy.read_bytes() == lock.read_bytes() for lock, copy in copies if copy.exists())
    )


def _refuse_full_disk(environment: Environment) -> None:
    free_gb = shutil.disk_usage(ENVIRONMENTS).free / 1e9
    if free_gb < environment.needs_gb:
        raise DiskFullError(environment.folder, environment.needs_gb, free_gb)


def _make_venv(environment: Environment, status: say.Status) -> None:
    status.show(f"a new Python {environment.python} environment")
    shutil.rmtree(environment.folder, ignore_errors=True)
    python = find_python(environment.python, environment.purpose)
    log = _log_of(environment)
    with log.open("w", encoding="utf-8") as out:
        command = [str(python), "-I", "-m", "venv", str(environment.folder)]
        made = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, check=False)
    if made.returncode != 0:
        shutil.rmtree(environment.folder, ignore_errors=True)
        raise VenvMissingError(python, log)


def _install_lock(environment: Environment, lock: str, status: say.Status) -> None:
    """Install a lock, without what its packages ask for beside it: the lock is the whole list."""

    def install(*more: str) -> None:
        listed = ["--requirement", str(lock_path(lock)), *more]
        run_pip(
            environment.interpreter,
            ["install", "--no-deps", "--require-hashes", "--only-binary", ":all:", *listed],
            log=_log_of(environment),
            what=short(lock_path(lock)),
            status=status,
            total=len(locked_packages(lock_path(lock))),
        )

    try:
        install()
    except LockMismatchError:
        if not environment.second_index:
            raise
        install("--extra-index-url", environment.second_index)


def run_pip(python: Path, command: list[str], *, log: Path, what: str, status: say.Status, total: int) -> None:
    """Run pip and show which package it is at. Raises DownloadError, LockMismatchError."""
    arguments = [
        str(python),
        "-I",
        "-m",
        "pip",
        *command,
        "--no-input",
        "--disable-pip-version-check",
        "--progress-bar=off",
    ]
    words: list[str] = []
    fetched = 0
    with log.open("a", encoding="utf-8") as out:
        pip = subprocess.Popen(
            arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", close_fds=False
        )
        assert pip.stdout is not None
        for text in pip.stdout:
            out.write(text)
            words.append(text)
            if text.startswith("Collecting "):
                fetched += 1
                status.show(f"package {fetched} of {total}, {text.split()[1].split('==')[0]}")
            elif text.startswith("Installing "):
                status.show(f"unpacking {total} packages")
    if pip.wait() != 0:
        is_other_file = any("DO NOT MATCH THE HASHES" in text for text in words)
        raise LockMismatchError(what, log) if is_other_file else DownloadError(what, log)


def _log_of(environment: Environment) -> Path:
    return ENVIRONMENTS / f"{environment.name}.log"
