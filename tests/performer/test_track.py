# SPDX-License-Identifier: GPL-3.0-or-later
"""Tracking over painted motion: a real portrait pushed through the frame, so that the truth is the push itself."""

from __future__ import annotations

import gc
import threading
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import skimage.data

from backend.contract.errors import StoppedError
from backend.contract.watch import Unwatched
from backend.media.sequence import Sequence, SequenceWriter
from backend.performer.find import find_people
from backend.performer.networks import networks_folder
from backend.performer.people import People
from backend.performer.track import track_performer, track_single
from backend.performer.tracks import Presence, Tracks
from backend.performer.window import Picture

pytestmark = pytest.mark.skipif(not networks_folder().is_dir(), reason="the networks are not packed")

COUNT, PUSH_PX, START_PX = 8, 12, 40
NOSE, FACE_TIP = 0, 4


def pushed(frame: int, *, empty: bool = False) -> Picture:
    """The portrait, cut at its sides, at the foot of a grey frame."""
    picture = np.full((420, 800, 3), 96, np.uint8)
    if not empty:
        left = START_PX + PUSH_PX * frame
        picture[:, left : left + 380] = skimage.data.astronaut()[:420, :380]
    return picture


def shot(folder: Path, *, empty: frozenset[int] = frozenset()) -> Sequence:
    with SequenceWriter(folder) as writer:
        for frame in range(COUNT):
            writer.write(frame, pushed(frame, empty=frame in empty))
    return Sequence(folder, COUNT)


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sequence, People, Tracks, Path]:
    folder = tmp_path_factory.mktemp("tracked")
    frames = shot(folder / "frames", empty=frozenset({0}))
    people = find_people(frames, Unwatched())
    return frames, people, track_performer(frames, people.persons[0], people, folder, Unwatched()), folder


def test_points_move_as_the_picture_does(tracked: tuple[Sequence, People, Tracks, Path]) -> None:
    tracks = tracked[2]
    for points, near_px, mostly_px in ((tracks.body[1:, NOSE], 10, 3), (tracks.face[1:, FACE_TIP], 1.5, 0.75)):
        off_px = np.abs(np.diff(points[:, :2], axis=0) - (PUSH_PX, 0))
        assert off_px.max() < near_px
        assert np.median(off_px) < mostly_px


def test_who_is_not_there_is_absent_and_has_no_coverage(tracked: tuple[Sequence, People, Tracks, Path]) -> None:
    _, _, tracks, folder = tracked
    assert tracks.presence.tolist() == [Presence.ABSENT] + [Presence.TRACKED] * (COUNT - 1)
    coverage = Sequence(folder / "coverage", COUNT)
    assert coverage[0].max() == 0
    assert all(coverage[frame][130, START_PX + PUSH_PX * frame + 225] > 200 for frame in range(1, COUNT))


def test_two_runs_are_equal_to_the_bit(tracked: tuple[Sequence, People, Tracks, Path], tmp_path: Path) -> None:
    frames, people, tracks, folder = tracked
    again = track_performer(frames, people.persons[0], people, tmp_path, Unwatched())
    assert all(np.array_equal(getattr(tracks, field.name), getattr(again, field.name)) for field in fields(tracks))
    for frame in range(COUNT):
        name = f"coverage/{frame:06d}.png"
        assert (folder / name).read_bytes() == (tmp_path / name).read_bytes()


def test_what_is_kept_is_what_was_returned(tracked: tuple[Sequence, People, Tracks, Path]) -> None:
    _, _, tracks, folder = tracked
    np.testing.assert_array_equal(Tracks.load(folder / "tracks.safetensors").body, tracks.body)


def test_a_single_frame_agrees_with_the_whole(tracked: tuple[Sequence, People, Tracks, Path]) -> None:
    frames, people, tracks, _ = tracked
    singles, coverage = track_single(frames, 4, {4: people.persons[0]}, Unwatched())
    single = singles[4]
    assert len(single) == 1 and coverage.shape == (420, 800)
    np.testing.assert_allclose(single.face[0, FACE_TIP, :2], tracks.face[4, FACE_TIP, :2], atol=3)


class Stopping(Unwatched):
    """The artist stops the job at once."""

    def frames_done(self, done_frames: int, total_frames: int) -> None:
        raise StoppedError


def test_a_stop_leaves_no_thread_behind(tracked: tuple[Sequence, People, Tracks, Path], tmp_path: Path) -> None:
    frames, people, _, _ = tracked
    before = threading.active_count()
    with pytest.raises(StoppedError):
        track_performer(frames, people.persons[0], people, tmp_path, Stopping())
    gc.collect()
    assert threading.active_count() == before
