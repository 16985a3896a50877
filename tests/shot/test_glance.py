# SPDX-License-Identifier: GPL-3.0-or-later
"""A performer looked at in one frame, with joints keyed in others: held pictures, so that a key's shift is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend.contract.job import Casting, Delivery, Job, Mode, Shot
from backend.contract.joints import Joint, JointFix
from backend.contract.watch import Unwatched
from backend.media.images import read_picture
from backend.media.sequence import SequenceWriter
from backend.performer.find import NobodyFoundError
from backend.pipeline.glance import Performer, glance_at, look_at_performers
from backend.pipeline.preflight import clear
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


def looked_at(small_shot: SmallShot, clip: Path, frame: int, *joints: JointFix) -> Performer:
    """Glance at a frame of a clip of which no job has left anything."""
    folder = clip.with_name(f"job_{len(list(clip.parent.iterdir()))}")
    job = Job(
        id="job",
        mode=Mode.REPLACE,
        shot=Shot(source=str(clip)),
        cast=(Casting(character=str(small_shot.character), joints=joints),),
        delivery=Delivery(folder=str(folder), name="glance"),
        stages="stages",
    )
    folder.mkdir()
    run, cleared = Run(folder, job, lambda event: None, lambda: False), clear(job, folder)
    glance = glance_at(cleared.clip, frame, job.delivery.depth_bits, folder / "frames")
    [performer] = look_at_performers(run, cleared, glance, Unwatched())
    return performer


def test_a_key_in_a_frame_that_can_not_be_tracked_by_itself_is_left_out_of_a_preview_of_others(
    small_shot: SmallShot, tmp_path: Path
) -> None:
    clip = held(small_shot, tmp_path / "clip", 7, empty=[2])
    lost = JointFix(joint=Joint.LEFT_ELBOW, frame=2, x=10.0, y=10.0, first=0, last=8)
    untouched, one, both = (looked_at(small_shot, clip, 3, *keys).tracks for keys in ((lost,), (KEY,), (KEY, lost)))
    np.testing.assert_array_equal(both.body, one.body)
    step = 0.84375  # of a shift that is whole in frame 1 and nothing in frame 9, a quarter of the way: 1 - 3/16 + 2/64
    np.testing.assert_allclose(
        one.body[0, ELBOW, :2], untouched.body[0, ELBOW, :2] * (1 - step) + (300 * step, 120 * step), atol=0.01
    )
    with pytest.raises(NobodyFoundError):
        looked_at(small_shot, clip, 2, KEY)


def test_keys_far_away_are_heard_and_change_neither_who_is_found_nor_what_frames_the_plate_is_made_of(
    small_shot: SmallShot, tmp_path: Path
) -> None:
    clip = held(small_shot, tmp_path / "clip", 120)
    far = [replace(KEY, frame=frame, last=119) for frame in (2, 115)]
    alone, moved = (looked_at(small_shot, clip, 50, *keys) for keys in ((), far))
    assert moved.tracks.body[0, ELBOW, :2] == pytest.approx((KEY.x, KEY.y), abs=0.01)  # as in both keys, so between
    np.testing.assert_array_equal(moved.boxes, alone.boxes)


def test_boxes_between_the_frames_in_which_people_are_found_go_with_them(small_shot: SmallShot, tmp_path: Path) -> None:
    clip = held(small_shot, tmp_path / "clip", 73, push_px=1)
    boxes = np.stack(looked_at(small_shot, clip, 36).boxes)
    np.testing.assert_allclose(np.diff(boxes[:, [0, 2]].mean(1)), 18, atol=4)  # every eighteenth frame is at hand
