# SPDX-License-Identifier: GPL-3.0-or-later
"""Bundle adjustment of plane and parallax: all cameras and all points at once, by Gauss and Newton.

A frame sees the place `p` of depth `d` at `A (p, 1) + d e`, a full projective camera: `A`, the plane's homography that
was matched before, is put right together with the epipole `e`, since a match on a wall that half the time was a floor
would else be taken for depth. Points are eliminated by Schur's complement (Triggs et al. 2000).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Indices = NDArray[np.intp]

FREE = 11
"""Unknowns of a camera: what `A` differs from the identity, row by row without its last number, then `e`."""

_LOOSE = np.array([0.01] * 8 + [1.0] * 3)
"""Standard deviation of each: a homography is a hundredth of a picture height off at most, an epipole anywhere."""
_ROUNDS, _PLACING_ROUNDS = 14, 5
_AT_ONCE = 32
_PATIENCE, _HURRY = 8.0, 0.75
"""A sighting is an outlier only when it is so many times too far off, at first, and less round by round."""
_TRIES = 4


@dataclass(frozen=True, slots=True)
class Rays:
    """Sightings, `n` each: whose point, in which frame (both from 0 without gaps), and the place `n 2` there, float.

    say: `p 2 2`, of each point: what its errors are multiplied by before they are called large.
    """

    point: Indices
    turn: Indices
    place: NDArray[np.floating]
    say: Numbers

    def within(self, turns: Indices, points: NDArray[np.bool_], frames: int) -> Rays:
        """Take the sightings of some points in some of so many frames, and number both anew."""
        new_turn = np.full(frames, -1)
        new_turn[turns] = np.arange(len(turns))
        kept = (new_turn[self.turn] >= 0) & points[self.point]
        new_point = np.cumsum(points) - 1
        return Rays(new_point[self.point[kept]], new_turn[self.turn[kept]], self.place[kept], self.say[points])


@dataclass(frozen=True, slots=True)
class Scene:
    """cameras: `f 11`. points: `p 3`, place and depth."""

    cameras: Numbers
    points: Numbers


def seen_at(camera: NDArray[Any], places: NDArray[Any], depth: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Tell where places `n 2` of depth `n` are seen by a camera `11` or by one each `n 11`, and how near they are."""
    x, y = places[:, 0], places[:, 1]
    c = camera.T
    near = 1 + c[6] * x + c[7] * y + c[10] * depth
    near = np.where(np.abs(near) < 0.1, 0.1, near).astype(places.dtype)
    u = (x + c[0] * x + c[1] * y + c[2] + c[8] * depth) / near
    v = (y + c[3] * x + c[4] * y + c[5] + c[9] * depth) / near
    return np.stack([u, v], 1), near


def adjust(rays: Rays, start: Scene, outlier: float, fixed: int) -> Scene:
    """Better cameras and points together. outlier: error that counts less. fixed: a frame that stays."""
    stiff = np.broadcast_to(np.square(1 / _LOOSE), start.cameras.shape).copy()
    stiff[fixed] = 1e12
    scene, damping, scale = start, 1e-3, outlier * _PATIENCE
    for _ in range(_ROUNDS):
        problem = _Problem(rays, start.cameras, stiff, outlier, scale)
        cost = problem.cost(scene)
        for _ in range(_TRIES):
            better = problem.step(scene, damping)
            if problem.cost(better) < cost:
                scene, damping = better, max(1e-7, damping / 5)
                break
            damping *= 10
        scale = max(outlier, scale * _HURRY)
    return scene


def place_cameras(rays: Rays, known: NDArray[np.bool_], start: Scene, outlier: float, fixed: int) -> Numbers:
    """Better the cameras `f 11` alone, each by its own sightings of points that are known. Some at a time: memory.

    known: which of the rays' points; those are the scene's.
    """
    frames = len(start.cameras)
    placed = start.cameras.copy()
    for first in range(0, frames, _AT_ONCE):
        turns = np.arange(first, min(first + _AT_ONCE, frames))
        some = rays.within(turns, known, frames)
        placed[turns] = _placed(some, Scene(start.cameras[turns], start.points), outlier)
    placed[fixed] = start.cameras[fixed]
    return placed


def _placed(rays: Rays, start: Scene, outlier: float) -> Numbers:
    stiff = np.broadcast_to(np.square(1 / _LOOSE), start.cameras.shape)
    scene = start
    for turn in range(_PLACING_ROUNDS):
        scale = outlier * max(1.0, _PATIENCE * 0.5**turn)
        normal, right = _Problem(rays, start.cameras, stiff, outlier, scale).cameras_alone(scene)
        scene = Scene(scene.cameras + np.linalg.solve(normal, right[..., None])[..., 0], scene.points)
    return scene.cameras


def errors(rays: Rays, scene: Scene) -> Numbers:
    """Tell how far each sighting is from where its point should be seen, `n 2`, as its point's say has it."""
    point = scene.points[rays.point]
    seen, _ = seen_at(scene.cameras[rays.turn], point[:, :2], point[:, 2])
    return np.asarray(np.einsum("nij,nj->ni", rays.say[rays.point], seen - rays.place))


def says_of_depth(rays: Rays, scene: Scene, outlier: float) -> Numbers:
    """Tell how well each point's depth is known `p`: the inverse of its variance, in sightings of error one."""
    off, _, by_point = _jacobians(rays, scene)
    weight = _trust(off, outlier)
    normal = _summed(rays.point, np.einsum("n,nra,nrb->nab", weight, by_point, by_point), len(scene.points))
    normal[:, [0, 1], [0, 1]] += 1e-9
    aside = np.linalg.solve(normal[:, :2, :2], normal[:, :2, 2:])
    return np.asarray(np.maximum(normal[:, 2, 2] - (normal[:, 2:, :2] @ aside)[:, 0, 0], 0))


@dataclass(frozen=True, slots=True)
class _Problem:
    """What a step makes smaller: errors up to a scale, in outliers, and how far cameras are from where they began."""

    rays: Rays
    began: Numbers
    stiff: Numbers
    outlier: float
    scale: float

    def cost(self, scene: Scene) -> float:
        square = np.square(errors(self.rays, scene)).sum(1) / self.scale**2
        held = float((self.stiff * np.square(scene.cameras - self.began)).sum())
        return float((square / (1 + square)).sum() * (self.scale / self.outlier) ** 2 + held)

    def cameras_alone(self, scene: Scene) -> tuple[Numbers, Numbers]:
        """Give the normal equations of each camera with points as they are: `f 11 11` and `f 11`."""
        off, by_camera, _ = _jacobians(self.rays, scene)
        return self._normal_of_cameras(scene, off, by_camera, _trust(off, self.scale) / self.outlier**2)

    def step(self, scene: Scene, damping: float) -> Scene:
        off, by_camera, by_point = _jacobians(self.rays, scene)
        weight = _trust(off, self.scale) / self.outlier**2
        count = len(scene.points)
        cameras, right = self._normal_of_cameras(scene, off, by_camera, weight)
        points = _summed(self.rays.point, np.einsum("n,nra,nrb->nab", weight, by_point, by_point), count)
        rest = -_summed(self.rays.point, np.einsum("n,nra,nr->na", weight, by_point, off), count)
        for normal in (cameras, points):
            ways = np.arange(normal.shape[1])
            normal[:, ways, ways] *= 1 + damping
        points[:, [0, 1, 2], [0, 1, 2]] += 1e-9 * points[:, 2, 2].mean() + 1e-9 * points[:, 0, 0].mean()
        both = np.einsum("n,nra,nrb->nab", weight, by_camera, by_point)
        moved, points_moved = _eliminated(self.rays, cameras, right, points, rest, both)
        return Scene(scene.cameras + moved, scene.points + points_moved)

    def _normal_of_cameras(
        self, scene: Scene, off: Numbers, by_camera: Numbers, weight: Numbers
    ) -> tuple[Numbers, Numbers]:
        turn, frames = self.rays.turn, len(scene.cameras)
        normal = _summed(turn, np.einsum("n,nra,nrb->nab", weight, by_camera, by_camera, optimize=True), frames)
        right = -_summed(turn, np.einsum("n,nra,nr->na", weight, by_camera, off), frames)
        ways = np.arange(FREE)
        normal[:, ways, ways] += self.stiff
        return normal, right - self.stiff * (scene.cameras - self.began)


def _eliminated(
    rays: Rays, cameras: Numbers, right: Numbers, points: Numbers, rest: Numbers, both: Numbers
) -> tuple[Numbers, Numbers]:
    """Solve for cameras `f 11` and points `p 3`: points first expressed by cameras, then found from them."""
    frames, count = len(cameras), len(points)
    shared = np.zeros((frames, FREE, count, 3))
    shared[rays.turn, :, rays.point] = both
    inverse = np.linalg.inv(points)
    eased = np.einsum("facb,cbd->facd", shared, inverse, optimize=True).reshape(frames * FREE, -1)
    flat = shared.reshape(frames * FREE, -1)
    normal = -(eased @ flat.T).reshape(frames, FREE, frames, FREE)
    each = np.arange(frames)
    normal[each, :, each, :] += cameras
    reduced = right.ravel() - eased @ rest.ravel()
    moved = np.linalg.solve(normal.reshape(frames * FREE, -1), reduced)
    left = rest - (moved @ flat).reshape(count, 3)
    return moved.reshape(frames, FREE), np.einsum("pab,pb->pa", inverse, left)


def _jacobians(rays: Rays, scene: Scene) -> tuple[Numbers, Numbers, Numbers]:
    """Give errors `n 2` and how they change with camera `n 2 11` and point `n 2 3`, as the points' say has them."""
    camera, point = scene.cameras[rays.turn], scene.points[rays.point]
    seen, near = seen_at(camera, point[:, :2], point[:, 2])
    by_camera, by_point = np.zeros((len(near), 2, FREE)), np.zeros((len(near), 2, 3))
    x, y, depth = point.T
    for row in (0, 1):
        at = seen[:, row]
        by_camera[:, row, 3 * row : 3 * row + 3] = np.stack([x, y, np.ones_like(x)], 1)
        by_camera[:, row, 8 + row] = depth
        by_camera[:, row, [6, 7, 10]] = -at[:, None] * np.stack([x, y, depth], 1)
        by_point[:, row, :2] = camera[:, 3 * row : 3 * row + 2] - at[:, None] * camera[:, [6, 7]]
        by_point[:, row, 2] = camera[:, 8 + row] - at * camera[:, 10]
        by_point[:, row, row] += 1
    say = rays.say[rays.point] / near[:, None, None]
    off = np.einsum("nij,nj->ni", rays.say[rays.point], seen - rays.place)
    return off, say @ by_camera, say @ by_point


def _trust(error: Numbers, outlier: float) -> Numbers:
    return np.asarray(1 / np.square(1 + np.square(error).sum(1) / outlier**2))


def _summed(groups: Indices, values: Numbers, count: int) -> Numbers:
    """Add up values `n ...` of each group."""
    flat = values.reshape(len(values), -1)
    total = np.stack([np.bincount(groups, column, count) for column in flat.T], 1)
    return np.asarray(total.reshape(count, *values.shape[1:]), np.float64)
