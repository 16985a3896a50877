# SPDX-License-Identifier: GPL-3.0-or-later
"""Code values and light: the sRGB transfer of IEC 61966-2-1, exact and piecewise, and changes of depth."""

from __future__ import annotations

from functools import cache
from typing import cast

import numpy as np
from numpy.typing import NDArray

from .images import Pixels

COMP_SPACE = "scene-linear light of sRGB (IEC 61966-2-1), BT.709 primaries"
"""The space in which the comp is computed, as the sidecar names it."""

DELIVERED_SPACE = "sRGB"
"""The space of delivered colour pictures, by the name Blender shows."""

_BREAK_CODE, _BREAK_LINEAR, _SLOPE = 0.04045, 0.0031308, 12.92


def linear_from_srgb(code: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn display code values 0..1 into linear light 0..1 (IEC 61966-2-1, section 5.2)."""
    return np.where(code <= _BREAK_CODE, code / _SLOPE, ((np.maximum(code, 0) + 0.055) / 1.055) ** 2.4)


def srgb_from_linear(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn linear light 0..1 into display code values 0..1."""
    return np.where(light <= _BREAK_LINEAR, light * _SLOPE, 1.055 * np.maximum(light, 0) ** (1 / 2.4) - 0.055)


def decode_srgb(codes: Pixels) -> NDArray[np.float64]:
    """Turn uint8 or uint16 code values of any shape into linear light 0..1, by table."""
    return _light_of_codes(top_code(codes))[codes]


def encode_srgb(light: NDArray[np.float64], top: int) -> Pixels:
    """Turn linear light into the nearest code values 0..top (255 or 65535); light outside 0..1 is cut there."""
    codes = np.floor(srgb_from_linear(np.clip(light, 0, 1)) * top + 0.5)
    return cast(Pixels, codes.astype(np.uint8 if top == 255 else np.uint16))


def top_code(image: Pixels) -> int:
    """Say the code value of full white or full coverage: 255 or 65535."""
    return int(np.iinfo(image.dtype).max)


def to_depth(image: Pixels, depth_bits: int) -> Pixels:
    """Bring a picture to 8 or 16 bits: up exactly (x 257), down to the nearest code."""
    if image.dtype.itemsize * 8 == depth_bits:
        return image
    if depth_bits == 16:
        return cast(Pixels, image.astype(np.uint16) * np.uint16(257))
    return cast(Pixels, ((image.astype(np.uint32) + 128) // 257).astype(np.uint8))


@cache
def _light_of_codes(top: int) -> NDArray[np.float64]:
    return linear_from_srgb(np.arange(top + 1) / top)
