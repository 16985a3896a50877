# SPDX-License-Identifier: GPL-3.0-or-later
"""What other frames tell of the set, on painted pictures of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from backend.media.sequence import Sequence, SequenceWriter
from backend.performer.behind import Behind, asked_about, first_of_known, median_of_known, odds_of_other
from backend.performer.prepare import as_rgb8
from backend.performer.set_motion import SetMotion
from backend.performer.tracks import Presence

from .figure import tracks_of

Bytes = NDArray[np.uint8]
NEAR = np.ones((3, 3), np.uint8)
T, B, A = Presence.TRACKED, Presence.BRIDGED, Presence.ABSENT


def painted_set(height: int = 90, width: int = 160) -> Bytes:
    noise = np.random.default_rng(3).random((height, width, 3)).astype(np.float32)
    mottled = np.asarray(cv2.GaussianBlur(noise, (0, 0), 3))
    return np.asarray(60 + 140 * (mottled - mottled.min()) / np.ptp(mottled), np.uint8)


def test_the_set_is_told_from_what_stands_before_it() -> None:
    there = painted_set()
    here = there.copy()
    here[20:70, 60:90] = 20, 30, 250
    odds = odds_of_other(here, there, NEAR)
    assert (odds[25:65, 65:85] > 2).all()
    assert (odds[:, :50] <= 0).all() and (odds[:, :50] < -0.5).mean() > 0.5


def test_the_set_a_pixel_beside_its_place_is_still_the_set() -> None:
    there = painted_set()
    assert (odds_of_other(np.roll(there, 1, axis=1), there, NEAR)[:, 2:-2] <= 0).all()


def test_a_shadow_is_not_taken_for_somebody() -> None:
    there = painted_set()
    here = there.copy()
    here[20:70, 60:120] = np.round(0.6 * here[20:70, 60:120]).astype(np.uint8)
    assert (odds_of_other(here, there, NEAR)[26:64, 66:114] <= 0).all()


@pytest.mark.parametrize("shift", [(0, 0), (3, -2)])
def test_frames_of_a_moved_camera_are_laid_over_each_other(shift: tuple[int, int]) -> None:
    picture, motion = painted_set(240, 320), SetMotion()
    for frame in range(3):
        moved = np.array([[1, 0, frame * shift[0]], [0, 1, frame * shift[1]]], np.float64)
        seen = cv2.warpAffine(picture, moved, (320, 240), borderMode=cv2.BORDER_REFLECT)
        motion.add(np.asarray(seen, np.uint8), np.zeros((240, 320), np.uint8))
    found = motion.between(0, 2)
    assert found is not None
    point = found @ (160, 120, 1)
    np.testing.assert_allclose(point[:2] / point[2], (160 + 2 * shift[0], 120 + 2 * shift[1]), atol=0.3)


def test_nothing_leads_across_a_cut() -> None:
    motion = SetMotion()
    for picture in (painted_set(240, 320), np.zeros((240, 320, 3), np.uint8)):
        motion.add(picture, np.zeros((240, 320), np.uint8))
    assert motion.between(0, 1) is None


def test_the_lower_median_is_of_those_that_know_something() -> None:
    random = np.random.default_rng(5)
    odds, trust = random.normal(size=(4, 6, 50)).astype(np.float32), random.random((4, 6, 50)).astype(np.float32)
    trust[random.random(trust.shape) < 0.4] = 0
    found = median_of_known(list(odds), list(trust))
    for place in np.ndindex(found.shape):
        known = sorted(value for value, sure in zip(odds[:, *place], trust[:, *place], strict=True) if sure > 0)
        assert found[place] == (known[(len(known) - 1) // 2] * trust[:, *place].max() if known else 0)


def test_the_first_that_knows_tells_on_average() -> None:
    random = np.random.default_rng(5)
    odds, trust = random.normal(size=(4, 3, 20)).astype(np.float32), random.random((4, 3, 20)).astype(np.float32)
    trust[random.random(trust.shape) < 0.3] = 0
    trust[random.random(trust.shape) < 0.3] = 1
    mean = np.zeros(odds.shape[1:])
    for knows in product((False, True), repeat=4):
        chance = np.prod([sure if know else 1 - sure for know, sure in zip(knows, trust, strict=True)], axis=0)
        mean += chance * (odds[knows.index(True)] if any(knows) else 0)
    np.testing.assert_allclose(first_of_known(list(odds), list(trust)), mean, atol=1e-5)


def test_one_that_hardly_knows_leaves_it_to_the_next() -> None:
    odds, trust = ([np.full((1, 1), value, np.float32) for value in values] for values in ((-3, 4), (0.01, 1)))
    assert first_of_known(odds, trust).item() > 3.9


def test_of_one_who_stays_or_is_hidden_frames_before_and_after_are_asked() -> None:
    presence = np.array([T] * 50 + [B] + [T] * 20 + [A], np.int8)
    assert asked_about(50, presence) == asked_about(50, np.full(72, T, np.int8))
    assert sorted(asked_about(50, presence)) == [24, 40, 56, 72]


def test_of_one_who_leaves_or_comes_in_the_frames_are_asked_in_which_less_of_the_performer_is_left() -> None:
    presence = np.array([A] * 3 + [B] * 2 + [T] * 40 + [B] * 2 + [A] * 3, np.int8)
    assert asked_about(45, presence) == [46, 47, 48, 49, 53, 36, 32, 24]
    assert asked_about(4, presence) == [3, 2, 1, 0, -4, 12, 16, 24]


@pytest.mark.parametrize("index", range(40, 48))
@pytest.mark.parametrize(("before", "after"), [(T, A), (A, T)])
def test_no_frame_is_asked_twice_about_one_who_leaves_or_comes_in(
    index: int, before: Presence, after: Presence
) -> None:
    asked = asked_about(index, np.array([before] * index + [B] + [after] * 40, np.int8))
    beyond = [number for number in asked if (number < index) == (before == T)]
    assert len(set(asked)) == len(asked) == 8
    assert len(beyond) == 3 and all(number % 4 == 0 for number in beyond)


@pytest.mark.parametrize("is_entrance", [False, True])
def test_the_last_strip_of_one_who_leaves_is_told_from_the_set_as_it_is_a_frame_later(
    is_entrance: bool, tmp_path: Path
) -> None:
    """The camera pans, and a lamp is lit while the performer is still in the picture."""
    width, last, count, pan_px = 320, 20, 24, 2
    room = painted_set(240, width + pan_px * count)
    lamp_lit = np.linspace(0.5, 1, last, endpoint=True).tolist() + [1.0] * (count - last)
    strip = np.zeros((240, width), np.bool_)
    with SequenceWriter(tmp_path / "frames") as frames, SequenceWriter(tmp_path / "coverage") as coverage:
        for index in range(count):
            picture = (lamp_lit[index] * room[:, pan_px * index :][:, :width]).astype(np.uint8)
            left = 308 - 30 * (last - index)
            covered = np.zeros((240, width), np.uint8)
            covered[60:200, max(left, 0) : max(left + 60, 0)] = 255 if index < last + 1 else 0
            picture[covered > 0] = 20, 30, 250
            strip = covered > 0 if index == last else strip
            at = count - 1 - index if is_entrance else index
            frames.write(at, picture)
            coverage.write(at, covered // 3 if index == last else covered)
    presence = np.array([T] * last + [B] + [A] * (count - last - 1), np.int8)
    presence, at = (presence[::-1].copy(), count - 1 - last) if is_entrance else (presence, last)
    tracks = replace(tracks_of(count), presence=presence)
    pictures, maps = Sequence(tmp_path / "frames", count), Sequence(tmp_path / "coverage", count)
    behind = Behind(pictures, maps, tracks, 1.5)
    part, elsewhen = behind.tell(at, as_rgb8(pictures[at]), np.asarray(maps[at], np.uint8))
    here, odds = strip[part], elsewhen.odds
    inside = cv2.erode(here.astype(np.uint8), NEAR, borderValue=1) > 0
    assert (odds[inside] > 2).all()
    assert (odds[cv2.dilate(here.astype(np.uint8), np.ones((7, 7))) == 0] <= 0).all()
