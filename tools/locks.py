# SPDX-License-Identifier: GPL-3.0-or-later
"""Write `requirements/*.txt`, the hash-locked lists, from what `pyproject.toml` asks for. Run when a version changes.

A lock names every package of an environment with its version and the hashes of its wheels for the platforms below.
It holds no address: where packages come from is pip's own setting on each machine.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import say
from .environments import BLENDERS, lock_path, locked_packages
from .interpreters import find_python
from .layout import ROOT

PLATFORMS = {
    "Linux x86-64": ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
    "macOS arm64": ("macosx_14_0_arm64", "macosx_11_0_arm64", "macosx_13_0_arm64", "macosx_12_0_arm64"),
    "Windows x64": ("win_amd64",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LockPlan:
    """How a lock comes from `pyproject.toml`.

    source: "dependencies", or the name of an extra or of a dependency group. is_whole: the list names everything
    itself, and what its packages ask for is left out. beside: the locks in the same environment, whose packages are
    not named twice. python: the version that resolves it and that its wheels are for. without: what the source names
    and the lock leaves out.
    """

    source: str
    python: str = "3.11"
    without: tuple[str, ...] = ()
    is_whole: bool = False
    beside: tuple[str, ...] = ()


PLANS = {
    "worker": LockPlan(source="dependencies", is_whole=True),
    "test": LockPlan(source="test", beside=("worker",)),
    "wan": LockPlan(source="wan", beside=("worker", "test")),
    "parity": LockPlan(source="parity", beside=("worker", "test", "wan")),
    **{blender.name: LockPlan(source=blender.name, python=blender.python) for blender in BLENDERS},
    # What the zip brings to Blender: its own numpy is there, and it is Blender that decodes movies.
    "wheels": LockPlan(source="dependencies", is_whole=True, without=("av", "numpy")),
    "networks": LockPlan(source="networks", is_whole=True),
}


def write_lock(name: str) -> None:
    """Resolve one lock anew and write it. Needs the network, and the Python that the lock is for.

    Raises PythonMissingError.
    """
    plan = PLANS[name]
    with say.status(name) as status:
        status.show("asking which versions fit together")
        pins = _resolve(plan)
        hashes: dict[str, set[str]] = defaultdict(set)
        covered = []
        for platform, tags in PLATFORMS.items():
            status.show(f"asking for the hashes on {platform}")
            found = _hashes(plan, pins, tags)
            if found:
                covered.append(platform)
            for package, digest in found.items():
                hashes[package].add(digest)
    lock_path(name).write_text(_lock_text(name, plan.python, pins, hashes, covered), encoding="utf-8")
    say.line(f"{name}: {len(pins)} packages, hashes for {', '.join(covered)}")


def wanted(plan: LockPlan) -> list[str]:
    """Read from `pyproject.toml` what a lock is asked to hold."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = {**settings["dependency-groups"], **settings["project"]["optional-dependencies"]}
    found: list[str] = settings["project"]["dependencies"] if plan.source == "dependencies" else listed[plan.source]
    return [pin for pin in found if pin.partition("==")[0] not in plan.without]


def _resolve(plan: LockPlan) -> dict[str, str]:
    """Return name and version of everything that the lock must hold, sorted by name."""
    beside = {name: version for lock in plan.beside for name, version in locked_packages(lock_path(lock)).items()}
    constraints = [f"{name}=={version}" for name, version in beside.items()]
    report = _ask_pip(plan, wanted(plan), constraints, ["--no-deps"] if plan.is_whole else [])
    # A local version ("+cpu") names a build, and which build a platform gets is for the hashes to say.
    pins = {_normal(item["metadata"]["name"]): str(item["metadata"]["version"]).partition("+")[0] for item in report}
    return {name: pins[name] for name in sorted(pins) if name not in beside}


def _hashes(plan: LockPlan, pins: dict[str, str], tags: tuple[str, ...]) -> dict[str, str]:
    """Return each package's hash on one platform; nothing where a package has no wheel there."""
    flags = ["--no-deps", f"--python-version={plan.python}", "--target=unused", *(f"--platform={tag}" for tag in tags)]
    try:
        report = _ask_pip(plan, [f"{name}=={version}" for name, version in pins.items()], [], flags)
    except subprocess.CalledProcessError:
        return {}
    return {
        _normal(item["metadata"]["name"]): item["download_info"]["archive_info"]["hashes"]["sha256"] for item in report
    }


def _ask_pip(plan: LockPlan, requirements: list[str], constraints: list[str], flags: list[str]) -> list[dict[str, Any]]:
    """Let pip plan an installation without making it. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory() as folder:
        listed, held, report = (Path(folder) / name for name in ("wanted.txt", "held.txt", "report.json"))
        listed.write_text("\n".join(requirements), encoding="utf-8")
        held.write_text("\n".join(constraints), encoding="utf-8")
        python = str(find_python(plan.python, f"the lock of {plan.source}"))
        command = [python, "-I", "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
        command += ["--only-binary=:all:", f"--report={report}", f"--requirement={listed}", f"--constraint={held}"]
        subprocess.run([*command, *flags], check=True, capture_output=True, cwd=folder)
        planned: list[dict[str, Any]] = json.loads(report.read_text(encoding="utf-8"))["install"]
    return planned


def _lock_text(name: str, python: str, pins: dict[str, str], hashes: dict[str, set[str]], covered: list[str]) -> str:
    lines = [
        "# SPDX-License-Identifier: GPL-3.0-or-later",
        f"# Written by `python3.11 -m tools lock {name}` from pyproject.toml; why each package: docs/dependencies.md.",
        f"# Python {python}. Wheels for {', '.join(covered)}.",
    ]
    for package, version in pins.items():
        digests = [f"    --hash=sha256:{digest}" for digest in sorted(hashes[package])]
        lines.append(" \\\n".join([f"{package}=={version}", *digests]))
    return "\n".join(lines) + "\n"


def _normal(name: str) -> str:
    """Spell a package's name the one way that the standard gives it (PEP 503)."""
    return name.lower().replace("_", "-").replace(".", "-")
