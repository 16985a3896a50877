# SPDX-License-Identifier: GPL-3.0-or-later
"""What a frame more of a shot costs in memory while the plate is made, counted by Python's own trace of allocations.

Two lengths are compared, so that what does not depend on the length drops out.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from backend.contract.watch import Unwatched
from backend.plate.camera import follow_camera
from backend.plate.geometry import Points
from backend.plate.ground import lay_ground, place_ground
from backend.plate.guess import guess_scene
from backend.plate.parallax import Parallax
from backend.plate.relief import Relief, better_relief, cells_of
from backend.plate.samples import Witnesses
from backend.plate.sightings import Sightings
from backend.plate.trails import Trails

from .shots import HEIGHT, WIDTH, room_shot

_SIZE = (WIDTH, HEIGHT)
_POINTS, _SHORT, _LONG = 200, 60, 180


def peak_bytes(work: Callable[[], object]) -> int:
    """Tell how many bytes more than before are held at most while something is done."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        work()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def scattered(turns: int) -> Points:
    """Places of all points in each of some frames, one frame after the other."""
    chance = np.random.default_rng(1)
    points = np.tile(chance.uniform(10, HEIGHT - 10, (_POINTS, 2)), (turns, 1))
    return (points + chance.normal(0, 0.3, points.shape)).astype(np.float32)


def guess(turns: int) -> None:
    point, turn = np.tile(np.arange(_POINTS), turns), np.repeat(np.arange(turns), _POINTS)
    guess_scene(Trails(point, turn, scattered(turns)), turns, turns // 2, 1.0, _SIZE)


def better(turns: int) -> None:
    point, turn, place = np.tile(np.arange(_POINTS), turns), np.repeat(np.arange(turns), _POINTS), scattered(turns)
    say = np.broadcast_to(np.eye(2), (_POINTS, 2, 2)).copy()
    cameras = np.zeros((turns, 11))
    cameras[:, 8] = np.linspace(-0.1, 0.1, turns)
    relief = Relief(np.zeros(cells_of(_SIZE)[::-1], np.float32), cameras, _SIZE)
    better_relief(relief, Sightings(point, turn, place, place[:_POINTS], say), turns // 2, 1.0)


@pytest.mark.parametrize(("work", "most_bytes"), [(guess, 130), (better, 65)])
def test_a_sighting_is_held_in_few_numbers(work: Callable[[int], None], most_bytes: int) -> None:
    work(_SHORT)  # what is loaded once would count as the short one's
    short, long = (peak_bytes(partial(work, turns)) for turns in (_SHORT, _LONG))
    assert (long - short) / (_POINTS * (_LONG - _SHORT)) < most_bytes


def test_motion_at_a_time_is_found_without_a_list_of_all_frames_at_every_place() -> None:
    lengths, peaks = (9, 27), []
    for length in lengths:
        shot = room_shot(length)
        witnesses = Witnesses(shot.frames, shot.mattes, follow_camera(shot.frames, shot.mattes, Unwatched()))
        place = place_ground(witnesses.camera, 0, _SIZE, WIDTH * HEIGHT)
        witnesses.plane = np.linalg.inv(place.to_ground)
        witnesses.shift = parallax = Parallax(witnesses, place)
        parallax.refine(witnesses, lay_ground(witnesses, place, _SIZE))
        peaks.append(peak_bytes(partial(parallax.moved, 1, np.zeros((1, 2), np.float32))))
    columns, rows = cells_of(place.size)
    assert (peaks[1] - peaks[0]) / (lengths[1] - lengths[0]) < 2 * columns * rows
