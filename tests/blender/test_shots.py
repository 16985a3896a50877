# SPDX-License-Identifier: GPL-3.0-or-later
"""Strips of every kind read as shots and rendered in the background: pixel for pixel what Blender shows of them.

The truth is Blender's own render of a scene in which there is nothing but the strip as it should be seen, and the
frame numbers that are painted into the pictures.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pytest

from tests.blender.blenders import THOROUGH, Blender
from tests.blender.conftest import blender_or_skip
from tests.blender.inside_run import run_inside
from tests.painted import Picture, painted, painted_number, write_movie

NUMBERS = {
    "plain": range(12),
    "trimmed": range(3, 9),
    "reversed": range(11, -1, -1),
    "stills": [*range(2, 12), 11, 11, 11],
    "dressed": [3, 3, 3, 6, 6, 6],
    "in_meta": range(3, 7),
    "before_zero": range(12),
    "scaled": None,
    "sped_up": range(0, 12, 2),
    "meta": None,
    "other_scene": None,
    "adjusted": None,
    "opaque": None,
}
"""Shot -> the movie's frames that it shows; None where a picture is not seen whole."""


@pytest.fixture(scope="module", params=THOROUGH)
def shots(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Blender, Path]:
    """A folder in which that Blender has put a .blend, what its strips look like, and how they are rendered."""
    folder = tmp_path_factory.mktemp("shots")
    blender = blender_or_skip(request.param, folder / "blender")
    write_movie(folder / "dance.mov", 12)
    (folder / "stills").mkdir()
    for number in range(12):
        cv2.imwrite(str(folder / f"stills/still.{number + 1:04d}.png"), painted(number))
    run_inside(blender, "shots.py", folder)
    return blender, folder


def shot_of(shots: tuple[Blender, Path], name: str) -> dict[str, Any]:
    return dict(json.loads((shots[1] / "said.json").read_text())[name])


def rendered(shot: dict[str, Any], into: Path, frames: str, depth: int = 8) -> list[str]:
    """Render frames as the worker does, and return the lines that are meant for it."""
    words = [*shot["command"], "--into", str(into), "--frames", frames, "--depth", str(depth)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout
        said = process.stdout.read().decode().splitlines()
    lines = [line for line in said if line.startswith("understudy-")]
    assert lines, "\n".join(said)
    return lines


def pictures(folder: Path) -> list[Picture]:
    return [cast(Picture, cv2.imread(str(path), cv2.IMREAD_UNCHANGED)) for path in sorted(folder.glob("*.png"))]


@pytest.mark.parametrize("name", NUMBERS)
def test_a_strip_is_rendered_as_blender_shows_it(shots: tuple[Blender, Path], name: str, tmp_path: Path) -> None:
    shot = shot_of(shots, name)
    lines = rendered(shot, tmp_path, f"0-{shot['frame_count'] - 1}")
    truth, got = pictures(shots[1] / "truth" / name), pictures(tmp_path)
    assert len(truth) == len(got) == len(lines) == shot["frame_count"]
    assert [*got[0].shape[1::-1]] == shot["size"]
    assert [int(np.abs(a.astype(int) - b).max()) for a, b in zip(truth, got, strict=True)] == [0] * len(truth)
    numbers = NUMBERS[name]
    assert numbers is None or [painted_number(picture) for picture in got] == [*numbers]


def test_frames_of_any_ranges_and_depth_come_in_order(shots: tuple[Blender, Path], tmp_path: Path) -> None:
    lines = rendered(shot_of(shots, "stills"), tmp_path, "1,4-6", depth=16)
    assert [int(line.split()[1]) for line in lines] == [1, 4, 5, 6]
    got = [cast(Any, cv2.imread(line.split(maxsplit=2)[2], cv2.IMREAD_UNCHANGED)) for line in lines]
    assert [(picture.dtype, painted_number(picture)) for picture in got] == [(np.uint16, n) for n in (3, 6, 7, 8)]


def test_a_strip_that_is_not_what_was_asked_for_is_refused(shots: tuple[Blender, Path], tmp_path: Path) -> None:
    shot = shot_of(shots, "stills")
    shot["command"] = [word if not word.startswith("--first") else "--first=14" for word in shot["command"]]
    assert rendered(shot, tmp_path, "0") == [
        "understudy-refused The strip stills, its media, its scene or Blender has changed since the job was made."
    ]


def test_rendering_ends_with_the_one_who_asked(shots: tuple[Blender, Path], tmp_path: Path) -> None:
    frames = ",".join(["0-5"] * 2000)
    words = [*shot_of(shots, "dressed")["command"], "--into", str(tmp_path), "--frames", frames, "--depth", "8"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        for line in process.stdout:
            if line.startswith(b"understudy-frame"):
                break
        process.stdin.close()
        assert process.wait(timeout=600) == 0


def test_every_shot_is_described_alike_twice_and_has_its_scenes_rate(shots: tuple[Blender, Path]) -> None:
    said = json.loads((shots[1] / "said.json").read_text())
    assert {(shot["again"], shot["fps"]) for shot in said.values()} == {(True, "24")}


@pytest.mark.parametrize(("made_in", "version"), [("4.5", "4.5"), ("4.5", "5.0"), ("5.2", "5.2")])
def test_a_movie_of_another_rate_or_retimed_is_rendered_as_it_is_shown(
    made_in: str, version: str, tmp_path: Path
) -> None:
    maker, reader = (blender_or_skip(name, tmp_path / "blender") for name in (made_in, version))
    write_movie(tmp_path / "dance.mov", 12)
    run_inside(maker, "rate.py", tmp_path)
    shot = run_inside(reader, "rate.py", tmp_path)
    rendered(shot, tmp_path / "frames", f"0-{shot['frame_count'] - 1}")
    got, truth = pictures(tmp_path / "frames"), pictures(tmp_path / "truth")
    assert np.array_equal(got, truth)
    numbers = [painted_number(picture) for picture in got]
    assert numbers == sorted(numbers)
    assert len(set(numbers)) < len(numbers) == shot["frame_count"]
