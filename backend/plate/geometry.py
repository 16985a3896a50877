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
    """Map points by a homography. Points on its horizon go to the origin."""
    if not len(points):
        return points
    return np.asarray(cv2.perspectiveTransform(points[None], homography)[0], np.float32)


def read_at(image: NDArray[Any], points: Points, interpolation: int = cv2.INTER_CUBIC) -> NDArray[np.float32]:
    """Interpolate an image `h w` or `h w c` at n points: float32 `n` or `n c`, edge pixels repeated outside."""
    maps, count = _folded(points)
    read = cv2.remap(image, maps, None, interpolation, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return cast(NDArray[np.float32], read.reshape(-1, *image.shape[2:])[:count].astype(np.float32))


def _folded(points: Points) -> tuple[NDArray[np.float32], int]:
    """Lay a list of points out as a picture of coordinates of at least one row."""
    count = len(points)
    rows = max(1, -(-count // _ROW))
    folded = np.zeros((rows * _ROW, 2), np.float32)
    folded[:count] = points
    return folded.reshape(rows, _ROW, 2), count


def is_set_at(mask: NDArray[np.uint8], points: Points) -> NDArray[np.bool_]:
    """Tell at which points the nearest pixel of a mask `h w` is not 0. Outside of it none is."""
    maps, count = _folded(points)
    border: Any = {"borderMode": cv2.BORDER_CONSTANT, "borderValue": 0}
    read = cv2.remap(mask, maps, None, cv2.INTER_NEAREST, **border)  # type: ignore[call-overload]
    return cast(NDArray[np.bool_], read.ravel()[:count] > 0)


def scaling(x_factor: float, y_factor: float) -> Homography:
    """Map pixel centres of a picture to those of the same picture resized (whole numbers are centres)."""
    return np.array([[x_factor, 0, x_factor / 2 - 0.5], [0, y_factor, y_factor / 2 - 0.5], [0, 0, 1]])


def is_inside(points: Points, width: int, height: int) -> NDArray[np.bool_]:
    """Tell which points lie within the pixel centres of a picture."""
    x, y = points[:, 0], points[:, 1]
    return (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)


def mean_of_channels(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average over the last axis of three; NumPy's own mean is some 10 times slower over so short an axis."""
    return cast(NDArray[np.float32], (colours[..., 0] + colours[..., 1] + colours[..., 2]) / 3)


def pixels_of(region: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp], Points]:
    """List a region's pixels: rows, columns, and the same as points."""
    rows, columns = np.nonzero(region)
    return rows, columns, np.stack([columns, rows], 1).astype(np.float32)


def centred(points: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Measure pixels `... 2` from the picture's middle, in its heights, where steps aside and ahead differ most."""
    return np.asarray((points - np.array(size, points.dtype) / 2) / points.dtype.type(size[1]))
