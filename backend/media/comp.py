# SPDX-License-Identifier: GPL-3.0-or-later
"""Layers over one another, computed from the quantised pictures that are delivered, in scene-linear light.

Only pixels where coverage is neither nothing nor full are computed, and those in float64, so that every machine rounds
alike; all others are copied to the bit.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import numpy as np
from numpy.typing import NDArray

from .colour import decode_srgb, encode_srgb, top_code
from .images import Pixels


def comp_over(plate: Pixels, character: Pixels) -> Pixels:
    """Lay a straight RGBA character over the plate. Porter and Duff 1984, `over`, in linear light.

    plate: `h w 3`, character: `h w 4`, both uint8 or both uint16, sRGB code values; so is the result, `h w 3`.
    Where the coverage is 0 the result is the plate's own bits, where it is full the character's.
    """
    _check_alike(plate, character)
    coverage = character[..., 3]
    top = top_code(character)
    comp = plate.copy()
    np.copyto(comp, character[..., :3], where=(coverage == top)[..., None])
    soft = _soft(coverage, top)
    matte = coverage.ravel()[soft, None] / top
    front, back = (decode_srgb(image.reshape(-1, image.shape[2])[soft, :3]) for image in (character, plate))
    comp.reshape(-1, 3)[soft] = encode_srgb(front * matte + back * (1 - matte), top)
    return comp


def merge_layers(layers: Iterable[Pixels]) -> Pixels:
    """Merge straight RGBA layers `h w 4`, the rearmost first, into one: as laying each over the plate would look.

    A single layer comes back as it is. The matte of the result is its last channel.
    """
    merged: Pixels | None = None
    for layer in layers:
        merged = layer if merged is None else _merge_two(merged, layer)
    if merged is None:
        raise ValueError("there is no layer to merge")
    return merged


def change_matte_of(hole: NDArray[np.bool_] | Pixels, matte: Pixels) -> Pixels:
    """Say where the comp may differ from the source: all of the filled hole, and the character's coverage.

    hole: `h w`, anything but 0 is hole. matte: `h w`. Of the matte's type, and exactly 0 everywhere else.
    """
    return cast(Pixels, np.where(hole != 0, matte.dtype.type(top_code(matte)), matte))


def _merge_two(back: Pixels, front: Pixels) -> Pixels:
    """Lay straight RGBA over straight RGBA."""
    _check_alike(back, front)
    top = top_code(front)
    over, under = front[..., 3], back[..., 3]
    merged = back.copy()
    np.copyto(merged, front, where=((over == top) | ((over > 0) & (under == 0)))[..., None])
    soft = np.flatnonzero((over > 0) & (over < top) & (under > 0))
    a_front, a_back = (image.reshape(-1, 4)[soft, 3:] / top for image in (front, back))
    light_front, light_back = (decode_srgb(image.reshape(-1, 4)[soft, :3]) for image in (front, back))
    share_back = a_back * (1 - a_front)
    coverage = a_front + share_back
    light = (light_front * a_front + light_back * share_back) / coverage
    merged.reshape(-1, 4)[soft, :3] = encode_srgb(light, top)
    merged.reshape(-1, 4)[soft, 3:] = np.floor(coverage * top + 0.5)
    return merged


def _soft(coverage: Pixels, top: int) -> NDArray[np.intp]:
    return np.flatnonzero((coverage > 0) & (coverage < top))


def _check_alike(back: Pixels, front: Pixels) -> None:
    if back.shape[:2] != front.shape[:2] or back.dtype != front.dtype:
        raise ValueError(f"layers differ: {back.dtype} {back.shape} and {front.dtype} {front.shape}")
