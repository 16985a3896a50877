# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things lie in a checkout. What is made here is ignored by git and can be deleted at any time."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / ".envs"
"""One folder per environment, with its log beside it."""
LOCKS = ROOT / "requirements"
CACHE = ROOT / ".cache"
NETWORKS = ROOT / "wheels" / "networks"
BUILD = ROOT / "build"
DIST = ROOT / "dist"
OUT = ROOT / "out"


def short(path: Path) -> str:
    """Name a path from the checkout's root where it lies inside, else in full."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
