# SPDX-License-Identifier: GPL-3.0-or-later
"""Plane and parallax against pinhole cameras that look at a wall and a floor."""

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.plate.bundle import Rays, Scene, adjust, errors, place_cameras
from backend.plate.parallax import deepened, flow_at
from backend.plate.planes import spread_depth
from backend.plate.relief import Relief, cells_of, centres_of_cells

FRAMES, MIDDLE = 9, 4
Numbers = NDArray[np.float64]


def of_floor(places: Numbers) -> Numbers:
    """Inverse distance less the wall's, of a floor 1.4 below cameras that are 4 before the wall: a depth."""
    return np.asarray(np.maximum(places[:, 1] / 1.4, 1 / 4) - 1 / 4)


def filmed(chance: np.random.Generator, noise: float) -> tuple[Rays, Numbers]:
    """See points from cameras that travel and turn; give their places in the middle one, and depths."""
    places = np.stack([chance.uniform(-0.8, 0.8, 240), chance.uniform(-0.5, 0.5, 240)], 1)
    depths = of_floor(places)
    rays = np.concatenate([places, np.ones((240, 1))], 1) / (depths + 1 / 4)[:, None]
    found = []
    for frame in range(FRAMES):
        aside, turn = 0.1 * (frame - MIDDLE), 0.004 * (frame - MIDDLE) ** 2
        cosine, sine = np.cos(turn), np.sin(turn)
        seen = (rays - [aside, 0.3 * aside, 0.2 * aside]) @ np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])
        found.append(seen[:, :2] / seen[:, 2:] + chance.normal(0, noise, (240, 2)))
    point, turn_of = np.tile(np.arange(240), FRAMES), np.repeat(np.arange(FRAMES), 240)
    say = np.broadcast_to(np.eye(2), (240, 2, 2))
    return Rays(point, turn_of, np.concatenate(found), say), np.column_stack([places, depths])


def rough(truth: Numbers, chance: np.random.Generator) -> Scene:
    cameras = np.zeros((FRAMES, 11))
    cameras[:, 8] = -0.1 * (np.arange(FRAMES) - MIDDLE)
    return Scene(cameras, truth + chance.normal(0, 0.01, truth.shape))


def test_cameras_and_points_come_to_agree() -> None:
    chance = np.random.default_rng(3)
    rays, truth = filmed(chance, 0.0)
    start = rough(truth, chance)
    scene = adjust(rays, start, 0.0014, MIDDLE)
    assert np.abs(errors(rays, start)).mean() > 0.005
    assert np.abs(errors(rays, scene)).mean() < 1e-4
    assert np.median(np.abs(scene.points[:, :2] - truth[:, :2])) < 1e-4


def test_sightings_that_are_wrong_do_not_bend_the_rest() -> None:
    chance = np.random.default_rng(3)
    rays, truth = filmed(chance, 0.0)
    wrong = chance.random(len(rays.point)) < 0.15
    rays.place[wrong] += chance.uniform(-0.05, 0.05, (wrong.sum(), 2))
    scene = adjust(rays, rough(truth, chance), 0.0014, MIDDLE)
    assert np.median(np.abs(errors(rays, scene)[~wrong])) < 2e-4


def test_a_camera_is_placed_by_points_that_are_known() -> None:
    chance = np.random.default_rng(3)
    rays, truth = filmed(chance, 0.0)
    scene = adjust(rays, rough(truth, chance), 0.0014, MIDDLE)
    lost = scene.cameras.copy()
    lost[2] += chance.normal(0, 0.004, 11)
    placed = place_cameras(rays, np.ones(len(truth), bool), Scene(lost, scene.points), 0.0014, MIDDLE)
    assert np.abs(errors(rays, Scene(placed, scene.points))[rays.turn == 2]).mean() < 2e-4


@pytest.mark.parametrize("noise", [0.0, 0.003])
def test_a_floor_runs_on_where_no_point_was_seen(noise: float) -> None:
    chance = np.random.default_rng(4)
    places = np.stack([chance.uniform(-0.8, 0.8, 500), chance.uniform(-0.5, 0.5, 500)], 1)
    depths = of_floor(places) + chance.normal(0, noise, 500)
    hidden = (np.abs(places[:, 0]) < 0.15) & (places[:, 1] > 0.1)
    at = np.stack([chance.uniform(-0.1, 0.1, 60), chance.uniform(0.4, 0.5, 60)], 1)
    depth = spread_depth(places[~hidden], depths[~hidden], np.full((~hidden).sum(), max(noise, 1e-3)), at, 1e-3)
    assert np.abs(depth - of_floor(at)).max() < max(0.006, noise)


SIZE, WALL_M, NEAR_M, ASIDE_M = (320, 180), 4.0, 3.8, 0.1
"""A picture of which the left half is a box before a wall, seen by cameras that go aside by so much a frame."""


def box_and_wall() -> tuple[Numbers, Relief, list[int]]:
    """Give the true depth of each cell, a relief that takes all for the wall, and the frames' numbers."""
    columns, rows = cells_of(SIZE)
    truth = np.zeros((rows, columns))
    truth[:, : columns // 2] = 1 / NEAR_M - 1 / WALL_M
    cameras = np.zeros((FRAMES, 11))
    cameras[:, 8] = -ASIDE_M * (np.arange(FRAMES) - MIDDLE)
    return truth, Relief(np.zeros((rows, columns), np.float32), cameras, SIZE), list(range(FRAMES))


def parallax_of(truth: Numbers) -> NDArray[np.float16]:
    """Say how far a pinhole camera of a focal length of one picture height sees cells move against the wall."""
    aside = ASIDE_M * (np.arange(FRAMES) - MIDDLE)
    flow = np.zeros((FRAMES, *truth.shape, 2))
    flow[..., 0] = -aside[:, None, None] * truth * SIZE[1]
    return flow.astype(np.float16)


def test_a_relief_takes_the_depth_that_flow_shows_and_leaves_no_flow() -> None:
    truth, relief, turns = box_and_wall()
    flow = parallax_of(truth)
    better = deepened(relief, flow, np.ones(flow.shape[:3], np.bool_), turns)
    assert better.depth == pytest.approx(truth, abs=0.01 * truth.max())
    assert np.abs(flow).max() < 0.05
    aside = 2 * ASIDE_M
    moved = better.moved(MIDDLE + 2, centres_of_cells(SIZE))[:, 0] - centres_of_cells(SIZE)[:, 0]
    assert moved.reshape(truth.shape)[:, 4] == pytest.approx(-aside * truth[:, 4] * SIZE[1], abs=0.1)


def test_what_only_one_frame_saw_move_is_no_depth_and_unseen_cells_stay() -> None:
    truth, relief, turns = box_and_wall()
    flow = np.zeros((FRAMES, *truth.shape, 2), np.float16)
    flow[0, 3, 3] = -4, 0  # a leaf in the wind
    flow[:, 5, 5] = parallax_of(truth)[:, 5, 5]
    seen = np.ones(flow.shape[:3], np.bool_)
    seen[:, 5, 5] = False
    better = deepened(relief, flow, seen, turns)
    assert abs(better.depth[3, 3] * relief.motion(0)[3, 3, 0]) < 4 / 3
    assert better.depth[5, 5] == 0
    assert flow[0, 3, 3, 0] == 0  # more is left than a known relief leaves: a mistake of the flow, or a moving thing


@pytest.mark.parametrize(("time", "expected"), [(0, 2), (2, 2), (4, 4), (5, 5), (6.5, 6.5), (7, 7), (9, 7)])
def test_flow_behind_a_performer_is_what_it_was_before_and_after_and_at_the_ends_the_nearest(
    time: float, expected: float
) -> None:
    times = np.arange(10)
    flow = np.broadcast_to(times[:, None, None, None], (10, 6, 8, 2)).astype(np.float16)
    seen = np.zeros((10, 6, 8), np.bool_)
    seen[[2, 3, 6, 7]] = True
    flow = np.where(seen[..., None], flow, 99).astype(np.float16)
    assert flow_at(time, times, flow, seen) == pytest.approx(np.full((6, 8, 2), expected), abs=0.01)
