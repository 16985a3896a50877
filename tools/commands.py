# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of `python3.11 -m tools`, each thin."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import say
from .benchmarking import run_benchmarks
from .checks import FAST, check, fix
from .demonstration import demonstrate
from .failures import SetUpError
from .locks import PLANS, write_lock
from .testing import run_tests
from .wheels import ZIPS
from .zips import build_zips

_EXIT_SET_UP = 2


def main(arguments: list[str]) -> int:
    """Run one command; return its exit code. 2 says that the machine could not be set up."""
    described = parser()
    asked, rest = described.parse_known_args(arguments)
    if rest and asked.command not in ("demo", "test", "test-all", "bench"):
        described.error(f"unknown: {' '.join(rest)}")
    if not asked.command:
        described.print_help()
        return 0
    try:
        return _run(asked, rest)
    except SetUpError as error:
        say.line(f"{error} {error.hint}")
        return _EXIT_SET_UP


def _run(asked: argparse.Namespace, rest: list[str]) -> int:
    match asked.command:
        case "demo":
            return demonstrate(asked.clip, asked.character, rest)
        case "test" | "test-all":
            return run_tests(rest, with_long=asked.command == "test-all")
        case "bench":
            return run_benchmarks(rest)
        case "zip":
            return build_zips(asked.platforms)
        case "check":
            return check(FAST) if asked.fast else check()
        case "fmt":
            return fix()
        case _:
            for name in asked.names or PLANS:
                write_lock(name)
            return 0


def parser() -> argparse.ArgumentParser:
    """Describe the commands."""
    root = argparse.ArgumentParser(prog="python3.11 -m tools", description="Set up what a command needs, then run it.")
    commands = root.add_subparsers(dest="command", metavar="COMMAND")
    demo = commands.add_parser("demo", help="replace a performer: in a shot made for this, or in CLIP by CHARACTER")
    demo.add_argument("clip", nargs="?", type=Path, metavar="CLIP", help="a movie or a numbered sequence")
    demo.add_argument("character", nargs="?", type=Path, metavar="CHARACTER", help="a picture of who comes in")
    commands.add_parser("test", help="run the tests; what follows goes to pytest")
    commands.add_parser("test-all", help="run the tests and the long ones; what follows goes to pytest")
    commands.add_parser("bench", add_help=False, help="measure, and print a table; `bench --help` lists the rows")
    zips = commands.add_parser("zip", help="build the extension that Blender installs, for each platform")
    zips.add_argument("platforms", nargs="*", choices=[*ZIPS, []], metavar="PLATFORM", help=", ".join(ZIPS))
    checks = commands.add_parser("check", help="formatting, lint, licence lines, import arrows and types")
    checks.add_argument("--fast", action="store_true", help="without the types")
    commands.add_parser("fmt", help="format the code and mend what lint can mend")
    lock = commands.add_parser("lock", help="write the locked lists of packages anew (needs the network)")
    lock.add_argument("names", nargs="*", choices=[*PLANS, []], metavar="NAME", help=", ".join(PLANS))
    return root
