# SPDX-License-Identifier: GPL-3.0-or-later
"""Environments are whole or not there, and one that is in place costs nothing."""

import subprocess
import sys
import threading
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from tools import environments, say
from tools.environments import Environment, make, run_pip
from tools.failures import DiskFullError, DownloadError, LockMismatchError, SetUpError
from tools.layout import ROOT
from tools.one_at_a_time import alone


class Recorder:
    """Stands in for pip and venv: counts what is installed, and dies where it is told to."""

    def __init__(self) -> None:
        self.installed: list[str] = []
        self.dies_at = ""

    def make_venv(self, environment: Environment, status: say.Status) -> None:
        del status
        environment.interpreter.parent.mkdir(parents=True)
        environment.interpreter.touch()

    def install_lock(self, environment: Environment, lock: str, status: say.Status) -> None:
        del environment, status
        if lock == self.dies_at:
            raise KeyboardInterrupt
        self.installed.append(lock)


@pytest.fixture
def recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr(environments, "ENVIRONMENTS", tmp_path / "envs")
    monkeypatch.setattr(environments, "LOCKS", tmp_path)
    monkeypatch.setattr(environments, "_make_venv", recorder.make_venv)
    monkeypatch.setattr(environments, "_install_lock", recorder.install_lock)
    for name in ("first", "second"):
        (tmp_path / f"{name}.txt").write_text("package==1 --hash=sha256:0\n")
    return recorder


@pytest.fixture
def environment() -> Environment:
    return Environment(name="toy", purpose="a test", python="3.11", locks=("first", "second"), needs_gb=0.0)


def test_what_is_in_place_is_not_made_again(recorder: Recorder, environment: Environment) -> None:
    make(environment)
    assert make(environment).summary == "in place"
    assert recorder.installed == ["first", "second"]


def test_a_second_lock_is_added_to_what_is_there(recorder: Recorder, environment: Environment) -> None:
    make(environment, "first")
    make(environment, "second")
    assert recorder.installed == ["first", "second"]


def test_a_changed_lock_makes_the_environment_anew(
    recorder: Recorder, environment: Environment, tmp_path: Path
) -> None:
    make(environment)
    (environment.folder / "left_over").touch()
    (tmp_path / "first.txt").write_text("package==2 --hash=sha256:0\n")
    make(environment)
    assert recorder.installed == ["first", "second"] * 2
    assert not (environment.folder / "left_over").exists()


def test_one_that_was_cut_short_is_made_anew(recorder: Recorder, environment: Environment) -> None:
    make(environment, "first")
    recorder.dies_at = "second"
    with pytest.raises(KeyboardInterrupt):
        make(environment)
    recorder.dies_at = ""
    make(environment)
    assert recorder.installed == ["first", "first", "second"]


@pytest.mark.usefixtures("recorder")
def test_a_disk_without_room_is_refused_before_anything_is_fetched(environment: Environment) -> None:
    endless = Environment(name="toy", purpose="a test", python="3.11", locks=environment.locks, needs_gb=1e9)
    with pytest.raises(DiskFullError, match=r"1000000000\.0 GB"):
        make(endless)


def toy_wheel(folder: Path) -> Path:
    wheel = folder / "toy-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("toy.py", "")
        archive.writestr("toy-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: toy\nVersion: 1\n")
        archive.writestr("toy-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("toy-1.dist-info/RECORD", "")
    return wheel


def download(folder: Path, pin: str) -> None:
    """Let the real pip fetch `pin` from a folder, without a network."""
    (folder / "lock.txt").write_text(pin)
    words = ["download", "--no-index", f"--find-links={folder}", "--no-deps", "--require-hashes"]
    command = [*words, f"--dest={folder / 'into'}", f"--requirement={folder / 'lock.txt'}"]
    log = folder / "pip.log"
    run_pip(Path(sys.executable), command, log=log, what="a toy", status=say.Status("a toy"), total=1)


def test_a_locked_package_is_fetched(tmp_path: Path) -> None:
    wheel = toy_wheel(tmp_path)
    download(tmp_path, f"toy==1 --hash=sha256:{sha256(wheel.read_bytes()).hexdigest()}\n")
    assert (tmp_path / "into" / wheel.name).read_bytes() == wheel.read_bytes()


@pytest.mark.parametrize(
    ("pin", "error"), [("toy==1", LockMismatchError), ("toy==2", DownloadError)], ids=["other bytes", "not there"]
)
def test_another_file_under_the_name_and_no_file_are_told_apart(
    pin: str, error: type[SetUpError], tmp_path: Path
) -> None:
    toy_wheel(tmp_path)
    with pytest.raises(error, match="pip"):
        download(tmp_path, f"{pin} --hash=sha256:{'0' * 64}\n")


def test_what_a_killed_command_left_running_is_waited_for(tmp_path: Path) -> None:
    lock, let_go, ended = (tmp_path / name for name in ("toy.lock", "let_go", "ended"))
    child = (
        "import time; from pathlib import Path\n"
        f"while not Path({str(let_go)!r}).exists(): time.sleep(0.01)\n"
        f"Path({str(ended)!r}).touch()\n"
    )
    parent = (
        "import subprocess, sys, os; from pathlib import Path; from tools.one_at_a_time import alone\n"
        f"with alone(Path({str(lock)!r})):\n"
        f"    subprocess.Popen([sys.executable, '-c', {child!r}], close_fds=False)\n"
        "    os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", parent], cwd=ROOT, check=False).returncode == 9
    threading.Timer(0.5, let_go.touch).start()
    with alone(lock):
        assert ended.exists()


def test_a_second_index_is_asked_only_where_the_first_has_no_allowed_file(
    recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    asked: list[list[str]] = []

    def refusing(python: Path, command: list[str], *, what: str, log: Path, **_: object) -> None:
        asked.append(command)
        if "--extra-index-url" not in command:
            raise LockMismatchError(what, log)

    monkeypatch.setattr(environments, "run_pip", refusing)
    monkeypatch.setattr(environments, "ENVIRONMENTS", tmp_path / "envs")
    monkeypatch.setattr(environments, "LOCKS", tmp_path)
    monkeypatch.setattr(environments, "_make_venv", recorder.make_venv)
    toy = Environment(
        name="toy", purpose="a test", python="3.11", locks=("first",), needs_gb=0.0, second_index="somewhere"
    )
    make(toy)
    assert [command[-2:] == ["--extra-index-url", "somewhere"] for command in asked] == [False, True]
    with pytest.raises(LockMismatchError):
        make(Environment(name="other", purpose="a test", python="3.11", locks=("first",), needs_gb=0.0))
