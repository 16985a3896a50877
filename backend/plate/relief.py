# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the set stands out from the plane that the camera was matched to: plane and parallax.

What one homography a frame leaves over of a rigid set is known by one number a place and a camera a frame: the place
`p` of the middle frame is seen at `A (p, 1) + d e`, its depth `d` being 0 on the plane and linear on any other one
(Irani and Anandan 1996). So a floor behind feet is known from the floor round them, and from any two other times at
which it was seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .bundle import Rays, Scene, adjust, place_cameras, says_of_depth, seen_at
from .geometry import Points, centred, read_at
from .guess import guess_scene
from .planes import spread_depth
from .sightings import Sightings
from .trails import Trails

CELL_PX = 8
"""Side of a cell of depth, in pixels of the ground's picture."""

KEYS = 28
"""So many frames are adjusted together; the others follow from the points that these know."""
_OUTLIER = 0.5
"""Error of a sighting, in pixels at 360 rows, from which it counts less than half."""
_LEAST_SIGHTINGS, _LEAST_POINTS = 3, 12

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Relief:
    """depth: per cell of the ground's picture, `rows columns` float32. cameras: `f 11`, as a `Scene` has them.

    Places are measured in picture heights from the picture's middle. size: of the picture, width and height.
    """

    depth: NDArray[np.float32]
    cameras: Numbers
    size: tuple[int, int]

    def moved(self, turn: int, points: Points) -> Points:
        """Tell where places (`n 2`) of the ground's picture are in the segment's frame number `turn`."""
        seen, _ = seen_at(self.cameras[turn].astype(np.float32), centred(points, self.size), self.depth_at(points))
        return np.asarray(seen * np.float32(self.size[1]) + np.array(self.size, np.float32) / 2, np.float32)

    def depth_at(self, points: Points) -> NDArray[np.float32]:
        """Tell the depth `n` at places of the ground's picture."""
        return read_at(self.depth, points / np.float32(CELL_PX) + np.float32(0.5 / CELL_PX - 0.5), cv2.INTER_LINEAR)

    def motion(self, turn: int) -> NDArray[np.float32]:
        """Tell how far each cell moves, in pixels of the picture, for a depth more by one: `rows columns 2`."""
        places = centred(centres_of_cells(self.size), self.size)
        camera = self.cameras[turn].astype(np.float32)
        seen, near = seen_at(camera, places, self.depth.ravel())
        motion = (camera[8:10] - camera[10] * seen) / near[:, None] * np.float32(self.size[1])
        return np.asarray(motion.reshape(*self.depth.shape, 2), np.float32)


def first_relief(trails: Trails, turns: int, middle: int, to_ground_px: float, size: tuple[int, int]) -> Relief | None:
    """Guess the relief from trails. None where no parallax is proven. Parameters as `guess_scene` has them."""
    guess = guess_scene(trails, turns, middle, to_ground_px, size)
    if guess is None:
        return None
    unit = float(np.sqrt(np.mean(np.square(guess.epipoles))))
    cameras = np.concatenate([np.zeros((turns, 8)), guess.epipoles / unit], 1)
    points = np.concatenate([guess.places, guess.depths[:, None] * unit], 1)
    depth = _on_cells(points, guess.says / unit**2, cameras, _OUTLIER * to_ground_px / size[1], size)
    return Relief(depth, cameras, size)


def better_relief(relief: Relief, found: Sightings, middle: int, to_ground_px: float) -> Relief:
    """Put cameras and depths right by points that were found again in pictures that the relief had aligned."""
    size = relief.size
    if len(found.points) < _LEAST_POINTS:
        return relief
    pixels = (found.place + np.float32(0.5)) * np.float32(to_ground_px) - np.float32(0.5)
    for turn in np.unique(found.turn):
        here = found.turn == turn
        pixels[here] = relief.moved(int(turn), pixels[here])
    rays = Rays(found.point, found.turn, centred(pixels, size), found.say)
    begun = (found.points + np.float32(0.5)) * np.float32(to_ground_px) - np.float32(0.5)
    points = np.concatenate([centred(begun, size), relief.depth_at(begun)[:, None]], 1).astype(np.float64)
    outlier = _OUTLIER * to_ground_px / size[1]
    scene, says = _adjusted(rays, Scene(relief.cameras, points), outlier, middle)
    if len(scene.points) < _LEAST_POINTS:
        return relief
    return Relief(_on_cells(scene.points, says, scene.cameras, outlier, size), scene.cameras, size)


def _adjusted(rays: Rays, start: Scene, outlier: float, middle: int) -> tuple[Scene, Numbers]:
    """Adjust some frames and all points in them, then place the other frames' cameras by these; tell depths' say."""
    turns = len(start.cameras)
    keys = key_turns(turns, middle, KEYS)
    is_key = np.isin(rays.turn, keys)
    often = np.bincount(rays.point[is_key], minlength=len(start.points)) >= _LEAST_SIGHTINGS
    some = rays.within(keys, often, turns)
    if often.sum() < _LEAST_POINTS:
        return Scene(start.cameras, start.points[:0]), np.zeros(0)
    keyed = adjust(some, Scene(start.cameras[keys], start.points[often]), outlier, int(np.searchsorted(keys, middle)))
    change = keyed.cameras - start.cameras[keys]
    between = np.stack([np.interp(np.arange(turns), keys, column) for column in change.T], 1)
    cameras = place_cameras(rays, often, Scene(start.cameras + between, keyed.points), outlier, middle)
    return Scene(cameras, keyed.points), says_of_depth(some, keyed, outlier)


def key_turns(turns: int, middle: int, most: int) -> NDArray[np.intp]:
    """Choose frames evenly over a segment, the middle one among them."""
    return np.unique(np.append(np.linspace(0, turns - 1, min(turns, most)).astype(np.intp), middle))


def _on_cells(
    points: Numbers, says: Numbers, cameras: Numbers, outlier: float, size: tuple[int, int]
) -> NDArray[np.float32]:
    """Continue the depths of points `n 3` over the cells of the picture."""
    centres = centred(centres_of_cells(size), size).astype(np.float64)
    least = outlier / float(np.sqrt(np.mean(np.square(cameras[:, 8:]).sum(1))))
    depth = spread_depth(points[:, :2], points[:, 2], outlier / np.sqrt(says + 1e-12), centres, least)
    return depth.reshape(cells_of(size)[::-1]).astype(np.float32)


def cells_of(size: tuple[int, int]) -> tuple[int, int]:
    """Tell how many cells a picture of a size is wide and high."""
    return -(-size[0] // CELL_PX), -(-size[1] // CELL_PX)


def centres_of_cells(size: tuple[int, int]) -> Points:
    """List the centres of a picture's cells, row by row, in its pixels."""
    columns, rows = np.meshgrid(*(np.arange(count, dtype=np.float32) for count in cells_of(size)))
    return (np.stack([columns.ravel(), rows.ravel()], 1) + np.float32(0.5)) * np.float32(CELL_PX) - np.float32(0.5)
