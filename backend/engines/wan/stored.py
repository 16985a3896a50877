# SPDX-License-Identifier: GPL-3.0-or-later
"""A tensor as it lies in a file, and how its numbers are made from that.

The two are apart so that the small form may travel: whoever streams weights moves `parts()` to the device and
decodes them there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .keys import Shape
from .quantised import PackedType, slab_bytes, slab_numbers, unpack

Read = Callable[[], Tensor]
Decode = Callable[[Sequence[Tensor], torch.dtype], Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A tensor in a file.

    shape: what it decodes to. nbytes: what it takes as it lies there. form: how its numbers are written, in words.
    dtype: torch's own, where it holds plain numbers, else None. reads: give what lies in the file, mapped, on the CPU,
    not to be written into. decode: makes the numbers of these, on their device, in the dtype asked for; what is the
    same already is not copied. transient_bytes: what decoding takes for a while beside what it gives. is_kept: whether
    `decode` gives what lies there, whatever dtype is asked for. numbers_and_scale: what the numbers are made of, where
    they are small ones times a scale.
    """

    shape: Shape
    nbytes: int
    form: str
    dtype: torch.dtype | None
    reads: tuple[Read, ...]
    decode: Decode
    transient_bytes: int = 0
    is_kept: bool = False
    numbers_and_scale: tuple[Stored, Stored] | None = None

    def parts(self) -> tuple[Tensor, ...]:
        """Read what lies in the file, for `decode`."""
        return tuple(read() for read in self.reads)


def plain(shape: Shape, dtype: torch.dtype, read: Read) -> Stored:
    """Describe numbers of one of torch's own types."""
    nbytes = math.prod(shape) * dtype.itemsize
    form = str(dtype).removeprefix("torch.")
    return Stored(
        shape=shape, nbytes=nbytes, form=form, dtype=dtype, reads=(read,), decode=lambda parts, to: parts[0].to(to)
    )


def packed(shape: Shape, kind: PackedType, nbytes: int, read: Read) -> Stored:
    """Describe blocks of llama.cpp's quantisation."""

    def decode(parts: Sequence[Tensor], dtype: torch.dtype) -> Tensor:
        return unpack(parts[0], kind, shape, dtype)

    return Stored(
        shape=shape,
        nbytes=nbytes,
        form=kind.name,
        dtype=None,
        reads=(read,),
        decode=decode,
        transient_bytes=slab_bytes(math.prod(shape)),
    )


def scaled(numbers: Stored, scale: Stored) -> Stored:
    """Describe eight-bit numbers with a scale for all or one for each row; multiplied in float32 and rounded once."""

    def decode(parts: Sequence[Tensor], dtype: torch.dtype) -> Tensor:
        small, factors = parts
        ones = [1] * (small.ndim - 1)
        column = factors.to(torch.float32).reshape(-1, *ones).expand(len(small), *ones)
        scaled_numbers = torch.empty(small.shape, dtype=dtype, device=small.device)
        rows = max(1, slab_numbers(small.device) // max(1, small[0].numel()))
        for first in range(0, len(small), rows):
            some = slice(first, first + rows)
            scaled_numbers[some] = small[some].to(torch.float32).mul_(column[some])
        return scaled_numbers

    return Stored(
        shape=numbers.shape,
        nbytes=numbers.nbytes + scale.nbytes,
        form=f"{numbers.form}, scaled",
        dtype=None,
        reads=numbers.reads + scale.reads,
        decode=decode,
        transient_bytes=slab_bytes(math.prod(numbers.shape)),
        numbers_and_scale=(numbers, scale),
    )


def joined(pieces: Sequence[Stored]) -> Stored:
    """Put tensors under each other, on the first axis."""

    def decode(parts: Sequence[Tensor], dtype: torch.dtype) -> Tensor:
        rest = iter(parts)
        return torch.cat([piece.decode([next(rest) for _ in piece.reads], dtype) for piece in pieces])

    return Stored(
        shape=(sum(piece.shape[0] for piece in pieces), *pieces[0].shape[1:]),
        nbytes=sum(piece.nbytes for piece in pieces),
        form=pieces[0].form,
        dtype=None,
        reads=tuple(read for piece in pieces for read in piece.reads),
        decode=decode,
        transient_bytes=max(piece.transient_bytes for piece in pieces) + max(_float32_bytes(piece) for piece in pieces),
    )


def reshaped(inner: Stored, shape: Shape) -> Stored:
    """See a tensor in another shape of as many numbers."""
    return _changed(inner, shape, lambda tensor: tensor.reshape(shape))


def transposed(inner: Stored) -> Stored:
    """See a matrix that the file holds with its axes exchanged."""
    return _changed(inner, inner.shape[::-1], lambda tensor: tensor.T.contiguous())


def _changed(inner: Stored, shape: Shape, change: Callable[[Tensor], Tensor]) -> Stored:
    return Stored(
        shape=shape,
        nbytes=inner.nbytes,
        form=inner.form,
        dtype=None,
        reads=inner.reads,
        decode=lambda parts, dtype: change(inner.decode(parts, dtype)),
        transient_bytes=inner.transient_bytes + _float32_bytes(inner),
    )


def _float32_bytes(stored: Stored) -> int:
    return 4 * math.prod(stored.shape)
