# SPDX-License-Identifier: GPL-3.0-or-later
"""Attention, the turning of queries and keys by their place in the clip, and the spans it is computed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from einops import rearrange, repeat
from torch import Tensor
from torch.nn import functional

ROTARY_BASE = 10_000.0

Attend = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Queries `b n s d`, keys and values `b n k d` of n heads to `b n s d`: softmax of the scaled products, no mask."""


class KeysValues(NamedTuple):
    """What attention looks at: keys and values `b n k d` of n heads."""

    keys: Tensor
    values: Tensor


class Rotation(NamedTuple):
    """Cosine and sine by which each pair of a head's channels turns: `s d/2` of float32."""

    cos: Tensor
    sin: Tensor


def attend(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Let torch choose the kernel."""
    return functional.scaled_dot_product_attention(queries, keys, values)


def spans(length: int, at_most: int) -> Iterator[slice]:
    """Cut `length` items into consecutive slices of at most `at_most`."""
    return (slice(first, min(first + at_most, length)) for first in range(0, length, at_most))


def rotation(frames: int, height: int, width: int, head_dim: int, device: torch.device) -> Rotation:
    """Say how each token of a grid turns, in the order `(f h w)`. Su 2021, in three axes.

    A head's channels are shared out in the order time, height, width; height and width get twice a sixth of them
    each, time the rest. Every axis has its own frequencies, made in float64.
    """
    share = 2 * (head_dim // 6)
    f, h, w = (
        _angles(length, channels, device)
        for length, channels in ((frames, head_dim - 2 * share), (height, share), (width, share))
    )
    angles = torch.cat(
        [
            repeat(f, "f d -> (f h w) d", h=height, w=width),
            repeat(h, "h d -> (f h w) d", f=frames, w=width),
            repeat(w, "w d -> (f h w) d", f=frames, h=height),
        ],
        dim=-1,
    )
    return Rotation(angles.cos().float(), angles.sin().float())


def rotated(x: Tensor, by: Rotation) -> Tensor:
    """Turn neighbouring channels of `s n d` as real and imaginary part; computed in float32, type and shape stay."""
    real, imaginary = rearrange(x.float(), "s n (d two) -> two s n d", two=2)
    cos, sin = (rearrange(table, "s d -> s 1 d") for table in by)
    turned = torch.stack([real * cos - imaginary * sin, real * sin + imaginary * cos])
    return rearrange(turned, "two s n d -> s n (d two)").to(x.dtype)


def _angles(length: int, channels: int, device: torch.device) -> Tensor:
    exponents = torch.arange(0, channels, 2, dtype=torch.float64, device=device) / channels
    return torch.outer(torch.arange(length, dtype=torch.float64, device=device), ROTARY_BASE**-exponents)
