# SPDX-License-Identifier: GPL-3.0-or-later
"""Tracking over painted motion: a real portrait pushed through the frame, so that the truth is the push itself."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from backend.contract.errors import StoppedError
from backend.contract.watch import Unwatched
from backend.media.sequence import Sequence, SequenceWriter
from backend.performer import track
from backend.performer.bridge import Found, tracks_of
from backend.performer.detect import Detector, Hand, Mask
from backend.performer.find import find_people
from backend.performer.networks import networks_folder
from backend.performer.people import People, Person, Seen
from backend.performer.track import track_performer, track_single
from backend.performer.tracks import Presence, Tracks
from backend.performer.window import Box, Picture, Points

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


RIVAL_ID, CLOSE = 9, [5, 6, 7]
LOST, GUESSED = 4, 77
"""A frame in which nobody is found, and the coverage that stands for one who is only believed to be there."""


@dataclass
class Passing(Unwatched):
    """What is told and handed on while somebody else comes near, before the performer's last three frames."""

    hidden: list[NDArray[np.bool_]] = field(default_factory=list)
    guessed: list[Points] = field(default_factory=list)
    done: list[tuple[int, int]] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)

    def frames_done(self, done_frames: int, total_frames: int) -> None:
        self.done.append((done_frames, total_frames))

    def notice(self, code: str, text: str) -> None:
        self.told.append((code, text))

    def leave(self, frames: Sequence, tracks: Tracks, coverage: Path, hidden: NDArray[np.bool_], watch: object) -> None:
        self.hidden.append(hidden)

    def guess(self, detector: Detector, frame: Picture, points: Points, box: Box) -> Mask:
        self.guessed.append(points)
        return np.full(frame.shape[:2], GUESSED, np.uint8)


def hands(*_: object) -> tuple[Hand, Hand]:
    points = np.zeros((21, 3), np.float32)
    return Hand(points, 0.8), Hand(points, 0.6)


def rival() -> Person:
    """Somebody in other clothes who is far to the right at first, and where the performer is in the last frames."""
    far, near = np.array([600, 300, 790, 420], np.float32), np.array([100, 0, 500, 420], np.float32)
    boxes = [(0, far), (CLOSE[0] - 1, far), (CLOSE[0], near), (CLOSE[-1], near)]
    return Person(RIVAL_ID, tuple(Seen(frame, box, 1.0) for frame, box in boxes), np.eye(512, dtype=np.float32)[0])


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Passing, Tracks, Sequence]]:
    folder, heard = tmp_path_factory.mktemp("passed"), Passing()
    frames = shot(folder / "frames", empty=frozenset({0, LOST}))
    found = find_people(frames, Unwatched())
    people = People(found.frame_count, (*found.persons[:1], rival()))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(track, "cover_leaving", heard.leave)
        patched.setattr(track, "bridged_coverage", heard.guess)
        patched.setattr(track, "find_hands", hands)
        tracks = track_performer(frames, people.persons[0], people, folder, heard)
    yield heard, tracks, Sequence(folder / "coverage", COUNT)


def test_where_somebody_else_is_near_is_known_when_exits_are_looked_at(
    passed: tuple[Passing, Tracks, Sequence],
) -> None:
    [hidden] = passed[0].hidden
    assert np.flatnonzero(hidden).tolist() == CLOSE


def test_who_is_lost_for_a_frame_is_believed_to_be_between_the_frames_round_it(
    passed: tuple[Passing, Tracks, Sequence],
) -> None:
    heard, tracks, coverage = passed
    assert tracks.presence[LOST] == Presence.BRIDGED
    assert (coverage[LOST] == GUESSED).all()
    [points] = heard.guessed
    halfway = (tracks.body[LOST - 1, NOSE, :2] + tracks.body[LOST + 1, NOSE, :2]) / 2
    assert points[NOSE, :2] == pytest.approx(halfway, abs=3)


def test_each_frame_is_counted_once_and_absence_is_told(passed: tuple[Passing, Tracks, Sequence]) -> None:
    assert passed[0].done == [(done, COUNT) for done in range(1, COUNT + 1)]
    [(code, text)] = passed[0].told
    assert code == "performer_absent" and "0 to 0" in text


def test_hands_stay_on_their_sides(passed: tuple[Passing, Tracks, Sequence]) -> None:
    tracks, seen = passed[1], passed[1].presence == Presence.TRACKED
    assert tracks.left_hand_score[seen] == pytest.approx(0.8)
    assert tracks.right_hand_score[seen] == pytest.approx(0.6)


def test_who_passes_behind_somebody_is_bridged_by_the_tracker_too(
    tracked: tuple[Sequence, People, Tracks, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = list[list[bool]]()

    def heard(found: list[Found | None], area: Box, hidden: NDArray[np.bool_]) -> Tracks:
        told.append(hidden.tolist())
        return tracks_of(found, area, hidden)

    monkeypatch.setattr(track, "tracks_of", heard)
    frames, people, _, _ = tracked
    few, near = Sequence(frames.folder, 3), np.array([60, 0, 480, 420], np.float32)
    person = Person(1, (Seen(1, people.persons[0].box_at(1), 1.0),), people.persons[0].looks)
    other = Person(2, (Seen(0, near, 1.0),), rival().looks)
    track_performer(few, person, People(3, (person, other)), tmp_path, Unwatched())
    assert told == [[True] * 3]
