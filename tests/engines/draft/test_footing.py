# SPDX-License-Identifier: GPL-3.0-or-later
"""Feet go as the picture goes, where the tracks waver: the truth is the path along which the picture was moved."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from backend.contract.job import Fit
from backend.engines.draft.character import Character
from backend.engines.draft.footing import foot_shifts
from backend.engines.draft.motion import perform, performer_height
from backend.media.sequence import Sequence, SequenceWriter
from backend.performer.still import Still
from backend.performer.tracks import Tracks

from .conftest import HEIGHT, WIDTH, moved, tracks_of

COUNT = 40
TIPS = ((29, 31), (30, 32))


def pan(count: int) -> np.ndarray:
    """How a camera's move shifts the picture, `f 2` pixels: not evenly."""
    time = np.arange(count)
    return np.stack([0.3 * time + 2 * np.sin(time / 9), 1.5 * np.cos(time / 7) - 1.5], 1)


@pytest.fixture
def ground(tmp_path: Path) -> Sequence:
    """A ground of blurred noise, panned."""
    noise = np.random.default_rng(1).integers(0, 256, (HEIGHT + 40, WIDTH + 40, 3)).astype(np.uint8)
    picture = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2.0), None, 0, 255, cv2.NORM_MINMAX)  # type: ignore[call-overload]
    with SequenceWriter(tmp_path / "ground") as writer:
        for index, (x, y) in enumerate(pan(COUNT)):
            shift = np.array(((1, 0, x - 20), (0, 1, y - 20)))
            moved_on = cv2.warpAffine(picture, shift, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC)
            writer.write(index, np.asarray(moved_on, np.uint8))
    return Sequence(tmp_path / "ground", COUNT)


@pytest.fixture
def wavering(standing: Still) -> Tracks:
    """Who stands on that ground, tracked with errors that last for some frames."""
    noise = np.random.default_rng(2).normal(0, 6, (COUNT, 2))
    return moved(tracks_of(standing, COUNT), pan(COUNT) + cv2.GaussianBlur(noise, (1, 0), 1, sigmaY=3.0))


def slip(feet: np.ndarray) -> float:
    """How far a foot `f 2` is from going as the ground does, at most, pixels."""
    off = feet - pan(len(feet))
    return float(np.linalg.norm(off - np.median(off, axis=0), axis=1).max())


def test_a_foot_that_stands_goes_with_the_ground(ground: Sequence, wavering: Tracks, figure: Character) -> None:
    height = performer_height(wavering, figure.points)
    shifts = foot_shifts(wavering, ground, height, 0, COUNT - 1)
    joints = perform(wavering, figure.points, Fit(), shifts).joints
    for tips in TIPS:
        tracked, drawn = wavering.body[:, list(tips), :2].mean(1), joints[:, list(tips)].mean(1)
        assert slip(tracked) > 3 and slip(drawn) < slip(tracked) / 4


def test_a_window_moves_its_frames_as_the_whole_shot_does(ground: Sequence, wavering: Tracks) -> None:
    height = np.full(COUNT, 200.0)
    whole, part = (foot_shifts(wavering, ground, height, *window) for window in ((0, COUNT - 1), (30, 33)))
    assert np.array_equal(whole[30:34], part[30:34]) and not part[:30].any()


def test_a_foot_that_is_not_seen_stays_as_tracked(ground: Sequence, wavering: Tracks) -> None:
    unseen = replace(wavering, body_score=np.zeros_like(wavering.body_score))
    assert not foot_shifts(unseen, ground, np.full(COUNT, 200.0), 0, COUNT - 1).any()
