# SPDX-License-Identifier: GPL-3.0-or-later
"""Tensors packed by llama.cpp's quantisation, unpacked on whichever device they lie.

The `gguf` package unpacks them too, on the CPU alone, and the tests hold this against it. A row is a run of blocks;
each block has one or two scales in half precision and the small integers of its 32 or 256 numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import gguf
import torch
from torch import Tensor

PackedType = gguf.GGMLQuantizationType

WHOLE: dict[PackedType, torch.dtype] = {
    PackedType.F32: torch.float32,
    PackedType.F16: torch.float16,
    PackedType.BF16: torch.bfloat16,
}
"""Types that are not packed at all."""

SLAB_NUMBERS = 1 << 20
CARD_SLAB_NUMBERS = 1 << 22
"""How many numbers are decoded at once: on a graphics card more, because there every slab costs its launches."""

_SUPERBLOCK = 256
"""Numbers in a block of the K types."""


def unpack(packed: Tensor, kind: PackedType, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """Give the numbers of packed bytes, on their device; computed in float32, a slab at a time.

    packed: uint8 of any shape. Types that have no unpacking here go through the CPU.
    """
    block_size, block_bytes = gguf.GGML_QUANT_SIZES[kind]
    blocks = packed.reshape(-1, block_bytes)
    numbers = torch.empty(len(blocks), block_size, dtype=dtype, device=packed.device)
    unpacked = _UNPACKED[kind] if kind in _UNPACKED else partial(_by_the_library, kind)
    step = slab_numbers(packed.device) // block_size
    for first in range(0, len(blocks), step):
        numbers[first : first + step] = unpacked(blocks[first : first + step])
    return numbers.reshape(shape)


def slab_numbers(device: torch.device) -> int:
    """Say how many numbers are decoded at once."""
    return SLAB_NUMBERS if device.type == "cpu" else CARD_SLAB_NUMBERS


def slab_bytes(count: int) -> int:
    """Say what decoding so many numbers takes for a while: values, scales and products in float32, and integers."""
    return 16 * min(count, CARD_SLAB_NUMBERS)


def _by_the_library(kind: PackedType, blocks: Tensor) -> Tensor:
    return torch.from_numpy(gguf.dequantize(blocks.cpu().numpy(), kind)).to(blocks.device)


def _half(blocks: Tensor, first: int) -> Tensor:
    """Read a half-precision number from two bytes of every block, as a float32 column."""
    return blocks[:, first : first + 2].contiguous().view(torch.float16).to(torch.float32)


def _nibbles(bytes_: Tensor) -> Tensor:
    """Split `n g b` bytes into `n g 2 b`: the low half bytes, then the high ones."""
    return torch.stack((bytes_ & 15, bytes_ >> 4), dim=-2)


def _q8_0(blocks: Tensor) -> Tensor:
    return _half(blocks, 0) * blocks[:, 2:].contiguous().view(torch.int8).to(torch.float32)


def _q4_0(blocks: Tensor) -> Tensor:
    values = _nibbles(blocks[:, None, 2:]).reshape(len(blocks), 32)
    return _half(blocks, 0) * (values.to(torch.float32) - 8)


def _scales_and_minima(packed: Tensor) -> tuple[Tensor, Tensor]:
    """Read the eight 6-bit scales and the eight 6-bit minima of a block from 12 bytes.

    The first four of each are the low bits of bytes 0..3 and 4..7. Of the last four, the low halves are in bytes
    8..11 and the upper two bits are the upper two of bytes 0..7.
    """
    low, high, both = packed[:, 0:4], packed[:, 4:8], packed[:, 8:12]
    scales = torch.cat((low & 63, (both & 15) | ((low >> 6) << 4)), dim=1)
    minima = torch.cat((high & 63, (both >> 4) | ((high >> 6) << 4)), dim=1)
    return scales.to(torch.float32), minima.to(torch.float32)


def _scaled(blocks: Tensor, values: Tensor) -> Tensor:
    """Scale `n 8 32` values of a Q4_K or Q5_K block, whose first 16 bytes hold the scales."""
    scales, minima = _scales_and_minima(blocks[:, 4:16])
    scale, minimum = _half(blocks, 0) * scales, _half(blocks, 2) * minima
    return (scale[..., None] * values.to(torch.float32) - minimum[..., None]).reshape(len(blocks), _SUPERBLOCK)


def _q4_k(blocks: Tensor) -> Tensor:
    values = _nibbles(blocks[:, 16:144].reshape(-1, 4, 32)).reshape(-1, 8, 32)
    return _scaled(blocks, values)


def _q5_k(blocks: Tensor) -> Tensor:
    low = _nibbles(blocks[:, 48:176].reshape(-1, 4, 32)).reshape(-1, 8, 32)
    places = torch.arange(8, device=blocks.device, dtype=torch.uint8)
    fifth = (blocks[:, None, 16:48] >> places[None, :, None]) & 1
    return _scaled(blocks, low | (fifth << 4))


def _q6_k(blocks: Tensor) -> Tensor:
    low = _nibbles(blocks[:, 0:128].reshape(-1, 2, 64)).reshape(-1, 2, 4, 32)
    places = torch.arange(0, 8, 2, device=blocks.device, dtype=torch.uint8)
    upper = (blocks[:, 128:192].reshape(-1, 2, 1, 32) >> places[None, None, :, None]) & 3
    values = (low | (upper << 4)).to(torch.float32) - 32
    scales = _half(blocks, 208) * blocks[:, 192:208].contiguous().view(torch.int8).to(torch.float32)
    return (scales[..., None] * values.reshape(-1, 16, 16)).reshape(len(blocks), _SUPERBLOCK)


_UNPACKED: dict[PackedType, Callable[[Tensor], Tensor]] = {
    PackedType.Q4_0: _q4_0,
    PackedType.Q8_0: _q8_0,
    PackedType.Q4_K: _q4_k,
    PackedType.Q5_K: _q5_k,
    PackedType.Q6_K: _q6_k,
}
