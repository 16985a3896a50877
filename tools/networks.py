# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the tracker's networks in place: fetch the one wheel that holds them and let `pack_networks.py` pack them."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from . import say
from .environments import WORKER, lock_path, make, run_pip
from .failures import StepFailedError
from .layout import CACHE, ENVIRONMENTS, NETWORKS, ROOT, short
from .one_at_a_time import alone

_PACKER = ROOT / "tools" / "pack_networks.py"
_MADE_FROM = ENVIRONMENTS / "networks.made_from"
_HOLDER = [
    "--no-deps",
    "--require-hashes",
    "--only-binary=:all:",
    "--platform=manylinux_2_28_x86_64",
    "--python-version=3.11",
    "--implementation=cp",
]
"""The networks are the same in every wheel of that version; the packer knows this one by its hash."""


def make_networks() -> str:
    """Put `wheels/networks` in place and say what that came to. Raises SetUpError."""
    make(WORKER, "worker")
    with alone(ENVIRONMENTS / "networks.lock"), say.status(short(NETWORKS)) as status:
        if _are_in_place():
            return "in place"
        wheels = CACHE / "wheels"
        run_pip(
            WORKER.interpreter,
            ["download", *_HOLDER, f"--dest={wheels}", f"--requirement={lock_path('networks')}"],
            log=ENVIRONMENTS / "networks.log",
            what="the tracker's networks",
            status=status,
            total=1,
        )
        status.show("packing")
        _pack(wheels)
        return f"made in {status.elapsed_s:.0f} s"


def _pack(wheels: Path) -> None:
    """Pack beside and rename, so that a folder of that name is always whole."""
    beside = NETWORKS.with_name("networks.unfinished")
    shutil.rmtree(beside, ignore_errors=True)
    packed = subprocess.run([WORKER.interpreter, str(_PACKER), str(wheels), str(beside)], cwd=ROOT, check=False)
    if packed.returncode != 0:
        raise StepFailedError(short(_PACKER), packed.returncode)
    shutil.rmtree(NETWORKS, ignore_errors=True)
    beside.rename(NETWORKS)
    _MADE_FROM.write_text(_made_from(), encoding="utf-8")


def _are_in_place() -> bool:
    return NETWORKS.is_dir() and _MADE_FROM.is_file() and _MADE_FROM.read_text(encoding="utf-8") == _made_from()


def _made_from() -> str:
    """Hash what the networks depend on: the wheel's lock and the packer."""
    return hashlib.sha256(lock_path("networks").read_bytes() + _PACKER.read_bytes()).hexdigest()
