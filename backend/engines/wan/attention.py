# SPDX-License-Identifier: GPL-3.0-or-later
"""Attention, the turning of queries and keys by their place in the clip, and the spans it is computed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from importlib import import_module
from typing import NamedTuple

import torch
from einops import rearrange, repeat
from torch import Tensor
from torch.nn import functional

from ...contract.errors import UnderstudyError

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


class AttentionKernel(StrEnum):
    """Who computes self-attention; the value is the package that an artist may have put beside torch."""

    TORCH = "torch"
    SAGE = "sageattention"
    FLASH = "flash_attn"


class AttentionKernelMissingError(UnderstudyError):
    """The package that was asked to compute attention cannot be imported."""

    hint = "Install it in the Wan engine's Python environment, or choose torch's attention."

    def __init__(self, kernel: AttentionKernel, reason: str) -> None:
        super().__init__(f"The package {kernel} was chosen for attention and cannot be loaded: {reason}.")
        self.kernel, self.reason = kernel, reason


def attend(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Let torch choose the kernel."""
    return functional.scaled_dot_product_attention(queries, keys, values)


def attend_by(kernel: AttentionKernel) -> Attend:
    """Give what computes self-attention. Raises AttentionKernelMissingError.

    Sage rounds queries and keys to 8 bits, so its results are other results; both packages take 16-bit numbers only.
    """
    if kernel is AttentionKernel.TORCH:
        return attend
    try:
        package = import_module(kernel)
    except (ImportError, OSError) as error:
        raise AttentionKernelMissingError(kernel, str(error)) from error

    def by_sage(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        seen: Tensor = package.sageattn(queries, keys, values, tensor_layout="HND")
        return seen

    def by_flash(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        seen: Tensor = package.flash_attn_func(*(rearrange(x, "b n s d -> b s n d") for x in (queries, keys, values)))
        return rearrange(seen, "b s n d -> b n s d")

    return by_sage if kernel is AttentionKernel.SAGE else by_flash


def spans(length: int, at_most: int) -> Iterator[slice]:
    """Cut `length` items into consecutive slices of at most `at_most`."""
    return (slice(first, min(first + at_most, length)) for first in range(0, length, at_most))


def rotation(frames: int, height: int, width: int, head_dim: int, device: torch.device) -> Rotation:
    """Say how each token of a grid turns, in the order `(f h w)`. Su 2021, in three axes.

    A head's channels are shared out in the order time, height, width; height and width get twice a sixth of them
    each, time the rest. Every axis has its own frequencies. Angles are float64, so they are made on the CPU: not every
    device has such numbers.
    """
    share = 2 * (head_dim // 6)
    axes = [
        _angles(length, channels)
        for length, channels in ((frames, head_dim - 2 * share), (height, share), (width, share))
    ]
    cos, sin = (_table(*(turn(angles).float().to(device) for angles in axes)) for turn in (torch.cos, torch.sin))
    return Rotation(cos, sin)


def rotated(x: Tensor, by: Rotation) -> Tensor:
    """Turn neighbouring channels of `s n d` as real and imaginary part; computed in float32, type and shape stay."""
    numbers = torch.view_as_complex(rearrange(x.float(), "s n (d two) -> s n d two", two=2))
    turned = torch.view_as_real(numbers * rearrange(torch.complex(by.cos, by.sin), "s d -> s 1 d"))
    return rearrange(turned, "s n d two -> s n (d two)").to(x.dtype)


def _angles(length: int, channels: int) -> Tensor:
    places, exponents = (torch.arange(0, *to, dtype=torch.float64, device="cpu") for to in ((length,), (channels, 2)))
    return torch.outer(places, ROTARY_BASE ** -(exponents / channels))


def _table(f: Tensor, h: Tensor, w: Tensor) -> Tensor:
    """Lay what the places on three axes have out for each token of the grid."""
    frames, height, width = len(f), len(h), len(w)
    return torch.cat(
        [
            repeat(f, "f d -> (f h w) d", h=height, w=width),
            repeat(h, "h d -> (f h w) d", f=frames, w=width),
            repeat(w, "w d -> (f h w) d", f=frames, h=height),
        ],
        dim=-1,
    )
