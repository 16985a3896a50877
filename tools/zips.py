# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the extension's zip for a platform by the tool that Blender itself brings, and let the same tool validate it.

The tracked manifest is that of a bare checkout. The one that ships names its wheels and its platform, too.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import say
from .environments import BPY45, make
from .failures import NoGitError, StepFailedError
from .layout import BUILD, DIST, ENVIRONMENTS, NETWORKS, ROOT, short
from .licences import write_licences
from .networks import make_networks
from .one_at_a_time import alone
from .wheels import ZIPS, make_wheels, wheels_folder

_MANIFEST = "blender_manifest.toml"


def build_zips(platforms: list[str]) -> int:
    """Build the zips of these platforms, of all unless named, and say their sizes; return 0. Raises SetUpError."""
    for name in platforms or ZIPS:
        built = build_zip(name)
        say.line(f"{short(built)}: {built.stat().st_size / 1e6:.0f} MB, built and validated by Blender's own tool")
    return 0


def build_zip(platform: str, into: Path = DIST) -> Path:
    """Build one platform's zip into a folder, replacing what is there, and validate it. Raises SetUpError."""
    make(BPY45)
    into.mkdir(parents=True, exist_ok=True)
    with laid_out(platform) as stage:
        built = into / f"understudy-{_version()}-{platform}.zip"
        _blenders_tool("build", "--source-dir", str(stage), "--output-filepath", str(built))
        _blenders_tool("validate", str(built))
    return built


@contextmanager
def laid_out(platform: str) -> Iterator[Path]:
    """Give a folder with what a zip is built from; nobody else lays it out anew meanwhile. Raises SetUpError."""
    make_networks()
    make_wheels(platform)
    with alone(ENVIRONMENTS / f"zip-{platform}.lock"):
        stage = BUILD / "extension" / platform
        shutil.rmtree(stage, ignore_errors=True)
        _lay_out(platform, stage)
        yield stage


def _lay_out(platform: str, stage: Path) -> None:
    """Put together what the zip is made from; what is not to ship of it, the manifest's patterns leave out."""
    for name in _git("ls-files", "-z").rstrip("\0").split("\0"):
        if (ROOT / name).is_file():
            (stage / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, stage / name)
    wheels = stage / "wheels"
    shutil.copytree(NETWORKS, wheels / NETWORKS.name)
    packages = sorted(wheels_folder(platform).glob("*.whl"))
    for package in packages:
        shutil.copy2(package, wheels)
    write_licences(packages, wheels / "licences")
    tracked = (ROOT / _MANIFEST).read_text(encoding="utf-8")
    (stage / _MANIFEST).write_text(shipped_manifest(tracked, platform, [path.name for path in packages]), "utf-8")
    _date(stage, int(_git("log", "-1", "--format=%ct")))


def shipped_manifest(tracked: str, platform: str, wheels: list[str]) -> str:
    """Add platform and wheels to the manifest's own keys, which stand before its first table."""
    keys, mark, tables = tracked.partition("\n[")
    paths = "".join(f"  {json.dumps(f'./wheels/{name}')},\n" for name in wheels)
    return f"{keys}\nplatforms = [{json.dumps(platform)}]\nwheels = [\n{paths}]\n{mark}{tables}"


def _date(stage: Path, time_s: int) -> None:
    """Give every file the time of the commit, so that equal code gives equal zips."""
    for path in stage.rglob("*"):
        os.utime(path, (time_s, time_s))


def _blenders_tool(*words: str) -> None:
    tool = next(BPY45.folder.rglob("bl_pkg/cli/blender_ext.py"))
    ran = subprocess.run([BPY45.interpreter, str(tool), *words], capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        say.line(ran.stdout + ran.stderr)
        raise StepFailedError(f"Blender's own `{words[0]}` of the extension", ran.returncode)


def _git(*words: str) -> str:
    """Ask git about this checkout: what ships is what is tracked. Raises NoGitError."""
    try:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoGitError(ROOT) from error


def _version() -> str:
    return str(tomllib.loads((ROOT / _MANIFEST).read_text(encoding="utf-8"))["version"])
