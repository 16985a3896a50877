# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line as a program sees it: exit codes, messages, clean stdout."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from backend.command.exits import Exit
from backend.command.parser import parser, performer
from backend.contract.events import KINDS
from backend.contract.job import (
    Combine,
    Delivery,
    Fit,
    Job,
    Mode,
    Pass,
    PerformerChoice,
    Pick,
    Setting,
    Shadow,
    Shot,
)
from backend.contract.jobfolder import read_job
from backend.contract.joints import Joint, JointFix
from backend.contract.wire import to_json

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


EVERY_OPTION = """
--performer id:2 --scale 1.5 --offset 0.1 -0.2 --ground-offset 0.3 --head-size 0.9 --mirror --first 3 --last 8
--fps 24000/1001 --name sc010 --passes comp,matte --depth 16 --first-number 7 --matte own.png --matte-combine add
--garbage-matte garbage.png --joint left_elbow:7,8@5:4-6 --shadow remove --seed 11 --engine wan --set steps=6
--also largest other.png
"""


def test_each_option_of_replace_becomes_the_field_of_the_job_that_bears_its_name(tmp_path: Path) -> None:
    clip, character = tmp_path / "none.mp4", tmp_path / "none.png"
    worker("replace", clip, character, "--output", tmp_path / "o", *EVERY_OPTION.split())
    [job_file] = (tmp_path / "o" / ".understudy" / "jobs").glob("*/job.json")
    job = read_job(job_file.parent)

    def named(path: str) -> str:
        return Path(path).name

    first, other = job.cast
    fit = Fit(scale=1.5, offset_x=0.1, offset_y=-0.2, ground_offset=0.3, head_size=0.9, mirror=True)
    assert (first.performer, first.fit) == (PerformerChoice(pick=Pick.ID, id=2), fit)
    pictures = [named(path) for path in (first.character, first.matte, first.garbage_matte)]
    assert pictures == ["none.png", "own.png", "garbage.png"]
    assert first.matte_combine is Combine.ADD
    assert first.joints == (JointFix(joint=Joint.LEFT_ELBOW, frame=5, x=7.0, y=8.0, first=4, last=6),)
    assert (named(other.character), other.performer) == ("other.png", PerformerChoice())
    assert (job_file.parent / job.shot.source).resolve() == clip
    assert (job.shot.first, job.shot.last, job.shot.fps) == (3, 8, "24000/1001")
    assert (job_file.parent / job.delivery.folder).resolve() == tmp_path / "o"
    assert (job.delivery.name, job.delivery.depth_bits, job.delivery.first_number) == ("sc010", 16, 7)
    assert set(job.delivery.passes) == {Pass.COMP, Pass.MATTE}
    assert (job.mode, job.shadow, job.seed, job.engine) == (Mode.REPLACE, Shadow.REMOVE, 11, "wan")
    assert job.settings == (Setting(name="steps", value="6"),)


_ENDS_AS = """
import sys
from backend.contract.events import JobCrashed, JobDone, JobRefused, JobStopped
from backend.pipeline import perform
perform.perform = lambda *_: {}
from backend.__main__ import main
raise SystemExit(main(["run", sys.argv[1]]))
"""


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("JobDone(seconds=1.0)", 0),
        ("JobCrashed(message='ValueError', log='worker.log')", 1),
        ("JobRefused(error='E', message='m', hint='h')", 3),
        ("JobStopped()", 4),
    ],
)
def test_a_job_ends_the_process_with_the_code_that_a_pipeline_was_promised(
    ending: str, code: int, tmp_path: Path
) -> None:
    (tmp_path / "job.json").touch()
    command = [sys.executable, "-c", _ENDS_AS.format(ending), str(tmp_path)]
    assert subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, timeout=120, check=False).returncode == code


def test_a_replayed_version_is_a_job_of_its_own(tmp_path: Path) -> None:
    job = Job(
        id="first",
        mode=Mode.REPLACE,
        shot=Shot(source="none.mp4"),
        cast=(),
        delivery=Delivery(folder="../../..", name="a"),
    )
    (tmp_path / "a_v001").mkdir()
    sidecar = tmp_path / "a_v001" / "a_v001.json"
    sidecar.write_text(json.dumps({"job": {"v": 1, **to_json(job)}}))
    worker("replay", sidecar)
    [folder] = (tmp_path / ".understudy" / "jobs").iterdir()
    again = read_job(folder)
    assert again.id == folder.name != "first"
    assert replace(again, id="first") == job


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
