# SPDX-License-Identifier: GPL-3.0-or-later
"""The second command of the README: set up all that the tests need, say what runs and what does not, run them."""

from __future__ import annotations

import os
from pathlib import Path

from . import say
from .children import run_child
from .environments import BLENDERS, WORKER, Environment, make
from .failures import PythonMissingError
from .layout import short
from .networks import make_networks
from .wheels import ZIPS, are_in_place, make_wheels, this_platform, wheels_folder

FOOTAGE_VARIABLE = "UNDERSTUDY_FOOTAGE"
_EVERYDAY = ["-m", "not long"]


def run_tests(pytest_arguments: list[str], *, with_long: bool) -> int:
    """Make the environments, print what runs and what is skipped and why, run pytest; return its exit code.

    pytest's own closing line is the last that is written. Raises SetUpError.
    """
    rows = [_environment_row(WORKER), *map(_blender_row, BLENDERS)]
    rows.append(("the tracker's networks", "run", make_networks()))
    rows += [_zip_row(name, is_wanted=with_long or name == this_platform()) for name in ZIPS]
    rows.append(_footage_row())
    rows.append(_long_row(with_long))
    say.table([("what", "", "where, or why not"), *rows])
    say.line()
    selection = [] if with_long else _EVERYDAY
    return run_child([str(WORKER.interpreter), "-m", "pytest", *selection, *pytest_arguments])


def _environment_row(environment: Environment) -> tuple[str, str, str]:
    return environment.purpose, "runs", f"{short(environment.folder)}, {make(environment).summary}"


def _blender_row(blender: Environment) -> tuple[str, str, str]:
    """Make a Blender's environment where this machine has the Python that it wants."""
    try:
        return _environment_row(blender)
    except PythonMissingError as error:
        return blender.purpose, "skipped", f"{error} {error.hint}"


def _zip_row(platform: str, *, is_wanted: bool) -> tuple[str, str, str]:
    """Fetch the wheels of this machine's zip, and with the long tests those of all."""
    what = f"the zip for {platform}"
    if not (is_wanted or are_in_place(platform)):
        return what, "skipped", "its wheels are not fetched; `python3.11 -m tools zip` or test-all fetches them"
    return what, "runs", f"{short(wheels_folder(platform))}, {make_wheels(platform)}"


def _footage_row() -> tuple[str, str, str]:
    named = os.environ.get(FOOTAGE_VARIABLE, "")
    if not named:
        return "tests on real footage", "skipped", f"{FOOTAGE_VARIABLE} names no folder with clips"
    if not Path(named).is_dir():
        return "tests on real footage", "skipped", f"{FOOTAGE_VARIABLE} names {named}, which is not a folder"
    return "tests on real footage", "run", named


def _long_row(with_long: bool) -> tuple[str, str, str]:
    if with_long:
        return "long tests", "run", "asked for by test-all"
    return "long tests", "skipped", "everyday command; `python3.11 -m tools test-all` runs them"
