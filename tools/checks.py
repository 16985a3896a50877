# SPDX-License-Identifier: GPL-3.0-or-later
"""Formatting, lint, walls and types: what can be said about the code without running it."""

from __future__ import annotations

import subprocess

from . import say
from .environments import WAN, WORKER, Environment, make
from .layout import ROOT

CHECKS = {
    "format": ("ruff", "format", "--check"),
    "lint": ("ruff", "check"),
    "walls": ("pytest", "--quiet", "tests/guards/test_source.py", "tests/guards/test_arrows.py"),
    "types": ("tools.type_checks",),
}
"""What is run, in this order; settings are in `pyproject.toml`. The tests run the same in a clone."""
FAST = ("format", "lint", "walls")


def check(names: tuple[str, ...] = tuple(CHECKS)) -> int:
    """Run the checks, all of them even where one fails, and return how many failed. Raises SetUpError."""
    failed = [name for name in names if _run(name).returncode]
    say.line(
        f"{len(names) - len(failed)} of {len(names)} checks passed." + (f" Not: {', '.join(failed)}." if failed else "")
    )
    return len(failed)


def environment_of(name: str) -> Environment:
    """Say where a check runs: the types of all that the worker may import are in the Wan engine's environment alone."""
    return WAN if name == "types" else WORKER


def _run(name: str) -> subprocess.CompletedProcess[bytes]:
    python = make(environment_of(name)).python
    return subprocess.run([python, "-m", *CHECKS[name]], cwd=ROOT, check=False)


def fix() -> int:
    """Format the code and mend what lint can mend; return 0, or ruff's exit code. Raises SetUpError."""
    python = make(WORKER).python
    subprocess.run([python, "-m", "ruff", "format"], cwd=ROOT, check=False)
    return subprocess.run([python, "-m", "ruff", "check", "--fix"], cwd=ROOT, check=False).returncode
