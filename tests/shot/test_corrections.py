# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist puts right in a result: it is so in the next version, and only what depends on it is done again."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.contract import layout
from backend.contract.events import Delivered, Event, JobRefused, StageDone, StageKept
from backend.contract.joints import Joint, TrackedCast
from backend.contract.wire import from_json
from backend.media.images import read_picture, write_picture
from backend.performer.tracks import Tracks
from tests.shot.conftest import SIZE, SmallShot
from tests.worker import Worker

TRACKED = {"character", "frames", "find", "cast", "track"}
"""Stages that no correction touches."""
DRAWN = {"matte": 1, "plate": 1, "generate": 1}
ELBOW_KEY = ("--joint", "left_elbow:300,120@3:2-5")


def ended(worker: Worker) -> list[Event]:
    code, events = worker.end()
    assert code == 0, events[-1]
    return events


def done(events: list[Event]) -> dict[str, int]:
    return dict(Counter(event.stage for event in events if isinstance(event, StageDone)))


def kept(events: list[Event]) -> set[str]:
    return {event.stage for event in events if isinstance(event, StageKept)}


def mattes(events: list[Event]) -> list[NDArray[np.float64]]:
    folder = next(Path(event.folder) for event in events if isinstance(event, Delivered))
    return [read_picture(path).astype(float) for path in sorted((folder / "performer_matte").glob("*.png"))]


@pytest.fixture(scope="module")
def first(small_shot: SmallShot, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Event]]:
    """A job that is done: its output folder, and what happened."""
    output = tmp_path_factory.mktemp("corrected")
    return output, ended(small_shot.replace(output))


def test_a_moved_joint_redoes_no_finding_tracking_or_frames(
    first: tuple[Path, list[Event]], small_shot: SmallShot
) -> None:
    output, _ = first
    events = ended(small_shot.replace(output, *ELBOW_KEY))
    assert done(events) == {"correct": 1, **DRAWN}
    assert kept(events) == TRACKED
    key = next(event.key for event in events if isinstance(event, StageDone) and event.stage == "correct")
    body = Tracks.load(output / layout.WORK / layout.STAGES / f"correct-{key}" / "tracks.safetensors").body
    assert body[3, 13, :2] == pytest.approx((300, 120))


def test_an_added_matte_redoes_what_is_drawn_from_it_and_a_moved_joint_stays(
    first: tuple[Path, list[Event]], small_shot: SmallShot, tmp_path: Path
) -> None:
    output, before = first
    own = np.zeros(SIZE[::-1], np.uint8)
    own[120:240, 200:280] = 200  # over half of the performer, and beside
    write_picture(tmp_path / "own.png", own)
    for combine, laid in (
        ("add", lambda computed: np.maximum(computed, own)),
        ("subtract", lambda computed: computed * (255.0 - own) / 255),
    ):
        events = ended(small_shot.replace(output, "--matte", tmp_path / "own.png", "--matte-combine", combine))
        assert set(done(events)) <= set(DRAWN)
        assert kept(events) >= TRACKED
        for computed, corrected in zip(mattes(before), mattes(events), strict=True):
            np.testing.assert_allclose(corrected, laid(computed), atol=0.5)


def test_a_job_tells_where_its_joints_were_tracked(first: tuple[Path, list[Event]]) -> None:
    output, events = first
    [job, *_] = sorted((output / layout.WORK / layout.JOBS).iterdir())
    told = from_json(TrackedCast, json.loads((job / layout.JOINTS).read_text("utf-8")), layout.JOINTS)
    key = next(event.key for event in events if isinstance(event, StageDone) and event.stage == "track")
    tracks = Tracks.load(output / layout.WORK / layout.STAGES / f"track-{key}" / "tracks.safetensors")
    [performer] = told.performers
    wrist = next(joint for joint in performer.joints if joint.joint is Joint.RIGHT_WRIST)
    np.testing.assert_allclose(np.stack([wrist.x, wrist.y], 1), tracks.body[:, 16, :2], atol=0.006)


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        (["left_elbow:1,2@99"], "frame 99, outside the shot's frames 0 to 5"),
        (["left_elbow:1,2@3:4-5"], "frame 3, outside the key's range 4 to 5"),
        (["left_elbow:nan,2@3"], "frame 3 that is nowhere"),
        (["left_elbow:1,2@3", "left_elbow:5,2@3"], "twice in one frame"),
    ],
)
def test_a_key_that_can_not_be_meant_is_refused_before_any_frame_is_read(
    keys: list[str], problem: str, small_shot: SmallShot, tmp_path: Path
) -> None:
    code, events = small_shot.replace(tmp_path, *(word for key in keys for word in ("--joint", key))).end()
    assert code == 3
    assert isinstance(events[-1], JobRefused)
    assert problem in events[-1].message
    assert not list((tmp_path / layout.WORK / layout.STAGES).glob("frames-*"))
