# SPDX-License-Identifier: GPL-3.0-or-later
"""A first guess of plane and parallax from trails, which drift: depths and ways of the camera, solved for in turn."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .geometry import centred
from .trails import Trails

_ROUNDS = 40
_PATIENCE, _HURRY = 16.0, 0.87
"""A sighting is an outlier only when it is so many times too far off, at first, and less round by round."""
_OUTLIER = 0.75
"""Error of a sighting, in pixels at 360 rows, from which it counts less than half."""
_LEAST_MOTION = 0.3
"""Parallax below this, in pixels at 360 rows, is not told from errors of tracking."""
_FIRST_STEPS = 30
"""So many steps the first guess divides a segment into: shorter ones are all error of tracking."""
_LEAST_POINTS = 12
_ASIDE, _AHEAD, _ANY = np.array([1.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0]), np.ones(3)
"""Ways of the camera, as freedoms of an epipole."""

Numbers = NDArray[np.float64]


def guess_scene(trails: Trails, turns: int, middle: int, to_ground_px: float, size: tuple[int, int]) -> Guess | None:
    """Solve roughly for the depth of points and the way of the camera. None where no parallax is proven.

    turns: how many frames. middle: the frame whose view the depths are in. to_ground_px: size of a trail's pixel in
    the ground's picture, which is `size` (width, height) large.
    """
    if len(trails.point) == 0 or trails.point.max() + 1 < _LEAST_POINTS:
        return None
    sightings = _Trails(
        trails.point, trails.turn, centred((trails.place + 0.5) * to_ground_px - 0.5, size), turns, middle
    )
    pixel = to_ground_px / size[1]
    # Errors of the plane look like a way ahead; all beginnings are tried, and what explains most is kept.
    tries = [sightings.solve(free, _OUTLIER * pixel) for free in (_ASIDE, _AHEAD, _ANY)]
    solved = min(tries, key=lambda found: found.cost)
    return None if solved.motion < _LEAST_MOTION * pixel else solved


@dataclass(frozen=True, slots=True)
class Guess:
    """Points' places `n 2`, depths `n` and say `n`, and the epipoles. motion: rms parallax of the sightings."""

    places: Numbers
    depths: Numbers
    says: Numbers
    epipoles: Numbers
    motion: float
    cost: float = 1.0


class _Trails:
    """All sightings of all points, and the two linear problems that they pose in turn."""

    def __init__(
        self, point: NDArray[np.intp], turn: NDArray[np.intp], place: NDArray[np.floating], turns: int, middle: int
    ) -> None:
        self._point, self._turn, self._place = point, turn, place.astype(np.float64)
        self._points, self._turns, self._middle = int(point.max()) + 1, turns, middle

    def solve(self, free: Numbers, outlier: float) -> Guess:
        """Solve for all, from a beginning in which only some ways of the camera are free."""
        return self._refine(self._first_epipoles(free, outlier), free, outlier)

    def _first_epipoles(self, free: Numbers, outlier: float) -> Numbers:
        """Guess the epipoles from steps between frames some way apart, in which a point's own place does not matter."""
        stride = max(1, self._turns // _FIRST_STEPS)
        stops = np.arange(0, self._turns, stride)
        order = np.lexsort((self._turn, self._point))
        order = order[self._turn[order] % stride == 0]
        point, turn, place = self._point[order], self._turn[order] // stride, self._place[order]
        next_ = (point[1:] == point[:-1]) & (turn[1:] == turn[:-1] + 1)
        point, turn, at, step = point[1:][next_], turn[1:][next_], place[1:][next_], (place[1:] - place[:-1])[next_]
        depth = np.sqrt(_mean(point, np.square(step).sum(1), self._points))
        weight = np.ones(len(point))
        steps = np.zeros((len(stops), 3))
        for number in range(_ROUNDS):
            depth = depth / max(1e-9, float(np.sqrt(np.mean(np.square(depth)))))
            steps = _epipoles(turn, weight, depth[point], at, step, len(stops), free)
            motion = _motion(steps[turn], at)
            depth = _mean(point, weight * (motion * step).sum(1), self._points) / (
                _mean(point, weight * np.square(motion).sum(1), self._points) + (0.02 * outlier) ** 2
            )
            weight = _trust(step - depth[point, None] * motion, _patience(outlier, number))
        ways = np.cumsum(steps, 0)
        epipoles = np.stack([np.interp(np.arange(self._turns), stops, way) for way in ways.T], 1)
        return np.asarray(epipoles - epipoles[self._middle], np.float64)

    def _refine(self, epipoles: Numbers, free: Numbers, outlier: float) -> Guess:
        """Better points and epipoles in turn, from whole trails."""
        weight = np.ones(len(self._point))
        for turn in range(_ROUNDS):
            solved = self._solve_points(epipoles, weight)
            weight = _trust(self._error(solved), _patience(outlier, turn))
            epipoles = self._solve_epipoles(solved, weight, free if turn < _ROUNDS // 3 else _ANY)
        solved = self._solve_points(epipoles, weight)
        error = np.square(self._error(solved)).sum(1) / outlier**2
        return replace(solved, cost=float(np.mean(error / (1 + error))))

    def _solve_epipoles(self, solved: Guess, weight: Numbers, free: Numbers) -> Numbers:
        rest = self._place - solved.places[self._point]
        epipoles = _epipoles(self._turn, weight, solved.depths[self._point], self._place, rest, self._turns, free)
        return np.asarray(epipoles - epipoles[self._middle], np.float64)

    def _solve_points(self, epipoles: Numbers, weight: Numbers) -> Guess:
        way = _motion(epipoles[self._turn], self._place)
        total = np.bincount(self._point, weight, self._points) + 1e-9
        mean_place = _sums(self._point, weight, self._place, self._points) / total[:, None]
        mean_motion = _sums(self._point, weight, way, self._points) / total[:, None]
        way -= mean_motion[self._point]
        place = self._place - mean_place[self._point]
        says = np.asarray(np.bincount(self._point, weight * np.square(way).sum(1), self._points), np.float64)
        damping = 1e-5 * float(np.square(epipoles).sum(1).mean()) + 1e-12
        depths = np.bincount(self._point, weight * (way * place).sum(1), self._points) / (says + damping)
        moved = float(np.sqrt(np.mean(np.square(depths[self._point, None] * way).sum(1))))
        return Guess(mean_place - depths[:, None] * mean_motion, depths, says, epipoles, moved)

    def _error(self, solved: Guess) -> Numbers:
        motion = _motion(solved.epipoles[self._turn], self._place)
        return self._place - solved.places[self._point] - solved.depths[self._point, None] * motion


def _motion(epipoles: Numbers, place: Numbers) -> Numbers:
    """Tell how far places are moved by a depth of one."""
    return epipoles[:, :2] - epipoles[:, 2:] * place


def _patience(outlier: float, turn: int) -> float:
    return outlier * max(1.0, _PATIENCE * _HURRY**turn)


def _trust(error: Numbers, outlier: float) -> Numbers:
    return np.asarray(1 / np.square(1 + np.square(error).sum(1) / outlier**2))


def _mean(groups: NDArray[np.intp], values: Numbers, count: int) -> Numbers:
    return np.asarray(np.bincount(groups, values, count) / np.maximum(np.bincount(groups, minlength=count), 1))


def _sums(groups: NDArray[np.intp], weight: Numbers, values: Numbers, count: int) -> Numbers:
    return np.stack([np.bincount(groups, weight * column, count) for column in values.T], 1)


def _epipoles(
    turn: NDArray[np.intp], weight: Numbers, depth: Numbers, place: Numbers, rest: Numbers, turns: int, free: Numbers
) -> Numbers:
    """Solve each frame's epipole `turns 3` from what is left over (`n 2`) at places of known depth."""
    x, y = place.T
    square = weight * depth * depth
    total, sum_x, sum_y, far = (
        np.bincount(turn, square * factor, turns) for factor in (np.ones_like(x), x, y, x * x + y * y)
    )
    zero = np.zeros(turns)
    normal = np.array([[total, zero, -sum_x], [zero, total, -sum_y], [-sum_x, -sum_y, far]]).transpose(2, 0, 1)
    right = np.stack(
        [
            np.bincount(turn, weight * depth * value, turns)
            for value in (rest[:, 0], rest[:, 1], -(rest * place).sum(1))
        ],
        1,
    )
    damping = np.diag((total.mean() + 1e-12) * np.where(free > 0, 1e-4, 1e6))
    return np.asarray(np.linalg.solve(normal + damping, right[..., None])[..., 0])
