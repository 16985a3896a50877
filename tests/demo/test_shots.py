# SPDX-License-Identifier: GPL-3.0-or-later
"""Rendered once: the cache of the demo's shots."""

from pathlib import Path

import pytest

from demo import shots
from demo.shots import BlenderPythonMissingError, RenderFailedError, cache_key, rendered_shot


def test_the_key_changes_with_the_sources_and_the_arguments(tmp_path: Path) -> None:
    (tmp_path / "body.py").write_text("a = 1")
    first = cache_key(["--seed=0"], tmp_path)
    assert cache_key(["--seed=0"], tmp_path) == first
    assert cache_key(["--seed=1"], tmp_path) != first
    (tmp_path / "body.py").write_text("a = 2")
    assert cache_key(["--seed=0"], tmp_path) != first


def pretend_blender(folder: Path, code: int) -> Path:
    """A program in the place of Blender's Python that draws nothing and says so."""
    program = folder / "python"
    program.write_text(f'#!/bin/sh\necho x >> "{folder}/runs"\necho "frame 1 of 2"\necho "frame 2 of 2"\nexit {code}\n')
    program.chmod(0o755)
    return program


def test_a_shot_is_rendered_once_and_tells_its_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(shots.PYTHON_VARIABLE, str(pretend_blender(tmp_path, 0)))
    monkeypatch.setenv(shots.CACHE_VARIABLE, str(tmp_path / "cache"))
    heard: list[tuple[int, int]] = []
    first = rendered_shot("solo", progress=lambda done, total: heard.append((done, total)))
    assert rendered_shot("solo") == first
    assert first.is_dir()
    assert heard == [(1, 2), (2, 2)]
    assert (tmp_path / "runs").read_text().count("x") == 1


def test_a_failed_rendering_leaves_no_shot_but_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(shots.PYTHON_VARIABLE, str(pretend_blender(tmp_path, 3)))
    monkeypatch.setenv(shots.CACHE_VARIABLE, str(tmp_path / "cache"))
    with pytest.raises(RenderFailedError) as caught:
        rendered_shot("solo")
    assert "frame 2 of 2" in caught.value.log.read_text()
    assert [path for path in (tmp_path / "cache" / "rendered").iterdir() if path.is_dir()] == []


def test_without_blenders_python_the_message_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(shots.PYTHON_VARIABLE, str(tmp_path / "nowhere"))
    monkeypatch.setenv(shots.CACHE_VARIABLE, str(tmp_path / "cache"))
    with pytest.raises(BlenderPythonMissingError, match="nowhere"):
        rendered_shot("solo")
