# SPDX-License-Identifier: GPL-3.0-or-later
"""The set as one still picture per segment of the shot: all that is seen, and one consistent invention of the rest.

Because every frame takes its invented pixels from here, they stand still in the set and never boil.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from .camera import Camera
from .fill import fill
from .geometry import Homography, Points, pixels_of, project, read_at, scaling
from .samples import Shift, View, Witnesses, agree

_FURTHEST = 1.0
"""The picture reaches this many frame sizes beyond its middle frame; a longer pan shows a hole only near it."""


@dataclass(frozen=True, slots=True)
class Ground:
    """view: the picture's place. colour: `h w 3` float32 in code values, time `view.time`, exposure `view.gain`.

    unseen: `h w`, where no witness saw anything. wanted: the part of it that some frame shows.
    """

    view: View
    colour: NDArray[np.float32]
    unseen: NDArray[np.bool_]
    wanted: NDArray[np.bool_]

    def read(self, view: View, points: Points, shift: Shift | None) -> NDArray[np.float32]:
        """Give the colours `n 3` of a frame's pixels in that frame's exposure. shift: of this picture."""
        places = project(project(points, view.to_ground), np.linalg.inv(self.view.to_ground))
        places = places if shift is None else shift.settled(view.time, places)
        return read_at(self.colour, places) * (view.gain / self.view.gain)


def place_ground(camera: Camera, segment: int, frame_size: tuple[int, int], most_pixels: int) -> View:
    """Choose the picture of a segment's set: in the view of its middle frame, of so many pixels at most."""
    members = np.flatnonzero(camera.segment == segment)
    return _place(camera, members, middle_of(members), frame_size, most_pixels)


def middle_of(members: NDArray[np.intp]) -> int:
    """Tell the middle one of a segment's frames."""
    return int(members[len(members) // 2])


def lay_ground(witnesses: Witnesses, view: View, frame_size: tuple[int, int]) -> Ground:
    """Paint a segment's set from all witnesses. What none has seen stays black."""
    members = np.flatnonzero(witnesses.camera.segment == view.segment)
    width, height = view.size
    _, _, points = pixels_of(np.ones((height, width), bool))
    samples = witnesses.ask(view, points)
    colour = agree(samples).agreed.reshape(height, width, 3)
    unseen = (samples.count == 0).reshape(height, width)
    return Ground(view, colour, unseen, unseen & _reached(witnesses.camera, members, view, frame_size))


def complete(ground: Ground, full: float) -> Ground:
    """Invent what no witness has seen. full: the code value of white."""
    filled = fill(ground.colour * np.float32(255 / full), ground.wanted, ~ground.unseen)
    return replace(ground, colour=filled * np.float32(full / 255))


def _place(
    camera: Camera, members: NDArray[np.intp], middle: int, frame_size: tuple[int, int], most_pixels: int
) -> View:
    """Choose the picture's frame: all the segment's frames as the middle one sees them, cut to a sensible reach."""
    width, height = frame_size
    to_middle = np.linalg.inv(camera.to_ground[middle])
    corners = np.concatenate([_corners(to_middle @ camera.to_ground[member], frame_size) for member in members])
    least = np.maximum(corners.min(0), (-_FURTHEST * width, -_FURTHEST * height))
    most = np.minimum(corners.max(0), ((1 + _FURTHEST) * width - 1, (1 + _FURTHEST) * height - 1))
    span = np.ceil(most - least) + 1
    factor = min(1.0, float(np.sqrt(most_pixels / (span[0] * span[1]))))
    size = (max(1, round(span[0] * factor)), max(1, round(span[1] * factor)))
    move = np.array([[1, 0, np.floor(least[0])], [0, 1, np.floor(least[1])], [0, 0, 1.0]])
    to_ground = camera.to_ground[middle] @ move @ np.linalg.inv(scaling(factor, factor))
    # Half a frame off, so that no frame of the shot counts as the picture itself.
    return View(middle + 0.5, int(camera.segment[middle]), to_ground, camera.gain[middle], size)


def _corners(matrix: Homography, size: tuple[int, int]) -> Points:
    width, height = size
    corners = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], np.float32)
    return project(corners, matrix)


def _reached(camera: Camera, members: NDArray[np.intp], view: View, frame_size: tuple[int, int]) -> NDArray[np.bool_]:
    """Mark what lies inside at least one frame: outside of it nothing is ever shown."""
    reached = np.zeros((view.size[1], view.size[0]), np.uint8)
    to_view = np.linalg.inv(view.to_ground)
    for member in members:
        corners = _corners(to_view @ camera.to_ground[member], frame_size)
        far = 4.0 * max(view.size)
        cv2.fillConvexPoly(reached, np.rint(np.clip(corners, -far, far)).astype(np.int32), 1)
    return reached > 0
