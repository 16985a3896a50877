# SPDX-License-Identifier: GPL-3.0-or-later
"""Projective maps of points, and colours read from a picture at any place. Points are `n 2`, x y in pixels."""

from __future__ import annotations

from typing import Any, Protocol, cast

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
Homography = NDArray[np.floating[Any]]


class Pictures(Protocol):
    """Frames or masks that can be asked for one at a time: a Sequence on disk, or a short list."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> NDArray[Any]: ...


_ROW = 1024
"""cv2.remap wants a picture of coordinates, not a list; lists are folded into rows of this length."""


def project(points: Points, homography: Homography) -> Points:
    """Map points by a homography. Points on its horizon come back as huge, not as infinite, numbers."""
    matrix = homography.astype(np.float32)
    x, y = points[:, 0], points[:, 1]
    depth = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2]
    depth = np.where(np.abs(depth) < 1e-6, np.float32(1e-6), depth)
    out = np.empty_like(points)
    out[:, 0] = (matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]) / depth
    out[:, 1] = (matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]) / depth
    return out


def read_at(image: NDArray[Any], points: Points, interpolation: int = cv2.INTER_CUBIC) -> NDArray[np.float32]:
    """Interpolate an image `h w` or `h w c` at n points: float32 `n` or `n c`, edge pixels repeated outside."""
    count = len(points)
    rows = -(-count // _ROW)
    folded = np.zeros((rows * _ROW, 2), np.float32)
    folded[:count] = points
    maps = folded.reshape(rows, _ROW, 2)
    if not count:
        return np.zeros((0, *image.shape[2:]), np.float32)
    read = cv2.remap(image, maps, None, interpolation, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return cast(NDArray[np.float32], read.reshape(-1, *image.shape[2:])[:count].astype(np.float32))


def scaling(x_factor: float, y_factor: float) -> Homography:
    """Map pixel centres of a picture to those of the same picture resized (whole numbers are centres)."""
    return np.array([[x_factor, 0, x_factor / 2 - 0.5], [0, y_factor, y_factor / 2 - 0.5], [0, 0, 1]])


def is_inside(points: Points, width: int, height: int) -> NDArray[np.bool_]:
    """Tell which points lie within the pixel centres of a picture."""
    x, y = points[:, 0], points[:, 1]
    return (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)


def pixels_of(region: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp], Points]:
    """List a region's pixels: rows, columns, and the same as points."""
    rows, columns = np.nonzero(region)
    return rows, columns, np.stack([columns, rows], 1).astype(np.float32)
