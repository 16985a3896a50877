# SPDX-License-Identifier: GPL-3.0-or-later
"""A performer looked at in one frame, with joints keyed in others: held pictures, so that a key's shift is known."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from backend.contract.job import Casting, Delivery, Job, Mode, Shot
from backend.contract.joints import Joint, JointFix
from backend.contract.watch import Unwatched
from backend.performer.find import NobodyFoundError
from backend.pipeline.glance import Performer, glance_at, look_at_performers
from backend.pipeline.preflight import clear
from backend.pipeline.run import Run
from tests.shot.conftest import SmallShot

ELBOW = 13
KEY = JointFix(joint=Joint.LEFT_ELBOW, frame=1, x=300.0, y=120.0, first=0, last=8)


def held(small_shot: SmallShot, into: Path, count: int, empty: Iterable[int] = ()) -> Path:
    """One picture of the performer in every frame, but in some of them nobody."""
    picture, nobody = (sorted(folder.iterdir())[0] for folder in (small_shot.clip, small_shot.plate))
    into.mkdir()
    for frame in range(count):
        shutil.copyfile(nobody if frame in empty else picture, into / f"held.{frame:04d}.png")
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
    glance = glance_at(cleared.clip, frame, job.cast, job.delivery.depth_bits, folder / "frames")
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
