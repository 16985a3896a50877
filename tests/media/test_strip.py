# SPDX-License-Identifier: GPL-3.0-or-later
"""A strip as a clip, rendered by a stand-in for Blender: a program that paints each frame's number into its pixels."""

import sys
from pathlib import Path

import numpy as np
import pytest

from backend.contract.job import Rendering, Shot
from backend.media.clip import open_shot
from backend.media.clipinfo import FrameRangeError
from backend.media.strip import BlenderMissingError, StripNotRenderedError

_PAINTER = """
import argparse, sys
import cv2, numpy as np
words = argparse.ArgumentParser()
words.add_argument("--eight", action="store_true")
words.add_argument("--refuse"); words.add_argument("--stop-before", type=int, default=-1)
words.add_argument("--into"); words.add_argument("--frames"); words.add_argument("--depth", type=int)
asked = words.parse_args()
if asked.refuse:
    sys.exit(print("understudy-refused", asked.refuse))
first, _, last = asked.frames.partition("-")
for index in range(int(first), int(last) + 1) if last else map(int, asked.frames.split(",")):
    if index == asked.stop_before:
        sys.exit(print("Blender quit"))
    path = f"{asked.into}/{index}.png"
    cv2.imwrite(path, np.full((16, 32, 3), index, np.uint8 if asked.eight or asked.depth == 8 else np.uint16))
    print("Fra:", index)
    print("understudy-frame", index, path, flush=True)
"""


def shot_of(tmp_path: Path, *words: str, program: str = sys.executable) -> Shot:
    painter = tmp_path / "painter.py"
    painter.write_text(_PAINTER)
    command = (program, str(painter), *words)
    rendering = Rendering(command=command, description="{}", width_px=32, height_px=16, frame_count=9, scene_first=101)
    return Shot(source="dance", fps="24", rendering=rendering)


@pytest.mark.parametrize("depth_bits", [8, 16])
def test_frames_come_in_order_and_leave_nothing_behind(tmp_path: Path, depth_bits: int) -> None:
    clip = open_shot(shot_of(tmp_path), tmp_path)
    assert [int(frame[0, 0, 0]) for frame in clip.frames(2, 7, depth_bits)] == [2, 3, 4, 5, 6, 7]
    assert [path.name for path in tmp_path.iterdir()] == ["painter.py"]


def test_pictures_that_blender_wrote_at_another_depth_come_at_the_one_that_was_asked_for(tmp_path: Path) -> None:
    frame = open_shot(shot_of(tmp_path, "--eight"), tmp_path).frame(5, 16)
    assert frame.dtype == np.uint16
    assert np.all(frame == 5 * 257)


def test_one_frame_is_the_one_that_was_asked_for(tmp_path: Path) -> None:
    frame = open_shot(shot_of(tmp_path), tmp_path).frame(5, 8)
    assert frame.shape == (16, 32, 3)
    assert np.all(frame == 5)


def test_some_frames_are_picked_and_no_others_rendered(tmp_path: Path) -> None:
    clip = open_shot(shot_of(tmp_path, "--stop-before=3"), tmp_path)
    assert [int(frame[0, 0, 0]) for frame in clip.picked((0, 2, 5), 8)] == [0, 2, 5]


def test_frames_keep_the_numbers_of_the_scene(tmp_path: Path) -> None:
    assert open_shot(shot_of(tmp_path), tmp_path).info.numbers == tuple(range(101, 110))


def test_frames_that_do_not_come_are_an_error_with_blenders_own_words(tmp_path: Path) -> None:
    clip = open_shot(shot_of(tmp_path, "--stop-before=4"), tmp_path)
    with pytest.raises(StripNotRenderedError, match="Blender quit"):
        list(clip.frames(2, 7, 8))


def test_what_the_program_refuses_is_told_in_its_words(tmp_path: Path) -> None:
    clip = open_shot(shot_of(tmp_path, "--refuse=The movie is missing"), tmp_path)
    with pytest.raises(StripNotRenderedError, match="The movie is missing"):
        list(clip.frames(0, 8, 8))


def test_a_machine_without_blender_says_so(tmp_path: Path) -> None:
    clip = open_shot(shot_of(tmp_path, program=str(tmp_path / "blender")), tmp_path)
    with pytest.raises(BlenderMissingError):
        clip.frame(0, 8)


def test_a_frame_that_the_strip_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FrameRangeError):
        open_shot(shot_of(tmp_path), tmp_path).frames(0, 9, 8)
