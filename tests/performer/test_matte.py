# SPDX-License-Identifier: GPL-3.0-or-later
"""The performer's matte on a painted shot whose true matte is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from backend.contract.job import Combine
from backend.contract.watch import Unwatched
from backend.media.images import Pixels
from backend.media.sequence import Sequence, SequenceWriter
from backend.performer.matte import (
    CountMismatchError,
    OwnMatte,
    SizeMismatchError,
    keep_performer,
    matte_frame,
    matte_of_picture,
    refine_matte,
)
from backend.performer.tracks import Presence

from .figure import HEIGHT, WIDTH, Shot, arm, body, coarse, paint_shot

Bytes = NDArray[np.uint8]
GREY = np.full((HEIGHT, WIDTH), 128, np.uint8)


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    return paint_shot(tmp_path_factory.mktemp("shot"))


def mattes(
    shot: Shot, own: Sequence | None = None, garbage: Sequence | None = None, combine: Combine = Combine.REPLACE
) -> list[Bytes]:
    given = OwnMatte(own, combine) if own else None
    return list(refine_matte(shot.frames, shot.coverage, shot.tracks, given, garbage, Unwatched()))


def written(folder: Path, pictures: list[Bytes]) -> Sequence:
    with SequenceWriter(folder) as writer:
        for index, picture in enumerate(pictures):
            writer.write(index, picture)
    return Sequence(folder, len(pictures))


def overlap(first: Pixels, second: Pixels) -> float:
    """Intersection over union of what is at least half covered."""
    a, b = first >= 128, second >= 128
    return float((a & b).sum() / (a | b).sum())


def covered(matte: Pixels, part: Pixels) -> float:
    """Share of a part that the matte covers at least by half."""
    return float((matte[part > 0] >= 128).mean())


def test_every_frame_has_a_matte_near_the_truth_and_nearer_than_the_coverage(shot: Shot) -> None:
    results = mattes(shot)
    assert len(results) == len(shot.frames)
    for index, (matte, truth) in enumerate(zip(results, shot.truth, strict=True)):
        assert overlap(matte, truth) > max(0.96, overlap(shot.coverage[index], truth))


def test_it_is_exactly_full_inside_and_exactly_empty_outside(shot: Shot) -> None:
    for matte, truth in zip(mattes(shot), shot.truth, strict=True):
        assert (matte[cv2.erode(truth, np.ones((11, 11))) > 0] == 255).all()
        assert (matte[cv2.dilate(truth, np.ones((11, 11))) == 0] == 0).all()


def test_a_hand_that_jumps_farther_than_its_width_each_frame_is_kept(shot: Shot) -> None:
    for matte, hand in zip(mattes(shot), shot.hands, strict=True):
        assert covered(matte, hand) >= 0.85


def test_an_arm_that_the_coverage_misses_in_one_frame_comes_from_the_neighbours(tmp_path: Path) -> None:
    shot = paint_shot(tmp_path, blind=frozenset({2}))
    shot.tracks.body_score[:, 13] = 0
    assert covered(shot.coverage[2], arm()) < 0.6
    assert covered(mattes(shot)[2], arm()) > 0.9


def test_an_arm_that_the_coverage_always_misses_comes_from_the_tracks(tmp_path: Path) -> None:
    shot = paint_shot(tmp_path, blind=frozenset(range(5)))
    assert covered(shot.coverage[2], arm()) < 0.6
    assert covered(mattes(shot)[2], arm()) > 0.9


def test_where_the_performer_is_absent_all_is_exactly_zero(shot: Shot) -> None:
    presence = shot.tracks.presence.copy()
    presence[[1, 2]] = Presence.ABSENT
    results = mattes(replace(shot, tracks=replace(shot.tracks, presence=presence)))
    assert [int(matte.max()) for matte in results] == [255, 0, 0, 255, 255]


def test_a_performer_who_is_never_there_gives_empty_mattes(shot: Shot) -> None:
    presence = np.full_like(shot.tracks.presence, Presence.ABSENT)
    assert not np.any(mattes(replace(shot, tracks=replace(shot.tracks, presence=presence))))


def test_the_artists_own_matte_replaces_the_computed_one(shot: Shot, tmp_path: Path) -> None:
    own = [np.full((HEIGHT, WIDTH), 10 * index + 5, np.uint8) for index in range(5)]
    np.testing.assert_array_equal(mattes(shot, own=written(tmp_path, own)), own)


def test_the_artists_own_matte_is_added_by_the_greater_and_taken_out_by_what_it_leaves(
    shot: Shot, tmp_path: Path
) -> None:
    own = np.zeros((HEIGHT, WIDTH), np.uint8)
    own[:, :100], own[90:, 100:130] = 255, 77
    free, given = mattes(shot), written(tmp_path, [own] * 5)
    added, taken = (mattes(shot, given, combine=how) for how in (Combine.ADD, Combine.SUBTRACT))
    for without, with_more, with_less in zip(free, added, taken, strict=True):
        np.testing.assert_array_equal(with_more, np.where(own > without, own, without))
        np.testing.assert_allclose(with_less, without.astype(float) * (255.0 - own) / 255, atol=0.5)


def test_what_is_garbage_is_held_out_of_what_was_added_too(shot: Shot, tmp_path: Path) -> None:
    own, black = written(tmp_path / "own", [GREY] * 5), written(tmp_path / "black", [GREY * 0] * 5)
    assert not np.any(mattes(shot, own, black, Combine.ADD))


def test_black_in_the_garbage_matte_holds_out_and_grey_lets_half_through(shot: Shot, tmp_path: Path) -> None:
    half = np.full((HEIGHT, WIDTH), 255, np.uint8)
    half[:, :110] = 0
    half[:90, 110:] = 128
    held, free = mattes(shot, garbage=written(tmp_path, [half] * 5)), mattes(shot)
    for with_garbage, without in zip(held, free, strict=True):
        exact = without.astype(float) * half / 255
        np.testing.assert_allclose(with_garbage, exact, atol=0.5)


def test_the_garbage_matte_holds_out_of_the_artists_own_matte_too(shot: Shot, tmp_path: Path) -> None:
    own, black = written(tmp_path / "own", [GREY] * 5), written(tmp_path / "black", [GREY * 0] * 5)
    assert not np.any(mattes(shot, own=own, garbage=black))


def roles(role: int, given: Sequence) -> tuple[Sequence | None, Sequence | None]:
    """Give a sequence as the own matte, 0, or as the garbage matte, 1."""
    return (None, given) if role else (given, None)


@pytest.mark.parametrize("role", [0, 1], ids=["own", "garbage"])
def test_a_matte_of_another_size_is_refused_with_both_sizes(shot: Shot, tmp_path: Path, role: int) -> None:
    given = written(tmp_path, [GREY, GREY, GREY[:90], GREY, GREY])
    with pytest.raises(SizeMismatchError, match=r"Picture 3 .* 240 x 90 pixels, the shot 240 x 180") as refused:
        mattes(shot, *roles(role, given))
    assert refused.value.hint


@pytest.mark.parametrize("role", [0, 1], ids=["own", "garbage"])
def test_a_matte_sequence_of_another_length_is_refused(shot: Shot, tmp_path: Path, role: int) -> None:
    with pytest.raises(CountMismatchError, match=r"3 pictures; the shot has 5"):
        mattes(shot, *roles(role, written(tmp_path, [GREY] * 3)))


def test_a_lone_frame_gives_the_matte_of_a_shot_of_one_frame(tmp_path: Path) -> None:
    shot = paint_shot(tmp_path, 1)
    np.testing.assert_array_equal(
        matte_frame(shot.frames[0], shot.coverage[0].astype(np.uint8), shot.tracks), mattes(shot)[0]
    )


def test_sixteen_bits_of_the_same_picture_give_the_same_matte(tmp_path: Path) -> None:
    shot = paint_shot(tmp_path, 1)
    deep = shot.frames[0].astype(np.uint16) * 257
    np.testing.assert_array_equal(matte_frame(deep, shot.coverage[0].astype(np.uint8), shot.tracks), mattes(shot)[0])


def test_two_runs_give_equal_bits(shot: Shot) -> None:
    np.testing.assert_array_equal(mattes(shot), mattes(shot))


def test_somebody_else_in_the_coverage_is_dropped() -> None:
    other = np.asarray(cv2.rectangle(np.zeros_like(GREY), (5, 30), (50, 175), 255, -1), np.uint8)
    kept = keep_performer(coarse(body() | other), body(), 1.0)
    assert not kept[:, :60].any()
    np.testing.assert_allclose(kept[:, 75:], coarse(body())[:, 75:], atol=8)


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (16, 16), (40, 12)], ids=str)
def test_tiny_pictures_have_mattes_too(shot: Shot, tmp_path: Path, size: tuple[int, int]) -> None:
    frame, full = np.zeros((*size, 3), np.uint8), np.full(size, 255, np.uint8)
    tiny = replace(shot, frames=written(tmp_path / "f", [frame] * 5), coverage=written(tmp_path / "c", [full] * 5))
    assert [matte.shape for matte in mattes(tiny)] == [size] * 5


def test_a_matte_is_read_from_the_alpha_that_cuts_or_else_from_the_colour() -> None:
    colour = np.repeat(GREY[..., None], 3, axis=2)
    opaque = np.dstack([colour, np.full_like(GREY, 255)])
    cut = np.dstack([colour, body()])
    np.testing.assert_array_equal(matte_of_picture(colour), GREY)
    np.testing.assert_array_equal(matte_of_picture(opaque), GREY)
    np.testing.assert_array_equal(matte_of_picture(cut), body())
    np.testing.assert_array_equal(matte_of_picture(GREY.astype(np.uint16) * 257), GREY)
