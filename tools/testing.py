# SPDX-License-Identifier: GPL-3.0-or-later
"""The second command of the README: set up all that the tests need, say what runs and what does not, run them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from . import say
from .children import run_child
from .environments import BLENDERS, WAN, WORKER, Environment, make
from .failures import PythonMissingError
from .layout import ROOT, short
from .networks import make_networks
from .wheels import ZIPS, are_in_place, make_wheels, this_platform, wheels_folder

FOOTAGE_VARIABLE = "UNDERSTUDY_FOOTAGE"
BLENDER_VARIABLE = "UNDERSTUDY_BLENDER"
GOLDEN_VARIABLE = "UNDERSTUDY_GOLDEN"
_EVERYDAY = ["-m", "not long", "--hypothesis-seed=0"]
"""Property tests take the same examples each time; test-all looks for new ones."""
_SIDE_BY_SIDE = ["-n", "2", "--dist", "loadfile"]
"""For a whole run: most tests wait for one thread of a worker or of a Blender. A file's tests share what they made."""
_A_THREAD_EACH = {"OMP_NUM_THREADS": "1"}
"""torch's threads wait for each other by spinning: two processes of them took 1.7 times the processor's time."""
_NOTHING_TO_RUN = 5
"""pytest's exit code for it."""
WAN_TESTS = "tests/engines/wan"
"""They need torch, which the worker's environment must do without."""


@dataclass(frozen=True, slots=True)
class Named:
    """What a machine may have, named by a variable.

    what: the tests that use it; without: what is so where none is named; astray: what becomes of them where what is
    named is not there.
    """

    what: str
    variable: str
    without: str
    is_folder: bool = True
    astray: str = "fails"


NAMED = (
    Named("tests with an interface", BLENDER_VARIABLE, "the bpy modules install the zip all the same", is_folder=False),
    Named("tests on real footage", FOOTAGE_VARIABLE, "the rendered performer serves all others", astray="skipped"),
    Named("all official Wan numbers", GOLDEN_VARIABLE, "the copied part runs"),
)


def run_tests(pytest_arguments: list[str], *, with_long: bool) -> int:
    """Make the environments, print what runs and what is skipped and why, run pytest; return its exit code.

    pytest's own closing line is the last that is written. Raises SetUpError.
    """
    rows = [_environment_row(WORKER), _environment_row(WAN), *map(_blender_row, BLENDERS)]
    rows.append(("the tracker's networks", "run", make_networks()))
    rows += [_zip_row(name, is_wanted=with_long or name == this_platform()) for name in ZIPS]
    rows += map(named_row, NAMED)
    rows.append(_long_row(with_long))
    say.table([("what", "", "where, or why not"), *rows])
    say.line()
    selection = [] if with_long else _EVERYDAY
    is_whole = not any(word == "--pdb" or _is_test_path(word) for word in pytest_arguments)
    manner, variables = (_SIDE_BY_SIDE, _A_THREAD_EACH) if is_whole else ([], {})
    runs = [
        [str(environment.interpreter), "-m", "pytest", *selection, *manner, *arguments]
        for environment, arguments in shared_out(pytest_arguments)
    ]
    return worst([run_child(run, **variables) for run in runs])


def worst(exit_codes: list[int]) -> int:
    """Sum several runs of pytest up: that one of them had nothing to run is a fault only where none had."""
    return max([code for code in exit_codes if code != _NOTHING_TO_RUN], default=_NOTHING_TO_RUN)


def shared_out(pytest_arguments: list[str]) -> list[tuple[Environment, list[str]]]:
    """Say which environment runs what: the Wan engine's tests in its own, first, and all others in the worker's."""
    options = [word for word in pytest_arguments if not _is_test_path(word)]
    paths = [word for word in pytest_arguments if _is_test_path(word)]
    if not paths:
        return [(WAN, [WAN_TESTS, *options]), (WORKER, [f"--ignore={WAN_TESTS}", *options])]
    of_wan = [path for path in paths if path.startswith(WAN_TESTS)]
    others = [path for path in paths if path not in of_wan]
    parts = ((WAN, of_wan), (WORKER, others))
    return [(environment, [*of_it, *options]) for environment, of_it in parts if of_it]


def named_row(named: Named) -> tuple[str, str, str]:
    """Say whether what a variable names is there."""
    kind = "folder" if named.is_folder else "file"
    path = os.environ.get(named.variable, "")
    if not path:
        return named.what, "skipped", f"{named.variable} names no {kind}; {named.without}"
    if not (Path(path).is_dir() if named.is_folder else Path(path).is_file()):
        return named.what, named.astray, f"{named.variable} names {path}, which is not a {kind}"
    return named.what, "run", path


def _is_test_path(word: str) -> bool:
    return not word.startswith("-") and (ROOT / word.partition("::")[0]).exists()


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


def _long_row(with_long: bool) -> tuple[str, str, str]:
    if with_long:
        return "long tests", "run", "asked for by test-all"
    return "long tests", "skipped", "everyday command; `python3.11 -m tools test-all` runs them"
