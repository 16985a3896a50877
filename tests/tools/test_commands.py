# SPDX-License-Identifier: GPL-3.0-or-later
"""The front door tells what is wrong in a sentence with the next step in it."""

import ast
import sys
from pathlib import Path

import pytest

from tools import testing
from tools.commands import main
from tools.environments import BPY52, Environment
from tools.failures import PythonMissingError
from tools.interpreters import find_python
from tools.layout import ROOT


def test_a_clip_without_a_character_is_refused_before_anything_is_set_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "shot.mp4"]) == 2
    assert "Name both: demo CLIP CHARACTER." in capsys.readouterr().out


def test_no_command_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert {"demo", "test", "check"} <= set(capsys.readouterr().out.split())


@pytest.mark.parametrize("name", ["__init__.py", "__main__.py"])
def test_what_an_older_python_reads_is_written_so_that_it_can(name: str) -> None:
    assert ast.parse((ROOT / "tools" / name).read_bytes(), feature_version=(3, 7))


def test_no_tool_stands_in_the_standard_librarys_place_when_one_beside_it_is_run_by_its_path() -> None:
    assert {path.stem for path in (ROOT / "tools").glob("*.py")} & set(sys.stdlib_module_names) == set()


def test_this_python_is_found_by_its_version() -> None:
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert find_python(here, "a test") == Path(sys.executable)


def test_a_python_that_is_not_there_is_named_with_who_wants_it() -> None:
    with pytest.raises(PythonMissingError, match=r"Python 2\.0 is needed for a museum"):
        find_python("2.0", "a museum")


def test_a_blender_whose_python_is_not_there_is_skipped_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(environment: Environment) -> None:
        raise PythonMissingError(environment.python, environment.purpose)

    monkeypatch.setattr(testing, "make", make)
    what, runs, why = testing._blender_row(BPY52)
    assert (what, runs) == (BPY52.purpose, "skipped")
    assert why.startswith("Python 3.13 is needed") and "Install Python 3.13" in why
