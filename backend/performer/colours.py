# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose colour is it: the performer's or the background's, as seen close by in the same frame."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .guided import solve_symmetric, sum_of_products

Grey = NDArray[np.float32]
Colour = NDArray[np.float32]
Mask = NDArray[np.bool_]

_NOISE = 0.02
"""Standard deviation added to every colour model, in 0..1: grain, compression, what a window did not show."""
_LEAST_SHARE = 0.01
"""Of a window's weight: with fewer known pixels than this, a window knows nothing."""


def colour_evidence(rgb: Colour, performer: Mask, background: Mask, radius_px: float) -> Grey:
    """Log odds that a pixel's colour is the performer's rather than the background's; 0 where nothing is known near.

    rgb: `h w 3` float32 0..1. performer, background: `h w` bool, pixels that surely are one or the other. Each pixel
    is compared with the mean and covariance of both within about `radius_px`.
    """
    inside, inside_share = _log_likelihood(rgb, performer, radius_px)
    outside, outside_share = _log_likelihood(rgb, background, radius_px)
    known = np.minimum(inside_share, outside_share) > _LEAST_SHARE
    return np.where(known, inside - outside, np.float32(0))


def _log_likelihood(rgb: Colour, known: Mask, radius_px: float) -> tuple[Grey, Grey]:
    """Log density of each pixel under the colours known near it, and the share of known pixels near it."""
    weight = known.astype(np.float32)
    share = _near(weight, radius_px)
    scale = np.reciprocal(np.maximum(share, np.float32(1e-6)))
    channels = [np.ascontiguousarray(rgb[..., c]) for c in range(3)]
    weighted = [channel * weight for channel in channels]
    means = [_near(channel, radius_px) * scale for channel in weighted]
    noise = np.array([0, _NOISE**2], np.float32)
    spread = [
        _near(weighted[a] * channels[b], radius_px) * scale - means[a] * means[b] + noise[int(a == b)]
        for a, b in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
    ]
    offsets = [channel - mean for channel, mean in zip(channels, means, strict=True)]
    distance = sum_of_products(solve_symmetric(spread, offsets), offsets)
    return np.float32(-0.5) * (distance + np.log(_determinant(spread))), share


def _near(image: Grey, radius_px: float) -> Grey:
    size = (2 * round(radius_px) + 1,) * 2
    return np.asarray(cv2.boxFilter(image, -1, size, borderType=cv2.BORDER_CONSTANT), np.float32)


def _determinant(matrix: list[Grey]) -> Grey:
    xx, xy, xz, yy, yz, zz = matrix
    determinant = xx * (yy * zz - yz * yz) - xy * (xy * zz - yz * xz) + xz * (xy * yz - yy * xz)
    return np.asarray(np.maximum(determinant, 1e-12), np.float32)
