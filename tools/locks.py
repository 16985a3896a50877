# SPDX-License-Identifier: GPL-3.0-or-later
"""Write `requirements/*.txt`, the hash-locked lists, from what `pyproject.toml` asks for. Run when a version changes.

A lock names every package of an environment with its version and the hashes of its wheels for the platforms below.
It holds no address: where packages come from is pip's own setting on each machine.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import tomllib
import urllib.request
import zipfile
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import say
from .environments import BLENDERS, lock_path, locked_packages
from .interpreters import find_python
from .layout import ROOT

PLATFORMS = {
    "Linux x86-64": (
        *("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
        *("manylinux_2_25_x86_64", "manylinux_2_18_x86_64", "manylinux_2_12_x86_64", "manylinux_2_5_x86_64"),
    ),
    "macOS arm64": ("macosx_14_0_arm64", "macosx_11_0_arm64", "macosx_13_0_arm64", "macosx_12_0_arm64"),
    "Windows x64": ("win_amd64",),
}
_LINUX, _MACOS, _ = PLATFORMS
_LINUX_ALONE = 'platform_system == "Linux"'
"""How a package says that it asks for another on Linux only."""
_TAIL_BYTES = 8_000_000
"""More than the table of contents of a wheel with tens of thousands of files."""
_EXTRA_PLACES = ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL")


@dataclass(frozen=True, slots=True, kw_only=True)
class LockPlan:
    """How a lock comes from `pyproject.toml`.

    source: "dependencies", or the name of an extra or of a dependency group. is_whole: the list names everything
    itself, and what its packages ask for is left out. beside: the locks in the same environment, whose packages are
    not named twice. like: the locks whose versions are taken over. pythons, platforms: what its wheels are for; the
    Pythons resolve it. without: what the source names and the lock leaves out. also: what it takes from the worker's
    own dependencies. is_artists: for Understudy itself to install. It holds the builds that everybody gets, whatever
    else this machine's pip has been shown, and how much there is to fetch.
    """

    source: str
    pythons: tuple[str, ...] = ("3.11",)
    platforms: tuple[str, ...] = tuple(PLATFORMS)
    without: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    is_whole: bool = False
    is_artists: bool = False
    beside: tuple[str, ...] = ()
    like: tuple[str, ...] = ()


def _artists(platform: str) -> LockPlan:
    """Plan what the Wan engine wants beside the zip's wheels, in every Python that Blender brings."""
    return LockPlan(
        source="wan",
        pythons=("3.11", "3.13"),
        platforms=(platform,),
        also=("numpy",),
        is_artists=True,
        like=("worker", "test", "wan"),
    )


PLANS = {
    "worker": LockPlan(source="dependencies", is_whole=True),
    "test": LockPlan(source="test", beside=("worker",)),
    "wan": LockPlan(source="wan", beside=("worker", "test")),
    "parity": LockPlan(source="parity", beside=("worker", "test", "wan")),
    "wan_linux": _artists(_LINUX),
    "wan_macos": _artists(_MACOS),
    **{blender.name: LockPlan(source=blender.name, pythons=(blender.python,)) for blender in BLENDERS},
    # What the zip brings to Blender: its own numpy is there, and it is Blender that decodes movies.
    "wheels": LockPlan(source="dependencies", is_whole=True, without=("av", "numpy")),
    "networks": LockPlan(source="networks", is_whole=True),
}


def write_lock(name: str) -> None:
    """Resolve one lock anew and write it. Needs the network, and the Pythons that the lock is for.

    Raises PythonMissingError.
    """
    plan = PLANS[name]
    with say.status(name) as status:
        status.show("asking which versions fit together")
        pins = _resolve(plan)
        hashes: dict[str, set[str]] = defaultdict(set)
        covered = []
        notes = []
        for platform, python in ((platform, python) for platform in plan.platforms for python in plan.pythons):
            status.show(f"asking for the hashes on {platform}")
            found = _archives(plan, pins, python, PLATFORMS[platform])
            if found:
                covered.append(platform)
            for package, archive in found.items():
                hashes[package].add(archive["archive_info"]["hashes"]["sha256"])
            if plan.is_artists:
                notes.append(_fetch_note(python, found.values()))
    platforms = ", ".join(dict.fromkeys(covered))
    heading = f"# Python {', '.join(plan.pythons)}. Wheels for {platforms}."
    lock_path(name).write_text(_lock_text(name, [heading, *notes], pins, hashes), encoding="utf-8")
    say.line(f"{name}: {len(pins)} packages, hashes for {platforms}")


def wanted(plan: LockPlan) -> list[str]:
    """Read from `pyproject.toml` what a lock is asked to hold."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = {**settings["dependency-groups"], **settings["project"]["optional-dependencies"]}
    worker: list[str] = settings["project"]["dependencies"]
    found: list[str] = worker if plan.source == "dependencies" else listed[plan.source]
    more = [pin for pin in worker if pin.partition("==")[0] in plan.also]
    return [pin for pin in found if pin.partition("==")[0] not in plan.without] + more


def _resolve(plan: LockPlan) -> dict[str, str]:
    """Return name and version of everything that the lock must hold, sorted by name."""
    beside = {name: version for lock in plan.beside for name, version in locked_packages(lock_path(lock)).items()}
    held = beside | {name: version for lock in plan.like for name, version in locked_packages(lock_path(lock)).items()}
    pins: dict[str, str] = {}
    for python in plan.pythons:
        constraints = [f"{name}=={version}" for name, version in (held | pins).items()]
        report = _ask_pip(plan, python, wanted(plan), constraints, ["--no-deps"] if plan.is_whole else [])
        if _LINUX not in plan.platforms:
            report = _without_linux_alone(plan, report)
        # A local version ("+cpu") names a build, and which build a platform gets is for the hashes to say.
        pins |= {_name(item): str(item["metadata"]["version"]).partition("+")[0] for item in report}
    return {name: pins[name] for name in sorted(pins) if name not in beside}


def _without_linux_alone(plan: LockPlan, report: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out what is there because this machine, which has resolved it, may be a Linux: CUDA's libraries."""
    asked = {_name(item): item["metadata"].get("requires_dist", []) for item in report}
    reached: set[str] = set()
    ahead = [_normal(pin.partition("==")[0]) for pin in wanted(plan)]
    while ahead:
        name = ahead.pop()
        if name in asked and name not in reached:
            reached.add(name)
            lines = [line for line in asked[name] if _LINUX_ALONE not in line]
            ahead += [_normal(re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0]) for line in lines]
    return [item for item in report if _name(item) in reached]


def _archives(plan: LockPlan, pins: dict[str, str], python: str, tags: tuple[str, ...]) -> dict[str, Any]:
    """Return where each package's wheel for one platform is and its hash; nothing where one has no wheel there."""
    flags = ["--no-deps", f"--python-version={python}", "--target=unused", *(f"--platform={tag}" for tag in tags)]
    try:
        report = _ask_pip(plan, python, [f"{name}=={version}" for name, version in pins.items()], [], flags)
    except subprocess.CalledProcessError:
        return {}
    return {_name(item): item["download_info"] for item in report}


def _fetch_note(python: str, archives: Iterable[dict[str, Any]]) -> str:
    """Word how much there is to fetch and to unpack, as `backend/environment/lists.py` reads it."""
    sizes = [_sizes(archive["url"]) for archive in archives]
    fetched, unpacked = (sum(column) for column in zip(*sizes, strict=True))
    return f"# Python {python}: {fetched} bytes to fetch, {unpacked} unpacked."


def _sizes(url: str) -> tuple[int, int]:
    """Ask for the size of a wheel and of what is in it: a zip says so in its last bytes."""
    request = urllib.request.Request(url, headers={"Range": f"bytes=-{_TAIL_BYTES}"})
    with urllib.request.urlopen(request) as answer, tempfile.TemporaryFile() as file:
        tail = answer.read()
        size = int(answer.headers.get("Content-Range", f"/{len(tail)}").partition("/")[2])
        file.seek(size - len(tail))
        file.write(tail)
        with zipfile.ZipFile(file) as wheel:
            return size, sum(member.file_size for member in wheel.infolist())


def _ask_pip(
    plan: LockPlan, python: str, requirements: list[str], constraints: list[str], flags: list[str]
) -> list[dict[str, Any]]:
    """Let pip plan an installation without making it. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory() as folder:
        listed, held, report = (Path(folder) / name for name in ("wanted.txt", "held.txt", "report.json"))
        listed.write_text("\n".join(requirements), encoding="utf-8")
        held.write_text("\n".join(constraints), encoding="utf-8")
        program = str(find_python(python, f"the lock of {plan.source}"))
        command = [program, "-I", "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
        command += ["--only-binary=:all:", f"--report={report}", f"--requirement={listed}", f"--constraint={held}"]
        environment = _everybodys() if plan.is_artists else None
        subprocess.run([*command, *flags], check=True, capture_output=True, cwd=folder, env=environment)
        planned: list[dict[str, Any]] = json.loads(report.read_text(encoding="utf-8"))["install"]
    return planned


def _everybodys() -> dict[str, str]:
    """Give pip an environment in which it knows of no further places where this machine has packages."""
    kept = {name: value for name, value in os.environ.items() if name not in _EXTRA_PLACES}
    return kept | {"PIP_CONFIG_FILE": os.devnull}


def _lock_text(name: str, heading: list[str], pins: dict[str, str], hashes: dict[str, set[str]]) -> str:
    lines = [
        "# SPDX-License-Identifier: GPL-3.0-or-later",
        f"# Written by `python3.11 -m tools lock {name}` from pyproject.toml; why each package: docs/dependencies.md.",
        *heading,
    ]
    for package, version in pins.items():
        digests = [f"    --hash=sha256:{digest}" for digest in sorted(hashes[package])]
        lines.append(" \\\n".join([f"{package}=={version}", *digests]))
    return "\n".join(lines) + "\n"


def _name(item: dict[str, Any]) -> str:
    """Give the name of a package of pip's report."""
    return _normal(item["metadata"]["name"])


def _normal(name: str) -> str:
    """Spell a package's name the one way that the standard gives it (PEP 503)."""
    return name.lower().replace("_", "-").replace(".", "-")
