# SPDX-License-Identifier: GPL-3.0-or-later
"""An environment is made by the real pip from a mirror on this machine, and cut short in every way there is."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from backend.command.exits import Exit
from backend.contract.environment import environment_of, is_whole, python_of, seal_of
from backend.contract.events import Event, JobDone, JobRefused, JobStopped, StageKept, StageStarted, StepsDone
from backend.environment.create import create
from backend.environment.errors import (
    FetchFailedError,
    NoListError,
    OtherPackageError,
    PythonNotListedError,
    RoomMissingError,
)
from backend.environment.leashed import Ran, Runner
from backend.environment.lists import list_for_this_system, read_list
from tests.environment.mirror import Mirror
from tests.patience import comes_true
from tests.worker import Worker

MB = 1_000_000
PACKAGES = ("first", "second", "third")


@contextmanager
def a_mirror(folder: Path) -> Iterator[Mirror]:
    (folder / "mirror").mkdir()
    mirror = Mirror(folder / "mirror")
    for name in PACKAGES:
        mirror.add(name, 4 * MB)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in mirror.settings.items():
            patch.setenv(name, value)
        yield mirror
    mirror.close()


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    with a_mirror(tmp_path) as mirror:
        yield mirror


class Made:
    """A folder in which an environment is made, by the worker's command."""

    def __init__(self, mirror: Mirror, folder: Path) -> None:
        self.mirror = mirror
        self.folder = folder / "wan environment"
        self.environment = environment_of(self.folder)
        self.list = mirror.lock(folder / "list.txt")

    def start(self) -> Worker:
        return Worker("create-environment", self.folder, "--list", self.list)

    def again(self, code: Exit = Exit.DONE) -> list[Event]:
        ended, events = self.start().end()
        assert ended == code, events
        return events

    def imports(self) -> str:
        """Let the environment's own Python import what was installed."""
        words = f"import {', '.join(PACKAGES)}; print({'+'.join(f'{name}.NAME' for name in PACKAGES)})"
        ran = subprocess.run([python_of(self.environment), "-I", "-c", words], capture_output=True, text=True)
        return ran.stdout.strip()


@pytest.fixture
def made(mirror: Mirror, tmp_path: Path) -> Made:
    return Made(mirror, tmp_path)


@pytest.fixture(scope="module")
def first_made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Made, list[Event], list[str]]]:
    """An environment that was made, what happened, and what its mirror gave."""
    folder = tmp_path_factory.mktemp("made")
    with a_mirror(folder) as mirror:
        made = Made(mirror, folder)
        events = made.again()
        yield made, events, list(mirror.given)


@pytest.fixture
def whole(first_made: tuple[Made, list[Event], list[str]]) -> Made:
    """That environment, whole again whatever the last test did to it; nothing was asked of its mirror yet."""
    made, *_ = first_made
    made.again()
    made.mirror.given = []
    return made


def until_fetched(worker: Worker, megabytes: int) -> None:
    """Listen until so many megabytes or more have come: a busy worker may not look at each."""
    for event in worker.events():
        if isinstance(event, StepsDone) and event.stage == "fetch" and event.done_steps >= megabytes:
            return
    raise AssertionError("the worker ended")


def test_an_environment_is_made_with_progress_in_megabytes_and_made_once(
    first_made: tuple[Made, list[Event], list[str]],
) -> None:
    made, events, given = first_made
    stages = [event.stage for event in events if isinstance(event, StageStarted)]
    last = {event.stage: (event.done_steps, event.total_steps) for event in events if isinstance(event, StepsDone)}
    assert stages == ["fetch", "unpack"]
    assert last == {"fetch": (12, 12), "unpack": (12, 12)}
    assert isinstance(events[-1], JobDone)
    assert made.imports() == "firstsecondthird"
    assert not (made.folder / "wheels").exists() and not (made.folder / "scratch").exists()
    assert [event.kind for event in made.again()] == [StageKept.kind, JobDone.kind]
    assert given == list(PACKAGES)


def test_killed_in_the_middle_of_a_package_it_fetches_only_what_is_missing(mirror: Mirror, made: Made) -> None:
    mirror.stalls_at = "second"
    worker = made.start()
    until_fetched(worker, 6)  # in the middle of the second
    worker.process.kill()
    worker.process.wait()
    assert not is_whole(made.environment)
    assert comes_true(lambda: not pips_at_work(made.folder))
    mirror.stalls_at, mirror.given = "", []
    events = made.again()
    first = next(event for event in events if isinstance(event, StepsDone))
    assert (first.done_steps, first.total_steps) == (4, 12)
    assert mirror.given == ["second", "third"]
    assert made.imports() == "firstsecondthird"


def pips_at_work(folder: Path) -> list[str]:
    """List the command lines of the pips below a folder."""
    lines = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout.splitlines()
    return [line for line in lines if str(folder) in line]


def test_asked_to_stop_it_stops_at_once_and_goes_on_later(mirror: Mirror, made: Made) -> None:
    mirror.stalls_at = "third"
    worker = made.start()
    until_fetched(worker, 10)  # in the middle of the third
    assert worker.process.stdin
    worker.process.stdin.write("stop\n")
    worker.process.stdin.flush()
    code, events = worker.end()
    assert (code, events[-1]) == (Exit.STOPPED, JobStopped())
    mirror.stalls_at, mirror.given = "", []
    made.again()
    assert mirror.given == ["third"]


@pytest.mark.parametrize("place", ["breaks", "is not there"])
def test_a_lost_connection_is_told_and_costs_one_package(place: str, mirror: Mirror, made: Made) -> None:
    hidden = mirror.folder / "second-1-py3-none-any.whl"
    content = hidden.read_bytes()
    if place == "breaks":
        mirror.breaks_at = "second"
    else:
        hidden.unlink()
    [*_, refused] = made.again(Exit.REFUSED)
    assert isinstance(refused, JobRefused)
    broken = (FetchFailedError.__name__, OtherPackageError.__name__)  # a pip before 25 can't tell them apart
    assert refused.error in (broken if place == "breaks" else broken[:1])
    assert "second" in refused.message and "press create environment again" in refused.hint.lower()
    hidden.write_bytes(content)
    mirror.breaks_at, mirror.given = "", []
    made.again()
    assert mirror.given == ["second", "third"]


def test_another_file_under_a_locked_name_is_refused(mirror: Mirror, made: Made) -> None:
    mirror.add("second", 5 * MB)
    [*_, refused] = made.again(Exit.REFUSED)
    assert isinstance(refused, JobRefused)
    assert refused.error == OtherPackageError.__name__
    assert "second" in refused.message
    assert not is_whole(made.environment)
    assert [wheel.name for wheel in (made.folder / "wheels").iterdir()] == ["first-1-py3-none-any.whl"]


def test_a_kept_wheel_that_has_changed_is_fetched_again(mirror: Mirror, made: Made) -> None:
    wheels = made.folder / "wheels"
    wheels.mkdir(parents=True)
    shutil.copy(mirror.folder / "first-1-py3-none-any.whl", wheels)
    (wheels / "second-1-py3-none-any.whl").write_bytes(b"cut short")
    made.again()
    assert mirror.given == ["second", "third"]


def test_one_without_its_seal_is_made_anew(whole: Made) -> None:
    seal_of(whole.environment).unlink()
    (whole.environment / "left_over").touch()
    whole.again()
    assert not (whole.environment / "left_over").exists()


def test_until_the_packages_of_a_new_list_are_there_the_old_environment_stays(whole: Made) -> None:
    whole.list.write_text(f"{whole.list.read_text()}# a new list\n")
    (whole.environment / "left_over").touch()
    third = whole.mirror.folder / "third-1-py3-none-any.whl"
    content = third.read_bytes()
    third.unlink()
    whole.again(Exit.REFUSED)
    assert is_whole(whole.environment)
    assert whole.imports() == "firstsecondthird"
    third.write_bytes(content)
    whole.mirror.given = []
    whole.again()
    assert whole.mirror.given == ["third"]
    assert not (whole.environment / "left_over").exists()


def test_one_whose_python_has_moved_is_mended_without_fetching(whole: Made) -> None:
    for link in python_of(whole.environment).parent.glob("python*"):
        link.unlink()
        link.symlink_to("gone")
    assert whole.again()[0] == StageKept(stage="unpack", key="")
    assert whole.imports() == "firstsecondthird"
    assert whole.mirror.given == []


def test_a_second_maker_is_refused(mirror: Mirror, made: Made) -> None:
    mirror.stalls_at = "first"
    worker = made.start()
    until_fetched(worker, 0)
    [*_, refused] = made.again(Exit.REFUSED)
    assert isinstance(refused, JobRefused) and refused.error == "JobBusyError"
    assert worker.process.stdin
    worker.process.stdin.close()  # the end of its leash
    assert worker.end()[0] == Exit.STOPPED


def test_a_small_disk_is_refused_before_anything_is_fetched(
    mirror: Mirror, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = shutil.disk_usage(made.list.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: used._replace(free=24 * MB))
    made.folder.mkdir()
    with pytest.raises(RoomMissingError, match=r"needs 0\.0 GB") as refused:
        create(made.folder, read_list(made.list), lambda event: None, lambda: False)
    assert 24 * MB < refused.value.needed_bytes < 27 * MB  # wheels and what is in them, 12 MB each, at once
    assert mirror.given == []
    assert not made.environment.exists()


def test_a_disk_that_fills_up_after_all_is_told(mirror: Mirror, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    full = Ran(is_well=False, said="ERROR: Could not install packages due to an OSError: [Errno 28] No space left")
    run = Runner.run

    def fills_up(self: Runner, python: Path, name: str, *words: str, **looks: Any) -> Ran:
        return full if name == "pip" else run(self, python, name, *words, **looks)

    monkeypatch.setattr(Runner, "run", fills_up)
    made.folder.mkdir()
    with pytest.raises(RoomMissingError):
        create(made.folder, read_list(made.list), lambda event: None, lambda: False)


def test_a_package_is_not_counted_twice_while_pip_copies_it(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    run, told = Runner.run, list[tuple[int, int]]()

    def copies_slowly(self: Runner, python: Path, name: str, *words: str, **more: Any) -> Ran:
        ran = run(self, python, name, *words, **more)
        if "download" in words:
            [whole] = (self.scratch / "whole").iterdir()
            shutil.copy(whole, self.scratch)
            more["look"]()
        return ran

    def tell(event: Event) -> None:
        if isinstance(event, StepsDone) and event.stage == "fetch":
            told.append((event.done_steps, sum(1 for _ in (made.folder / "wheels").iterdir())))

    monkeypatch.setattr(Runner, "run", copies_slowly)
    made.folder.mkdir()
    create(made.folder, read_list(made.list), tell, lambda: False)
    assert told
    assert all(done_mb <= 4 * (kept + 1) for done_mb, kept in told), told


def test_a_python_that_a_list_is_not_for_is_refused(made: Made) -> None:
    made.list.write_text(re.sub(r"Python [\d.]+", "Python 3.9", made.list.read_text()))
    with pytest.raises(PythonNotListedError, match=f"{sys.version_info.major}.{sys.version_info.minor}"):
        read_list(made.list)


def test_on_a_system_without_a_list_choosing_one_is_advised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(NoListError) as refused:
        list_for_this_system()
    assert "choose" in refused.value.hint


def test_what_ships_is_read_for_this_system() -> None:
    listed = read_list(list_for_this_system())
    assert {"torch", "numpy", "einops", "gguf", "ftfy", "sentencepiece"} <= {pin.name for pin in listed.pins}
    assert all(pin.hashes and pin.text.startswith(f"{pin.name}==") for pin in listed.pins)
    assert listed.fetch_bytes > 10 * MB
