# SPDX-License-Identifier: GPL-3.0-or-later
"""Who walks out of the frame: a figure that slides out of a textured set that moves too, so that the truth is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from backend.contract.errors import StoppedError
from backend.contract.watch import Unwatched
from backend.media.sequence import Sequence, SequenceWriter
from backend.performer.beyond import Continued, Exit, cover_leaving, exits_of
from backend.performer.bridge import Found
from backend.performer.bridge import tracks_of as found_tracks
from backend.performer.networks import networks_folder
from backend.performer.still import Still, find_in_picture
from backend.performer.tracks import Presence, Tracks

from .figure import paint_shot
from .figure import tracks_of as still_tracks

Bytes = NDArray[np.uint8]

NOBODY_NEAR = np.zeros(7, np.bool_)
WIDTH, HEIGHT, PUSH_PX, START_PX = 640, 420, 60, 250
T, B, A = Presence.TRACKED, Presence.BRIDGED, Presence.ABSENT


def walking(presence: list[Presence]) -> Tracks:
    return replace(still_tracks(len(presence)), presence=np.array(presence, np.int8))


def bars(folder: Path, lefts: list[int], width_px: int = 100, frame_px: int = 200) -> Sequence:
    """Coverage of a bar that begins at the lefts."""
    with SequenceWriter(folder) as writer:
        for index, left in enumerate(lefts):
            picture = np.zeros((20, frame_px), np.uint8)
            picture[5:15, max(left, 0) : max(left + width_px, 0)] = 255
            writer.write(index, picture)
    return Sequence(folder, len(lefts))


def test_of_whom_stays_no_frame_is_looked_at_again(tmp_path: Path) -> None:
    assert exits_of(walking([T] * 6), bars(tmp_path, [0, 0, 40, 80, 100, 100])) == []
    assert exits_of(walking([T, T, B, B, T, T]), bars(tmp_path, [20] * 6)) == []


def test_an_exit_begins_at_the_last_frame_in_which_the_performer_is_clear_of_the_edges(tmp_path: Path) -> None:
    coverage = bars(tmp_path, [40, 80, 99, 120, 150, 180, 180])
    assert exits_of(walking([T, T, T, T, B, B, A]), coverage) == [Exit(2, (3, 4, 5))]


def test_who_walks_in_is_followed_backwards(tmp_path: Path) -> None:
    coverage = bars(tmp_path, [-90, -90, -60, -20, 30, 60])
    assert exits_of(walking([A, B, B, T, T, T]), coverage) == [Exit(4, (3, 2, 1))]


def test_who_was_never_clear_of_the_edge_is_looked_at_only_where_nobody_was_found(tmp_path: Path) -> None:
    assert exits_of(walking([T] * 9 + [B, A]), bars(tmp_path, [150] * 11)) == [Exit(8, (9,))]


@pytest.mark.parametrize("speed_px", [15, 25, 40])
def test_a_cut_body_is_not_taken_for_clear_where_smoothing_pulls_its_box_off_the_edge(
    speed_px: int, tmp_path: Path
) -> None:
    width_px, clear, count = 200, 8, 16
    lefts = [WIDTH - width_px - 5 + speed_px * (index - clear) for index in range(count)]
    body = np.random.default_rng(4).uniform(0, width_px, (33, 3)).astype(np.float32)
    frames: list[Found | None] = [None] * count
    for index, left in enumerate(lefts):
        if left < WIDTH - width_px / 2:
            box = np.array([left, 20, min(left + width_px, WIDTH), 320], np.float32)
            frames[index] = Found(
                body + np.array([left, 20, 0], np.float32), np.ones(33, np.float32), None, None, None, box, 0.9
            )
    tracks = found_tracks(frames, np.array([0, 0, WIDTH, HEIGHT], np.float32))
    cut = np.arange(count) > clear
    assert (tracks.box[cut & (tracks.presence == T), 2] < WIDTH).any()
    assert [leaving.last for leaving in exits_of(tracks, bars(tmp_path, lefts, width_px, WIDTH))] == [clear]


def test_the_coverage_of_whom_stays_is_not_touched(tmp_path: Path) -> None:
    shot = paint_shot(tmp_path)
    before = {path: path.read_bytes() for path in sorted(tmp_path.rglob("*.png"))}
    folder = next(path.parent for path in before if "coverage" in str(path))
    cover_leaving(shot.frames, shot.tracks, folder, NOBODY_NEAR, Unwatched())
    assert before == {path: path.read_bytes() for path in sorted(tmp_path.rglob("*.png"))}


@pytest.mark.parametrize("push_px", [7, -7])
def test_a_figure_that_slides_out_of_a_moving_set_is_shown_whole(push_px: int) -> None:
    rng = np.random.default_rng(2)
    figure, room = rng.integers(0, 255, (40, 30, 3), np.uint8), rng.integers(0, 255, (60, 400, 3), np.uint8)

    def painted(index: int) -> Bytes:
        """A frame of 80 pixels, with 100 on either side that nobody sees."""
        picture = room[:, 2 * index : 2 * index + 280].copy()
        left = 125 + push_px * index
        picture[10 + index : 50 + index, left : left + 30] = figure
        return picture

    continued = Continued.of(painted(0)[:, 100:180], 100)
    for index in range(1, 9):
        continued = continued.onward(painted(index)[:, 100:180], (push_px, 1))
        left = 125 + push_px * index
        np.testing.assert_array_equal(continued.picture[10 + index : 50 + index, left : left + 30], figure)
        np.testing.assert_array_equal(continued.within_frame(continued.picture[..., 0]), painted(index)[:, 100:180, 0])


@pytest.fixture(scope="module")
def portrait() -> tuple[Bytes, Still]:
    picture = np.ascontiguousarray(skimage.data.astronaut()[:HEIGHT, :380])
    return picture, find_in_picture(picture)


def slid(portrait: Bytes, coverage: Bytes, index: int) -> tuple[Bytes, Bytes]:
    """The person of a portrait before a mottled set that moves the other way; and the true matte."""
    noise = np.random.default_rng(3).random((HEIGHT, WIDTH + 80, 3)).astype(np.float32)
    mottled = np.asarray(cv2.GaussianBlur(noise, (0, 0), 3))[:, 4 * index : 4 * index + WIDTH]
    picture = np.asarray(60 + 140 * (mottled - mottled.min()) / np.ptp(mottled), np.uint8)
    left = START_PX + PUSH_PX * index
    matte = np.zeros((HEIGHT, WIDTH), np.uint8)
    part = np.s_[:, left : min(left + 380, WIDTH)]
    matte[part] = coverage[:, : WIDTH - left]
    picture[matte > 0] = portrait[:, : WIDTH - left][matte[part] > 0]
    return picture, matte


def slide_out(portrait: tuple[Bytes, Still], folder: Path) -> tuple[Sequence, Tracks, list[Bytes]]:
    """Frames of one who slides out, of whom the tracker has found nothing since the first; and the true mattes."""
    picture, person = portrait
    alpha = (person.coverage > 0.5).astype(np.uint8) * np.uint8(255)
    shots = [slid(picture, alpha, index) for index in range(7)]
    presence = np.array([T, B, B, B, B, B, A], np.int8)
    push = np.arange(7, dtype=np.float32)[:, None] * PUSH_PX + START_PX
    body, box = person.body + np.zeros((7, 1, 1), np.float32), np.tile(person.box, (7, 1))
    body[..., 0] += push
    box[:, ::2] += push
    tracks = replace(still_tracks(7), body=body.astype(np.float32), box=box.astype(np.float32), presence=presence)
    with SequenceWriter(folder / "frames") as frames, SequenceWriter(folder / "coverage") as coverage:
        for index, (frame, _) in enumerate(shots):
            frames.write(index, frame)
            coverage.write(index, np.zeros((HEIGHT, WIDTH), np.uint8))
    return Sequence(folder / "frames", 7), tracks, [matte for _, matte in shots]


@pytest.mark.skipif(not networks_folder().is_dir(), reason="the networks are not packed")
def test_what_is_left_of_one_who_slides_out_is_covered(portrait: tuple[Bytes, Still], tmp_path: Path) -> None:
    frames, tracks, true = slide_out(portrait, tmp_path)
    cover_leaving(frames, tracks, tmp_path / "coverage", NOBODY_NEAR, Unwatched())
    found = Sequence(tmp_path / "coverage", 7)
    for index in range(1, 6):
        covered, here = found[index] > 127, true[index] > 127
        assert (covered & here).sum() / (covered | here).sum() > 0.9
    assert found[6].max() == 0


class StoppedAtThird(Unwatched):
    """The artist stops the job while the second frame is looked at."""

    def __init__(self) -> None:
        self.asked = 0

    def check_stop(self) -> None:
        self.asked += 1
        if self.asked == 3:
            raise StoppedError


@pytest.mark.skipif(not networks_folder().is_dir(), reason="the networks are not packed")
def test_a_stop_is_heard_before_the_next_frame(portrait: tuple[Bytes, Still], tmp_path: Path) -> None:
    frames, tracks, _ = slide_out(portrait, tmp_path)
    with pytest.raises(StoppedError):
        cover_leaving(frames, tracks, tmp_path / "coverage", NOBODY_NEAR, StoppedAtThird())
    assert not any(picture.any() for picture in Sequence(tmp_path / "coverage", 7).stream(3))


@pytest.mark.skipif(not networks_folder().is_dir(), reason="the networks are not packed")
def test_a_body_is_not_taken_where_somebody_else_is_near(portrait: tuple[Bytes, Still], tmp_path: Path) -> None:
    frames, tracks, _ = slide_out(portrait, tmp_path)
    hidden = np.array([False, False, False, True, True, False, False])
    cover_leaving(frames, tracks, tmp_path / "coverage", hidden, Unwatched())
    assert [bool(picture.any()) for picture in Sequence(tmp_path / "coverage", 7).stream()] == [
        index in (1, 2, 5) for index in range(7)
    ]


@pytest.mark.skipif(not networks_folder().is_dir(), reason="the networks are not packed")
def test_what_was_seen_of_one_who_leaves_stays_and_what_was_a_guess_counts_half(
    portrait: tuple[Bytes, Still], tmp_path: Path
) -> None:
    frames, tracks, _ = slide_out(portrait, tmp_path)
    presence = np.array([T, T, B, B, B, B, A], np.int8)
    before = np.zeros((HEIGHT, WIDTH), np.uint8)
    before[:20, -20:] = 200  # beside her, and at the edge
    with SequenceWriter(tmp_path / "coverage") as writer:
        for index in range(1, 6):
            writer.write(index, before)
    cover_leaving(frames, replace(tracks, presence=presence), tmp_path / "coverage", NOBODY_NEAR, Unwatched())
    corner = [int(picture[:20, -20:].min()) for picture in Sequence(tmp_path / "coverage", 7).stream()]
    assert corner == [0, 200, 100, 100, 100, 100, 0]


@pytest.mark.skipif(not networks_folder().is_dir(), reason="the networks are not packed")
def test_a_body_that_is_not_where_the_performers_should_be_is_somebody_elses(
    portrait: tuple[Bytes, Still], tmp_path: Path
) -> None:
    frames, tracks, _ = slide_out(portrait, tmp_path)
    elsewhere = tracks.body - np.array([0, 600, 0], np.float32)
    cover_leaving(frames, replace(tracks, body=elsewhere), tmp_path / "coverage", NOBODY_NEAR, Unwatched())
    assert not any(picture.any() for picture in Sequence(tmp_path / "coverage", 7).stream())
