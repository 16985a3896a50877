# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose colour is it: the performer's or the background's, judged by what is sure nearby in the same frame."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

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


@dataclass(frozen=True, slots=True)
class _Asked:
    """Pixels of which something is asked: their colours, three arrays of `n`, and their places, `n`.

    places: in reading order of the picture that has every `stride_px`-th pixel of the frame.
    """

    rgb: list[Values]
    places: NDArray[np.intp]
    stride_px: int

    @classmethod
    def at(cls, rgb: Colour, pixels: Mask, stride_px: int) -> Self:
        """Ask of the pixels of a frame `h w 3` that are set in `h w`."""
        rows, columns = np.nonzero(pixels)
        width = -(-pixels.shape[1] // stride_px)
        places = rows // stride_px * width + columns // stride_px
        return cls([rgb[..., c][pixels] for c in range(3)], places, stride_px)


class _KnownColours:
    """Mean and covariance of the known colours in the square window round each place of a frame."""

    def __init__(self, rgb: Colour, known: Mask, asked: _Asked) -> None:
        """Learn from `rgb`, `h w 3` 0..1, where `known`, `h w`, is set: every `stride_px`-th pixel, as asked."""
        self._asked = asked
        every = slice(None, None, asked.stride_px)
        weight = known[every, every].astype(np.float32)
        channels = [np.ascontiguousarray(rgb[every, every, c]) for c in range(3)]
        weighted = [channel * weight for channel in channels]
        self._products = [weight, *weighted, *(weighted[a] * channels[b] for a, b in _PAIRS)]

    def log_density(self, radius_px: float) -> Values:
        """Log density, `n`, up to a constant, of the colours that are asked of; very low where nothing is known near.

        radius_px: how near.
        """
        size = (2 * round(radius_px / self._asked.stride_px) + 1,) * 2
        windows = (cv2.boxFilter(image, -1, size, borderType=cv2.BORDER_CONSTANT) for image in self._products)
        share, *moments = (np.asarray(mean, np.float32).take(self._asked.places) for mean in windows)
        scale = np.reciprocal(np.maximum(share, np.float32(1e-6)))
        means = [moment * scale for moment in moments[:3]]
        noise = np.array([0, _NOISE**2], np.float32)
        spread = [
            moment * scale - means[a] * means[b] + noise[int(a == b)]
            for moment, (a, b) in zip(moments[3:], _PAIRS, strict=True)
        ]
        offsets = [value - mean for value, mean in zip(self._asked.rgb, means, strict=True)]
        distance = sum_of_products(solve_symmetric(spread, offsets), offsets)
        density = np.float32(-0.5) * (distance + np.log(_determinant(spread)))
        return np.where(share > _LEAST_SHARE, density, _NEVER)


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
    near_px, wide_px = radii_px
    asked = _Asked.at(rgb, ~(performer | background), stride_px)
    inside = _KnownColours(rgb, performer, asked).log_density(near_px)
    if last_seen is not None:
        inside = np.maximum(inside, _KnownColours(*last_seen, asked).log_density(wide_px))
    behind = _KnownColours(rgb, background, asked)
    outside = np.maximum(behind.log_density(near_px), behind.log_density(wide_px))
    surprise = _ANY_COLOUR - _RARITY
    inside_or_any = np.where(inside > _NEVER, np.maximum(inside, surprise), _ANY_COLOUR)
    return np.where(outside > _NEVER, inside_or_any - np.maximum(outside, surprise), np.float32(0))


def _determinant(matrix: list[Values]) -> Values:
    xx, xy, xz, yy, yz, zz = matrix
    determinant = xx * (yy * zz - yz * yz) - xy * (xy * zz - yz * xz) + xz * (xy * yz - yy * xz)
    return np.asarray(np.maximum(determinant, 1e-12), np.float32)
