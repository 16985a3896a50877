# SPDX-License-Identifier: GPL-3.0-or-later
"""A benchmark's rows as text, headed by the machine they were measured on."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("numpy", "opencv-python-headless", "mediapipe", "av", "torch", "diffusers")


@dataclass(frozen=True, slots=True)
class Row:
    """One thing measured. goal: in words; met: whether it holds, None where there is none; on: the material."""

    what: str
    on: str
    measured: str
    goal: str
    met: bool | None


def machine() -> str:
    """Say on what the rows were measured."""
    packages = ", ".join(f"{package} {version(package)}" for package in _PACKAGES if _is_here(package))
    return (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, {packages}"
    )


def markdown(rows: Iterable[Row]) -> str:
    """Lay rows out as a table."""
    marks = {True: "met", False: "NOT MET", None: ""}
    lines = ["| what | on | measured | goal | |", "|---|---|---|---|---|"]
    lines += [f"| {row.what} | {row.on} | {row.measured} | {row.goal} | {marks[row.met]} |" for row in rows]
    return "\n".join(lines)


def _is_here(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    names = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next((line.partition(":")[2].strip() for line in names if line.startswith("model name")), platform.machine())
