# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to pixels before a network sees them: depth, levels of dark pictures, noise. Never seen by an artist."""

from __future__ import annotations

import cv2
import numpy as np

from ..media.images import Pixels
from .window import Picture

_DARK_LEVEL = 110
"""A picture whose brightest hundredth lies under this 8-bit level is stretched."""

_LEAST_WHITE = 12
"""Nothing is stretched further than from this level: below is only noise."""

_NOISE_LEVELS = 9.0
"""Noise (standard deviation, 8-bit levels) from which a picture is blurred before detection."""

_NOISE_PER_BLUR = 16.0
_MOST_BLUR_PX = 2.5

_CORNERS = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
"""Blind to edges and slopes, so that what is left is noise; its gain on white noise is 6 (Immerkaer 1996)."""


def as_rgb8(frame: Pixels) -> Picture:
    """Reduce a picture of any depth and channels to `h w 3` uint8. Alpha is dropped."""
    bytes_only = frame if frame.dtype == np.uint8 else (frame >> 8).astype(np.uint8)
    rgb = np.repeat(bytes_only[..., None], 3, axis=2) if frame.ndim == 2 else bytes_only[..., :3]
    return np.ascontiguousarray(rgb, np.uint8)


def made_clear(picture: Picture) -> Picture:
    """Stretch the levels of a dark picture, blur a noisy one; leave any other as it is."""
    return _quieted(_levelled(picture))


def _levelled(picture: Picture) -> Picture:
    red, green, blue = cv2.split(picture[::4, ::4])
    counts = np.bincount(cv2.max(cv2.max(red, green), blue).ravel(), minlength=256)
    counts[0] = 0  # the window's black surroundings
    seen = counts.cumsum()
    white = int(np.searchsorted(seen, 0.99 * seen[-1])) if seen[-1] else 255
    if white >= _DARK_LEVEL:
        return picture
    gain = 230.0 / max(white, _LEAST_WHITE)
    return np.asarray(cv2.convertScaleAbs(picture, alpha=gain), np.uint8)


def _quieted(picture: Picture) -> Picture:
    noise = noise_levels(picture)
    if noise < _NOISE_LEVELS:
        return picture
    blur_px = min(noise / _NOISE_PER_BLUR, _MOST_BLUR_PX)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), blur_px), np.uint8)


def noise_levels(picture: Picture) -> float:
    """Estimate white noise of the green channel, in the picture's middle, as a standard deviation in 8-bit levels.

    The median of the response stands for noise even where a third of the picture is fine texture.
    """
    middle = picture[picture.shape[0] // 4 : -(picture.shape[0] // 4) or None, :, 1]
    response = cv2.filter2D(middle, cv2.CV_32F, _CORNERS)[1:-1:2, 1:-1:2]
    lit = response[middle[1:-1:2, 1:-1:2] > 0]
    return float(np.median(np.abs(lit))) / 0.6745 / 6.0 if lit.size else 0.0
