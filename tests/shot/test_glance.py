# SPDX-License-Identifier: GPL-3.0-or-later
"""A performer looked at in one frame, with joints keyed in others: held pictures, so that a key's shift is known."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from backend.contract.errors import StoppedError
from backend.contract.events import Event, Noticed
from backend.contract.job import Casting, Delivery, Job, Mode, PerformerChoice, Pick, Rendering, Shot
from backend.contract.joints import Joint, JointFix
from backend.media.images import Pixels, read_picture
from backend.media.pictures import PictureClip
from backend.media.sequence import SequenceWriter, frame_name
from backend.performer import track
from backend.performer.choose import NoSuchPerformerError
from backend.performer.detect import Body, Detector
from backend.performer.find import NobodyFoundError
from backend.performer.window import Picture
from backend.pipeline.glance import Performer, glance_at, look_at_performers
from backend.pipeline.preflight import clear
from backend.pipeline.preview import make_preview
from backend.pipeline.run import Run
from tests.shot.conftest import SmallShot

ELBOW = 13
KEY = JointFix(joint=Joint.LEFT_ELBOW, frame=1, x=300.0, y=120.0, first=0, last=8)


def held(small_shot: SmallShot, into: Path, count: int, *, push_px: int = 0, empty: Iterable[int] = ()) -> Path:
    """One picture of the performer in every frame, pushed right from one to the next; but in some of them nobody."""
    picture, nobody = (read_picture(sorted(folder.iterdir())[0]) for folder in (small_shot.clip, small_shot.plate))
    with SequenceWriter(into) as writer:
        for frame in range(count):
            writer.write(
                frame, nobody if frame in empty else np.asarray(np.roll(picture, push_px * frame, 1), np.uint8)
            )
    return into


def with_others_outside(small_shot: SmallShot, into: Path, count: int, inside: range) -> Path:
    """The performer in some frames; before and after them, on the same set, somebody larger, and a red wall behind."""
    picture, matte, plate = (
        read_picture(sorted(folder.iterdir())[0]) for folder in (small_shot.clip, small_shot.matte, small_shot.plate)
    )
    stranger = picture.copy()
    stranger[80:] = 255 - stranger[80:]  # other clothes, the same head
    nearer = np.array(((1.25, 0, -200), (0, 1.25, -38)))
    larger, covered = (cv2.warpAffine(each, nearer, picture.shape[1::-1]) for each in (stranger, matte))
    others = np.where(covered[..., None] > 127, larger, plate)
    others[60:200, 215:295] = (200, 20, 20)
    with SequenceWriter(into) as writer:
        for frame in range(count):
            writer.write(frame, picture if frame in inside else np.asarray(others, np.uint8))
    return into


def cut(clip: Path, inside: range) -> Path:
    """The same pictures, and no others."""
    into = clip.with_name("cut")
    into.mkdir()
    for frame in inside:
        shutil.copy(clip / frame_name(frame), into)
    return into


def job_of(small_shot: SmallShot, clip: Path, casting: Casting | None = None, first: int = 0, last: int = -1) -> Job:
    casting = casting or Casting(character=str(small_shot.character))
    return Job(
        id="job",
        mode=Mode.REPLACE,
        shot=Shot(source=str(clip), first=first, last=last),
        cast=(casting,),
        delivery=Delivery(folder=".", name="glance"),
        stages="../stages",
    )


def looked_at(job: Job, frame: int, tell: Callable[[Event], None], should_stop: Callable[[], bool]) -> Performer:
    """Glance at the first performer in a frame of a clip of which no job has left anything."""
    beside = Path(job.shot.source).parent
    folder = beside / f"job_{len(list(beside.iterdir()))}"
    folder.mkdir()
    run, cleared = Run(folder, job, tell, should_stop), clear(job, folder)
    watch = run.begin("preview")
    return look_at_performers(run, cleared, glance_at(run, cleared, frame, watch), watch)[0]


def keyed(small_shot: SmallShot, clip: Path, frame: int, *joints: JointFix) -> Performer:
    """Glance at a frame of a clip with joints keyed."""
    casting = Casting(character=str(small_shot.character), joints=joints)
    return looked_at(job_of(small_shot, clip, casting), frame, lambda event: None, lambda: False)


def test_a_key_in_a_frame_that_can_not_be_tracked_by_itself_is_left_out_of_a_preview_of_others(
    small_shot: SmallShot, tmp_path: Path
) -> None:
    clip = held(small_shot, tmp_path / "clip", 7, empty=[2])
    lost = JointFix(joint=Joint.LEFT_ELBOW, frame=2, x=10.0, y=10.0, first=0, last=8)
    untouched, one, both = (keyed(small_shot, clip, 3, *keys).tracks for keys in ((lost,), (KEY,), (KEY, lost)))
    np.testing.assert_array_equal(both.body, one.body)
    step = 0.84375  # of a shift that is whole in frame 1 and nothing in frame 9, a quarter of the way: 1 - 3/16 + 2/64
    np.testing.assert_allclose(
        one.body[0, ELBOW, :2], untouched.body[0, ELBOW, :2] * (1 - step) + (300 * step, 120 * step), atol=0.01
    )
    with pytest.raises(NobodyFoundError):
        keyed(small_shot, clip, 2, KEY)


def test_keys_far_away_are_heard_and_change_neither_who_is_found_nor_what_frames_the_plate_is_made_of(
    small_shot: SmallShot, tmp_path: Path
) -> None:
    clip = held(small_shot, tmp_path / "clip", 120)
    far = [replace(KEY, frame=frame, last=119) for frame in (2, 115)]
    alone, moved = (keyed(small_shot, clip, 50, *keys) for keys in ((), far))
    assert moved.tracks.body[0, ELBOW, :2] == pytest.approx((KEY.x, KEY.y), abs=0.01)  # as in both keys, so between
    np.testing.assert_array_equal(moved.boxes, alone.boxes)


def test_boxes_between_the_frames_in_which_people_are_found_go_with_them(small_shot: SmallShot, tmp_path: Path) -> None:
    clip = held(small_shot, tmp_path / "clip", 73, push_px=1)
    boxes = np.stack(keyed(small_shot, clip, 36).boxes)
    np.testing.assert_allclose(np.diff(boxes[:, [0, 2]].mean(1)), 18, atol=4)  # every eighteenth frame is at hand


@pytest.mark.parametrize("inside", [range(3, 7), range(5, 6)], ids=["four frames", "one frame"])
def test_a_preview_of_a_range_is_that_of_a_clip_without_the_other_frames(
    inside: range, small_shot: SmallShot, tmp_path: Path
) -> None:
    clip = with_others_outside(small_shot, tmp_path / "clip", 9, inside)
    jobs = job_of(small_shot, clip, first=inside[0], last=inside[-1]), job_of(small_shot, cut(clip, inside))
    pictures = []
    for job, frame in zip(jobs, (5, 5 - inside[0]), strict=True):
        folder = tmp_path / f"preview_{frame}"
        folder.mkdir()
        pictures.append(read_picture(make_preview(folder, job, frame, lambda event: None, lambda: False)))
    np.testing.assert_array_equal(pictures[0], pictures[1])


def test_who_was_pointed_at_outside_the_range_is_nobody_as_for_a_job(small_shot: SmallShot, tmp_path: Path) -> None:
    clip = held(small_shot, tmp_path / "clip", 5)
    there = PerformerChoice(pick=Pick.POINT, frame=1, x=255.0, y=120.0)
    casting = Casting(character=str(small_shot.character), performer=there)
    assert looked_at(job_of(small_shot, clip, casting, first=1), 3, lambda event: None, lambda: False)
    with pytest.raises(NoSuchPerformerError, match="in frame 1, which is outside the shot"):
        looked_at(job_of(small_shot, clip, casting, first=2), 3, lambda event: None, lambda: False)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[list[Picture]]:
    """The detectors that are opened for tracking: of each, the pictures that bodies are sought in."""
    seen: list[list[Picture]] = []

    class Counted(Detector):
        def __init__(self, **most: int) -> None:
            super().__init__(**most)
            seen.append([])

        def bodies(self, frame: Picture, *where: Any) -> list[Body]:
            seen[-1].append(frame)
            return super().bodies(frame, *where)

    monkeypatch.setattr(track, "Detector", Counted)
    return seen


def test_of_many_keys_a_preview_reads_and_tracks_four_with_one_detector(
    small_shot: SmallShot, tmp_path: Path, opened: list[list[Picture]], monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, read, read_frame = held(small_shot, tmp_path / "clip", 164), list[int](), PictureClip.frame

    def counted(clip: PictureClip, index: int, depth_bits: int) -> Pixels:
        read.append(index)
        return read_frame(clip, index, depth_bits)

    monkeypatch.setattr(PictureClip, "frame", counted)
    keys = [replace(KEY, frame=frame, first=frame - 6, last=frame + 6) for frame in range(2, 162, 8)]
    moved = keyed(small_shot, clip, 85, *keys)
    assert moved.tracks.body[0, ELBOW, :2] == pytest.approx((KEY.x, KEY.y), abs=0.01)  # as in all keys, so between
    assert read == [49, 67, 85, 103, 121, *[74, 82, 85, 90, 98]]
    [sought] = opened
    assert len(sought) == 5


def test_a_preview_is_stopped_between_two_keyed_frames(
    small_shot: SmallShot, tmp_path: Path, opened: list[list[Picture]]
) -> None:
    clip = held(small_shot, tmp_path / "clip", 9)
    joints = tuple(replace(KEY, frame=frame) for frame in (1, 2, 6, 7))
    job = job_of(small_shot, clip, Casting(character=str(small_shot.character), joints=joints))
    with pytest.raises(StoppedError):
        looked_at(job, 4, lambda event: None, lambda: bool(opened and opened[0][1:]))
    [sought] = opened
    assert len(sought) == 2


def test_keys_that_are_left_out_of_a_preview_are_told(small_shot: SmallShot, tmp_path: Path) -> None:
    clip, told = held(small_shot, tmp_path / "clip", 9, empty=[2, 6]), list[Event]()
    for frames in ((3,), (2, 3, 6)):
        joints = tuple(replace(KEY, frame=frame) for frame in frames)
        casting = Casting(character=str(small_shot.character), joints=joints)
        looked_at(job_of(small_shot, clip, casting, first=1), 4, told.append, lambda: False)
    [notice] = (event for event in told if isinstance(event, Noticed))
    assert notice.code == "keys_left_out"
    assert "leaves out what is keyed in frames 2, 6 of the clip: there the performer is not found" in notice.text
    assert "Start the job" in notice.text


_RENDERER = """
import argparse, shutil
from pathlib import Path
words = argparse.ArgumentParser()
words.add_argument("pictures"); words.add_argument("--into")
words.add_argument("--frames"); words.add_argument("--depth")
asked = words.parse_args()
for index in map(int, asked.frames.split(",")):
    path = Path(asked.into, f"{index}.png")
    shutil.copy(sorted(Path(asked.pictures).iterdir())[index], path)
    print("understudy-frame", index, path, flush=True)
"""
"""Stands in for Blender: hands over pictures that are there already."""


def test_keys_that_are_left_out_of_a_strips_preview_are_told_by_scene_frame_and_performer(
    small_shot: SmallShot, tmp_path: Path
) -> None:
    clip, renderer, told = held(small_shot, tmp_path / "clip", 9, empty=[2, 6]), tmp_path / "renderer.py", list[Event]()
    renderer.write_text(_RENDERER)
    command = (sys.executable, str(renderer), str(clip))
    strip = Rendering(
        command=command, description="{}", width_px=480, height_px=270, frame_count=9, scene_first=101, content_first=0
    )
    keys = [tuple(replace(KEY, frame=frame) for frame in frames) for frames in ((2,), (2, 3, 6))]
    cast = tuple(Casting(character=str(small_shot.character), joints=joints) for joints in keys)
    shot = Shot(source=str(clip), fps="24", rendering=strip)
    looked_at(replace(job_of(small_shot, clip), shot=shot, cast=cast), 4, told.append, lambda: False)
    first, second = (event.text for event in told if isinstance(event, Noticed))
    assert "keyed in frame 103 of the scene: there performer 1 of the cast is not found" in first
    assert "keyed in frames 103, 107 of the scene: there performer 2 of the cast is not found" in second
