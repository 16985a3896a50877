# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line as a program sees it: exit codes, messages, clean stdout."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from backend.command.exits import Exit
from backend.command.parser import parser, performer
from backend.contract.events import KINDS
from backend.contract.job import PerformerChoice, Pick
from backend.contract.joints import Joint, JointFix

ROOT = Path(__file__).resolve().parents[2]


def worker(*words: str | Path, python: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *python, "-m", "backend", *map(str, words)],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("largest", PerformerChoice()),
        ("id:2", PerformerChoice(pick=Pick.ID, id=2)),
        ("point:640,300.5@12", PerformerChoice(pick=Pick.POINT, frame=12, x=640, y=300.5)),
        ("box:1,2,30,40", PerformerChoice(pick=Pick.BOX, x=1, y=2, x1=30, y1=40)),
    ],
)
def test_a_performer_is_read_from_a_word(text: str, choice: PerformerChoice) -> None:
    assert performer(text) == choice


@pytest.mark.parametrize("text", ["tallest", "id:", "id:one", "point:3", "box:1,2,3"])
def test_a_word_that_names_no_performer_is_a_usage_error(text: str) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["replace", "a.mp4", "b.png", "--performer", text])
    assert ended.value.code == Exit.USAGE


@pytest.mark.parametrize(
    ("text", "first", "last"), [("left_elbow:7,-8.5@12", 6, 18), ("left_elbow:7,-8.5@12:10-30", 10, 30)]
)
def test_a_joint_is_read_from_a_word(text: str, first: int, last: int) -> None:
    fix = JointFix(joint=Joint.LEFT_ELBOW, frame=12, x=7.0, y=-8.5, first=first, last=last)
    assert parser().parse_args(["replace", "a.mp4", "b.png", "--joint", text]).joint == [fix]


@pytest.mark.parametrize("text", ["tail:1,2@3", "left_elbow:1@3", "left_elbow:1,2", "left_elbow:1,2@3:4"])
def test_a_word_that_moves_no_joint_is_a_usage_error(text: str) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["replace", "a.mp4", "b.png", "--joint", text])
    assert ended.value.code == Exit.USAGE


def test_an_unknown_command_ends_with_the_usage_code() -> None:
    assert worker("swap").returncode == Exit.USAGE


@pytest.mark.parametrize("command", ["run", "resume"])
def test_a_folder_without_a_job_is_refused_in_words(command: str, tmp_path: Path) -> None:
    done = worker(command, tmp_path)
    assert done.returncode == Exit.REFUSED
    assert "does not exist" in done.stderr
    assert "Check the path" in done.stderr


def test_under_json_a_refusal_is_an_event_line_and_stdout_holds_nothing_else(tmp_path: Path) -> None:
    done = worker("replace", tmp_path / "none.mp4", tmp_path / "none.png", "--output", tmp_path / "o", "--json")
    kinds = [json.loads(line)["kind"] for line in done.stdout.splitlines()]
    assert done.returncode == Exit.REFUSED
    assert kinds[0] == "worker_started"
    assert kinds[-1] == "job_refused"
    assert set(kinds) <= KINDS.keys()


def test_the_schema_describes_the_job_that_replace_writes(tmp_path: Path) -> None:
    worker("replace", tmp_path / "none.mp4", tmp_path / "none.png", "--output", tmp_path / "o")
    [job_file] = (tmp_path / "o" / ".understudy" / "jobs").glob("*/job.json")
    written, schema = json.loads(job_file.read_text("utf-8")), json.loads(worker("schema", "job").stdout)
    assert set(written) == set(schema["properties"])
    assert written["v"] == schema["properties"]["v"]["const"]


def test_doctor_names_every_library_and_engine() -> None:
    done = worker("doctor", "--json")
    findings = {finding["what"]: finding["is_well"] for finding in json.loads(done.stdout)["findings"]}
    assert done.returncode == Exit.DONE
    assert findings["mediapipe"]
    assert findings["draft engine"]
    assert findings["wan engine"] is False


def test_a_newer_job_is_refused(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text('{"v": 99}')
    done = worker("run", tmp_path)
    assert done.returncode == Exit.REFUSED
    assert "Update Understudy" in done.stderr


def test_a_python_without_the_libraries_is_refused_in_words_and_the_event_file_says_so(tmp_path: Path) -> None:
    done = worker("replace", "a.mp4", "b.png", "--output", tmp_path, "--json", python=("-S",))
    ending = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == Exit.REFUSED
    assert ending["error"] == "LibraryMissingError"
    assert "doctor" in ending["hint"]
    [events] = tmp_path.rglob("events.jsonl")
    assert json.loads(events.read_text("utf-8").splitlines()[-1]) == ending
