# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose colour is it: the performer's or the background's, judged by what is sure nearby in the same frame."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from .guided import solve_symmetric, sum_of_products

Colour = NDArray[np.float32]
Values = NDArray[np.float32]
Mask = NDArray[np.bool_]

_NOISE = 0.02
"""Standard deviation added to every model, in 0..1: grain, compression, what the samples did not show."""
_LEAST_SHARE = 0.01
"""With fewer known samples than this share of its window, a model knows nothing."""
_PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
_NEVER = np.float32(-1e3)
_ANY_COLOUR = np.float32(1.5 * math.log(2 * math.pi))
"""Log density where every colour is as likely, less the normal distribution's constant that log_density leaves out."""
_RARITY = np.float32(3)
"""Log odds against a colour that was not seen nearby."""


class NearbyColours:
    """Mean and covariance of the known colours in the square window round each place of a frame."""

    def __init__(self, rgb: Colour, known: Mask, radius_px: float, stride_px: int) -> None:
        """Learn from every `stride_px`-th pixel of `rgb`, `h w 3` 0..1, where `known`, `h w`, is set."""
        self._stride_px = stride_px
        self._size = (2 * round(radius_px / stride_px) + 1,) * 2
        weight = known[::stride_px, ::stride_px].astype(np.float32)
        channels = [np.ascontiguousarray(rgb[::stride_px, ::stride_px, c]) for c in range(3)]
        weighted = [channel * weight for channel in channels]
        products = [weighted[a] * channels[b] for a, b in _PAIRS]
        self._moments = np.stack([self._window_mean(image) for image in (weight, *weighted, *products)])

    def log_density(self, rgb: list[Values], rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Values:
        """Log density, up to a constant, of the colours at some pixels; very low where nothing is known near.

        rgb: three arrays of `n`; rows, columns: `n`.
        """
        share, *moments = self._moments[:, rows // self._stride_px, columns // self._stride_px]
        scale = np.reciprocal(np.maximum(share, np.float32(1e-6)))
        means = [moment * scale for moment in moments[:3]]
        noise = np.array([0, _NOISE**2], np.float32)
        spread = [
            moment * scale - means[a] * means[b] + noise[int(a == b)]
            for moment, (a, b) in zip(moments[3:], _PAIRS, strict=True)
        ]
        offsets = [value - mean for value, mean in zip(rgb, means, strict=True)]
        distance = sum_of_products(solve_symmetric(spread, offsets), offsets)
        density = np.float32(-0.5) * (distance + np.log(_determinant(spread)))
        return np.where(share > _LEAST_SHARE, density, _NEVER)

    def _window_mean(self, image: Values) -> Values:
        return np.asarray(cv2.boxFilter(image, -1, self._size, borderType=cv2.BORDER_CONSTANT), np.float32)


def colour_evidence(
    rgb: Colour,
    performer: Mask,
    background: Mask,
    radii_px: tuple[float, float],
    stride_px: int,
    last_seen: tuple[Colour, Mask] | None = None,
) -> Values:
    """Log odds that the colour of a pixel that is neither surely one nor the other is the performer's.

    rgb: `h w 3` float32 0..1. performer, background: `h w` bool. radii_px: near and wide. The performer's colours are
    those seen near, or all alike where none are, and those of `last_seen`: another frame, moved to where the performer
    should be since, and what is surely the performer in it. The background's are those near or, for it goes on behind
    the performer, wide, whichever explain the pixel better. Returns `n` values for the `n` doubtful pixels in reading
    order; 0 where the background is unknown. Both sides have surprises: a colour that neither shows tells nothing.
    """
    rows, columns = np.nonzero(~(performer | background))
    near_px, wide_px = radii_px
    asked = [np.ascontiguousarray(rgb[rows, columns, c]) for c in range(3)]

    def density(known: Mask, radius_px: float, picture: Colour = rgb) -> Values:
        return NearbyColours(picture, known, radius_px, stride_px).log_density(asked, rows, columns)

    inside = density(performer, near_px)
    if last_seen is not None:
        inside = np.maximum(inside, density(last_seen[1], wide_px, last_seen[0]))
    outside = np.maximum(density(background, near_px), density(background, wide_px))
    surprise = _ANY_COLOUR - _RARITY
    inside_or_any = np.where(inside > _NEVER, np.maximum(inside, surprise), _ANY_COLOUR)
    return np.where(outside > _NEVER, inside_or_any - np.maximum(outside, surprise), np.float32(0))


def _determinant(matrix: list[Values]) -> Values:
    xx, xy, xz, yy, yz, zz = matrix
    determinant = xx * (yy * zz - yz * yz) - xy * (xy * zz - yz * xz) + xz * (xy * yz - yy * xz)
    return np.asarray(np.maximum(determinant, 1e-12), np.float32)
