# SPDX-License-Identifier: GPL-3.0-or-later
"""The guided filter: smooth a map so that its edges follow those of a colour picture.

He, Sun and Tang, *Guided Image Filtering*, 2013 (colour guide, section 3.4).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]
Colour = NDArray[np.float32]

_PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))


class WindowMean:
    """Means over square windows of 2 `radius_px` + 1 pixels, cut off at the picture's border."""

    def __init__(self, shape: tuple[int, ...], radius_px: int) -> None:
        self._size = (2 * radius_px + 1,) * 2
        self._share = np.reciprocal(self._sums(np.ones(shape, np.float32)))

    def __call__(self, image: Grey) -> Grey:
        """Mean of each pixel's window; `h w` float32."""
        return np.asarray(self._sums(image) * self._share, np.float32)

    def _sums(self, image: Grey) -> Grey:
        sums = cv2.boxFilter(image, -1, self._size, normalize=False, borderType=cv2.BORDER_CONSTANT)
        return np.asarray(sums, np.float32)


def guided_filter(guide: Colour, image: Grey, radius_px: int, epsilon: float) -> Grey:
    """Return the map that in each window is the linear function of the guide's colour nearest to `image`.

    guide: `h w 3` float32 0..1. image: `h w` float32. epsilon: variance of the guide (0..1 squared) below which a
    window counts as flat and is averaged. The result, `h w` float32, may overshoot the range of `image` a little.
    """
    mean = WindowMean(image.shape, radius_px)
    channels = [np.ascontiguousarray(guide[..., c]) for c in range(3)]
    means = [mean(channel) for channel in channels]
    image_mean = mean(image)
    shared = [mean(channel * image) - m * image_mean for channel, m in zip(channels, means, strict=True)]
    diagonal = np.array([0, epsilon], np.float32)
    spread = [mean(channels[a] * channels[b]) - means[a] * means[b] + diagonal[int(a == b)] for a, b in _PAIRS]
    slopes = solve_symmetric(spread, shared)
    offset = image_mean - sum_of_products(slopes, means)
    return sum_of_products([mean(slope) for slope in slopes], channels) + mean(offset)


def solve_symmetric(matrix: list[Grey], right: list[Grey]) -> list[Grey]:
    """Solve a positive definite 3x3 system at every pixel, by Cramer's rule.

    matrix: the six maps xx xy xz yy yz zz; right: the three of the right-hand side.
    """
    xx, xy, xz, yy, yz, zz = matrix
    x_y, x_z, y_z = xz * yz - xy * zz, xy * yz - xz * yy, xy * xz - xx * yz
    inverse = (
        [yy * zz - yz * yz, x_y, x_z],
        [x_y, xx * zz - xz * xz, y_z],
        [x_z, y_z, xx * yy - xy * xy],
    )
    determinant = sum_of_products([xx, xy, xz], inverse[0])
    return [sum_of_products(row, right) / determinant for row in inverse]


def sum_of_products(left: list[Grey], right: list[Grey]) -> Grey:
    """Dot product of two lists of three maps."""
    return np.asarray(left[0] * right[0] + left[1] * right[1] + left[2] * right[2], np.float32)
