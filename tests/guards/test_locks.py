# SPDX-License-Identifier: GPL-3.0-or-later
"""The locked lists hold what `pyproject.toml` asks for, with hashes, without addresses, and one OpenCV each."""

import re
from pathlib import Path

import pytest

from tools.environments import BLENDERS, WAN, WORKER, Environment, lock_path, locked_packages
from tools.layout import LOCKS
from tools.locks import PLANS, wanted

OPENCV = {"opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless"}
"""They install into the same folder and overwrite each other."""
LOCK_FILES = sorted(LOCKS.glob("*.txt"))


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_lock_has_a_plan_and_every_plan_a_lock() -> None:
    assert {path.stem for path in LOCK_FILES} == set(PLANS)


@pytest.mark.parametrize("lock", LOCK_FILES, ids=lambda path: str(path.stem))
def test_a_lock_has_a_hash_for_every_package_and_no_address(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z])", text)[1:]
    assert entries
    assert [entry for entry in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}", entry)] == []
    assert re.findall(r"://|--index|--find-links|\s@\s|^-", text, flags=re.MULTILINE) == []


@pytest.mark.parametrize("name", sorted(PLANS))
def test_a_lock_holds_what_the_project_asks_for(name: str) -> None:
    asked = {normal(package): version for package, version in (pin.split("==") for pin in wanted(PLANS[name]))}
    assert asked.items() <= locked_packages(lock_path(name)).items()


@pytest.mark.parametrize("name", [name for name, plan in PLANS.items() if plan.is_whole])
def test_a_whole_list_is_locked_as_it_stands(name: str) -> None:
    asked = {normal(pin.split("==")[0]) for pin in wanted(PLANS[name])}
    assert set(locked_packages(lock_path(name))) == asked


def test_what_an_artist_installs_is_what_the_tests_run_on_with_cudas_libraries_on_linux_alone() -> None:
    tested = {name: version for lock in ("worker", "test", "wan") for name, version in locked(lock).items()}
    linux, macos = locked("wan_linux"), locked("wan_macos")
    assert locked("wan").items() < macos.items() < linux.items()
    assert {name for name in macos if name in tested} >= {"numpy", "networkx", "certifi"}
    assert all(tested[name] == version for name, version in linux.items() if name in tested)
    more = linux.keys() - macos.keys()
    assert {name for name in more if not name.startswith(("nvidia-", "cuda-"))} == {"triton"}


def locked(lock: str) -> dict[str, str]:
    return locked_packages(lock_path(lock))


@pytest.mark.parametrize("lock", ["wan_linux", "wan_macos"])
def test_what_an_artist_installs_has_wheels_for_every_blenders_python(lock: str) -> None:
    text = lock_path(lock).read_text(encoding="utf-8")
    for python in {blender.python for blender in BLENDERS}:
        assert re.search(
            rf"^# Python {python}: \d{{9,}} bytes to fetch, \d{{9,}} unpacked\.$", text, flags=re.MULTILINE
        )
    torch = text[text.index("torch==") :]
    assert torch[: torch.index("\ntqdm")].count("sha256") == len({blender.python for blender in BLENDERS})


@pytest.mark.parametrize("environment", [WORKER, WAN, *BLENDERS], ids=lambda environment: str(environment.name))
def test_an_environment_has_one_opencv_at_most_and_no_package_twice(environment: Environment) -> None:
    packages = [package for lock in environment.locks for package in locked_packages(lock_path(lock))]
    assert len(OPENCV & set(packages)) <= 1
    assert len(packages) == len(set(packages))


def test_the_worker_has_exactly_one_opencv() -> None:
    assert len(OPENCV & set(locked_packages(lock_path("worker")))) == 1


@pytest.mark.parametrize(
    ("lock", "shipped"), [("bpy42", "1.24"), ("bpy45", "1.26"), ("bpy50", "1.26"), ("bpy52", "2.5")]
)
def test_a_blender_has_the_numpy_that_the_release_ships(lock: str, shipped: str) -> None:
    assert locked_packages(lock_path(lock))["numpy"].startswith(f"{shipped}.")
