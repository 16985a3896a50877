# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist puts right in a result: it is so in the next version, and only what depends on it is done again."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.contract import layout
from backend.contract.events import Delivered, Event, JobRefused, PreviewMade, StageDone, StageKept
from backend.contract.jobfolder import read_job
from backend.contract.joints import Joint, JointFix, TrackedCast
from backend.contract.wire import from_json
from backend.media.images import Pixels, read_picture, write_picture
from backend.performer.tracks import Tracks
from backend.pipeline import glance
from backend.pipeline.preview import make_preview
from tests.shot.conftest import KILLED_FRAMES, SIZE, SmallShot
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


def preview(small_shot: SmallShot, output: Path, frame: int, *words: str | Path) -> tuple[Pixels, Pixels]:
    """The picture of a frame, and the performer's matte that it was made with."""
    words = ("--last", str(KILLED_FRAMES - 1), "--frame", str(frame), "--output", output, *words)
    [made] = (
        event
        for event in ended(Worker("preview", small_shot.clip, small_shot.character, *words))
        if isinstance(event, PreviewMade)
    )
    [matte] = (Path(made.path).parent / "part_0" / "matte").iterdir()
    return read_picture(Path(made.path)).astype(float), read_picture(matte).astype(float)


@pytest.mark.parametrize("is_tracked", [True, False])
def test_a_preview_shows_a_moved_joint_where_the_job_has_it(
    is_tracked: bool, first: tuple[Path, list[Event]], small_shot: SmallShot, tmp_path: Path
) -> None:
    whole = ended(small_shot.replace(first[0], *ELBOW_KEY))
    folder = next(Path(event.folder) for event in whole if isinstance(event, Delivered))
    output = first[0] if is_tracked else tmp_path
    for frame in (3, 4):  # keyed there, and on the way back from there
        comp = read_picture(sorted((folder / "comp").glob("*.png"))[frame]).astype(float)
        round_elbow = np.s_[90:150, 270:330]
        corrected, uncorrected = (
            np.abs(preview(small_shot, output, frame, *words)[0] - comp)[round_elbow].mean()
            for words in (ELBOW_KEY, ())
        )
        assert corrected < 0.5 * uncorrected


def test_a_preview_takes_what_a_job_has_tracked_and_looks_at_nobody_itself(
    first: tuple[Path, list[Event]], small_shot: SmallShot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        pytest.fail("somebody was looked at")

    for look in ("find_people", "track_single"):
        monkeypatch.setattr(glance, look, refuse)
    [of_job, *_] = sorted((first[0] / layout.WORK / layout.JOBS).iterdir())
    job, folder = read_job(of_job), of_job.with_name("previewed")
    key = JointFix(joint=Joint.LEFT_ELBOW, frame=4, x=300.0, y=120.0, first=2, last=5)
    corrected = replace(job, id=folder.name, cast=(replace(job.cast[0], joints=(key,)),))
    folder.mkdir()
    assert make_preview(folder, corrected, 3, lambda event: None, lambda: False).is_file()
    assert not (folder / "keyed").exists()


def test_a_preview_lays_the_artists_mattes_on_its_own(
    first: tuple[Path, list[Event]], small_shot: SmallShot, tmp_path: Path
) -> None:
    (tmp_path / "own").mkdir()
    for frame in range(KILLED_FRAMES):
        own = np.zeros(SIZE[::-1], np.uint8)
        own[120:240, 200 + 10 * frame : 280] = 200
        write_picture(tmp_path / "own" / f"own.{frame:04d}.png", own)
    garbage = np.full(SIZE[::-1], 255, np.uint8)
    garbage[:, 240:] = 51
    write_picture(tmp_path / "garbage.png", garbage)
    own[:, :] = 0
    own[120:240, 230:280] = 200  # as it is in frame 3
    words = ("--matte", tmp_path / "own", "--garbage-matte", tmp_path / "garbage.png", "--matte-combine")
    _, computed = preview(small_shot, first[0], 3)
    laid = {"replace": own, "add": np.maximum(computed, own), "subtract": computed * (255.0 - own) / 255}
    for combine, expected in laid.items():
        _, matte = preview(small_shot, first[0], 3, *words, combine)
        np.testing.assert_allclose(matte, expected * (garbage / 255), atol=1)


def test_a_preview_of_a_frame_that_does_not_go_in_is_refused(small_shot: SmallShot, tmp_path: Path) -> None:
    words = ("--first", "2", "--frame", "1", "--output", tmp_path)
    code, events = Worker("preview", small_shot.clip, small_shot.character, *words).end()
    assert code == 3
    assert isinstance(events[-1], JobRefused)
    assert "Frame 1 is not one of those that go in, 2 to" in events[-1].message


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
