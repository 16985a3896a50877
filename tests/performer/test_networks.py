# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine on which mediapipe's own library can't be loaded is told so, before any work and by the doctor."""

import importlib
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace

import pytest

from backend.performer import networks
from backend.performer.networks import TrackerLibraryError, mediapipe
from backend.pipeline.doctor import examine

MISSING = "libGLESv2.so.2: cannot open shared object file: No such file or directory"
"""What a Linux system without OpenGL ES says."""


def no_library() -> None:
    raise OSError(MISSING)


@pytest.fixture
def without_library(monkeypatch: pytest.MonkeyPatch) -> None:
    mediapipe()  # once with it, so that its parts can be imported
    monkeypatch.setattr(importlib.import_module(networks._LIBRARY_LOADER), "load_raw_library", no_library)


@pytest.mark.usefixtures("without_library")
def test_the_library_is_named_with_what_to_install() -> None:
    with pytest.raises(TrackerLibraryError, match=r"libGLESv2\.so\.2") as refused:
        mediapipe()
    assert "libgles2" in refused.value.hint


@pytest.mark.usefixtures("without_library")
def test_the_doctor_says_that_it_does_not_run() -> None:
    [finding] = [finding for finding in examine() if finding.what == "mediapipe"]
    assert (finding.is_well, finding.is_needed) == (False, True)
    assert MISSING in finding.detail and TrackerLibraryError.hint in finding.detail


def test_other_libraries_may_ask_whether_matplotlib_is_there() -> None:
    find_spec("matplotlib")  # raises ValueError where a stand-in was left behind


def test_it_can_be_imported_by_two_threads_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow_look(_name: str) -> None:
        time.sleep(0.2)

    def slow_import(name: str) -> ModuleType:
        time.sleep(0.2)
        return importlib.import_module(name)

    monkeypatch.delitem(sys.modules, "matplotlib", raising=False)
    monkeypatch.setattr(networks, "find_spec", slow_look)
    monkeypatch.setattr(networks, "importlib", SimpleNamespace(import_module=slow_import))
    networks._imported.cache_clear()
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda _: mediapipe(), range(2))
    assert one is other
    assert "matplotlib" not in sys.modules
