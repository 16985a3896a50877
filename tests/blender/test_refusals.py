# SPDX-License-Identifier: GPL-3.0-or-later
"""Strips that are no shot are refused in words, and a strip that has changed is noticed."""

import wave
from pathlib import Path

import cv2

from tests.blender.blenders import Blender
from tests.blender.inside_run import run_inside
from tests.painted import painted, write_movie

RAW_CHANGES = {"reverse", "alpha", "space", "fps", "file"}
CANVAS_CHANGES = RAW_CHANGES | {"scale", "key", "modifier", "resolution"}


def prepare(folder: Path) -> Path:
    write_movie(folder / "dance.mov", 12)
    (folder / "stills").mkdir()
    for number in range(12):
        cv2.imwrite(str(folder / f"stills/still.{number + 1:04d}.png"), painted(number))
    with wave.open(str(folder / "hum.wav"), "wb") as sound:
        sound.setparams((1, 2, 48000, 0, "NONE", ""))
        sound.writeframes(bytes(9600))
    return folder


def test_what_is_no_shot_is_refused_and_what_has_changed_is_noticed(blender: Blender, tmp_path: Path) -> None:
    said = run_inside(blender, "refusals.py", prepare(tmp_path))
    expected = {
        "nothing": "No strip is selected",
        "sound": "hum has sound only",
        "raw_meta": "meta has no pixels of its own",
        "frames": "no frames 5 to 12: it shows 11 to 22",
        "missing": "gone.mov does not exist",
        "missing_inside": "gone.mov does not exist",
        "missing_picture": "still.9999.png does not exist",
    }
    assert said["refusals"].keys() >= expected.keys() - {"sound"}
    assert {name for name, words in said["refusals"].items() if expected[name] not in words} == set()
    assert {name for name, has in said["changes"].items() if has} == {
        *(f"{name} raw" for name in RAW_CHANGES),
        *(f"{name} canvas" for name in CANVAS_CHANGES),
    }
    assert {name for name, has in said["inside"].items() if not has} == {"name"}
    assert said["rates"] == ["24", "24000/1001", "30000/1001", "25", "30"]
    assert said["copies"] == {"unsaved": "copy.blend", "opened": "copy.blend", "stays": "own.blend"}
