# SPDX-License-Identifier: GPL-3.0-or-later
"""One frame restored from witnesses that say what the test has them say: plain sets, of which all is known."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.plate.ground import Ground
from backend.plate.restore import Restored, restore
from backend.plate.samples import Samples, View, Witnesses

SIZE = (96, 80)
VIEW = View(time=5, segment=0, to_ground=np.eye(3), gain=np.ones(3, np.float32), size=SIZE)
HOLE = np.zeros(SIZE[::-1], np.bool_)
HOLE[20:60, 30:66] = True


class Plain:
    """Witnesses of a set of one grey: so many of them, so far apart, so many frames away; none where `unseen`."""

    shift = None

    def __init__(
        self, grey: float, count: int = 2, apart: float = 0.0, age: float = 0.0, unseen: NDArray[np.bool_] | None = None
    ) -> None:
        self.grey, self.count, self.apart, self.age = grey, count, apart, age
        self.unseen = np.zeros_like(HOLE) if unseen is None else unseen

    def ask(self, view: View, points: NDArray[np.float32]) -> Samples:
        columns, rows = points.astype(int).T
        count = np.where(self.unseen[rows, columns], 0, self.count)
        colours = np.full((5, len(points), 3), np.inf, np.float32)
        for place in range(self.count):
            colours[place, count > 0] = self.grey + self.apart * (-1) ** place
        return Samples(colours, count.astype(np.intp), np.full(len(points), self.age, np.float32))


class Invented:
    """A ground of one grey."""

    def __init__(self, grey: float) -> None:
        self.grey = grey

    def read(self, view: View, points: NDArray[np.float32], shift: object) -> NDArray[np.float32]:
        return np.full((len(points), 3), self.grey, np.float32)


def restored(witnesses: Plain, frame: NDArray[Any] | None = None, ground: float = 100) -> Restored:
    frame = np.full((*HOLE.shape, 3), 100, np.uint8) if frame is None else frame
    return restore(cast(Witnesses, witnesses), cast(Ground, Invented(ground)), VIEW, frame, HOLE)


def trust(witnesses: Plain) -> float:
    return float(restored(witnesses).confidence[HOLE].mean())


@pytest.mark.parametrize("shade", [-12, 12])
def test_what_is_laid_in_has_the_light_of_the_frame_round_it(shade: int) -> None:
    plate = restored(Plain(100 - shade)).plate
    assert np.abs(plate.astype(int) - 100).max() <= 1


def test_light_is_put_right_in_sixteen_bits_too() -> None:
    frame = np.full((*HOLE.shape, 3), 100 * 257, np.uint16)
    plate = restored(Plain(95 * 257), frame, ground=95 * 257).plate
    assert plate.dtype == np.uint16
    assert np.abs(plate.astype(int) - 100 * 257).max() <= 257


def test_what_more_witnesses_agree_on_of_late_and_as_the_frame_has_it_is_trusted_most() -> None:
    assert trust(Plain(100)) == 250
    assert trust(Plain(100, apart=4, age=48)) < trust(Plain(100, apart=4, age=4)) < trust(Plain(100, apart=1, age=4))
    assert trust(Plain(100, count=1)) < trust(Plain(100, count=2))
    assert trust(Plain(100, apart=40)) > 50


def test_a_set_that_does_not_fit_the_frame_round_it_is_trusted_less() -> None:
    noisy = np.full((*HOLE.shape, 3), 100, np.uint8)
    noisy[::2] += 16
    fits, misfits = restored(Plain(100)), restored(Plain(100), noisy)
    assert misfits.confidence[HOLE].mean() < fits.confidence[HOLE].mean() - 10


def test_what_nobody_saw_is_the_invented_ground_and_trusted_the_less_the_deeper_it_lies() -> None:
    unseen = np.zeros_like(HOLE)
    unseen[30:50, 36:60] = True
    found = restored(Plain(100, unseen=unseen), ground=180)
    assert found.invented_percent == pytest.approx(100 * unseen.sum() / HOLE.sum())
    assert np.abs(found.plate[40, 46:50].astype(int) - 180).max() <= 4
    column = found.confidence[30:41, 48].astype(int)
    assert column[0] <= 50 and (np.diff(column) <= 0).all() and column[-1] < column[0] - 10


def test_only_what_is_in_the_hole_counts_as_invented() -> None:
    unseen = np.ones_like(HOLE)
    unseen[HOLE] = False
    assert restored(Plain(100, unseen=unseen)).invented_percent == 0


def test_nobody_saw_and_what_was_seen_meet_in_a_soft_seam() -> None:
    unseen = np.zeros_like(HOLE)
    unseen[:, 48:] = True
    row = restored(Plain(100, unseen=unseen), ground=120).plate[40, 34:62, 0].astype(int)
    assert np.abs(np.diff(row)).max() <= 8


def test_of_two_witnesses_that_suit_alike_the_nearer_in_time_is_taken() -> None:
    plate = restored(Plain(100, apart=40)).plate
    assert plate[30:50, 40:56].min() > 130
