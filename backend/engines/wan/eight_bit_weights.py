# SPDX-License-Identifier: GPL-3.0-or-later
"""Which weights of an fp8 file are multiplied as they are, and what lies beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from .eight_bit import EIGHT_BIT, MULTIPLE, EightBitUnavailableError
from .lora import Lora, Term, adapted, fitted_terms
from .memory import Part
from .stored import Stored, joined, plain
from .weights import Checkpoint

_IN_EVERY_STEP = re.compile(r"blocks\.\d+\.(self_attn\.[qkvo]|cross_attn\.[qo]|ffn\.[02])\.weight")
"""The large matrices of the blocks. What is used once a job or a window is decoded and loses nothing."""

_BESIDE = ("weight_scale", "lora_down", "lora_up")


def in_eight_bits(checkpoint: Checkpoint, loras: Sequence[tuple[Lora, float]]) -> Checkpoint:
    """Give a checkpoint with LoRAs whose eight-bit block matrices are used as they lie in the file.

    What LoRAs add to these stays apart, beside them, so that no weight is rounded a second time; a weight that a LoRA
    changes otherwise than by factors is decoded. Raises LoraUnfitError, EightBitUnavailableError.
    """
    pairs = {key: _numbers_and_scale(key, stored) for key, stored in checkpoint.tensors.items()}
    if not any(pairs.values()):
        raise EightBitUnavailableError(f"the transformer's file holds {checkpoint.form}")
    terms = fitted_terms(checkpoint, loras)
    tensors: dict[str, Stored] = {}
    for key, stored in checkpoint.tensors.items():
        own = terms.get(key, ())
        pair = pairs[key]
        if pair is None or not all(_is_product(term, stored) for term in own):
            tensors[key] = adapted(stored, own) if own else stored
        else:
            tensors |= _apart(key, *pair, own)
    return replace(checkpoint, tensors=tensors)


def with_beside(part: Part, tensors: Mapping[str, Stored]) -> Part:
    """Add to a part what lies beside its weights."""
    modules = (key.removesuffix("weight") for key in part.keys if key.endswith(".weight"))
    beside = (module + name for module in modules for name in _BESIDE if module + name in tensors)
    return replace(part, keys=(*part.keys, *beside))


def _numbers_and_scale(key: str, stored: Stored) -> tuple[Stored, Stored] | None:
    """Take a weight apart, where it is a block's and lies there in eight bits that can be multiplied."""
    if not _IN_EVERY_STEP.fullmatch(key) or any(length % MULTIPLE for length in stored.shape):
        return None
    numbers, scale = stored.numbers_and_scale or (stored, plain((1,), torch.float32, lambda: torch.ones(1)))
    return (numbers, scale) if numbers.dtype is EIGHT_BIT else None


def _is_product(term: Term, stored: Stored) -> bool:
    """Say whether a LoRA changes the whole of a matrix by the product of two."""
    is_whole = term.rows == slice(0, stored.shape[0])
    return is_whole and len(term.factors) == 2 and all(len(factor.shape) == 2 for factor in term.factors)


def _apart(key: str, numbers: Stored, scale: Stored, terms: Sequence[Term]) -> dict[str, Stored]:
    module = key.removesuffix("weight")
    beside = {
        key: replace(numbers, decode=lambda parts, _: parts[0], is_kept=True),
        f"{module}weight_scale": replace(scale, decode=lambda parts, _: parts[0].to(torch.float32).flatten()),
    }
    if terms:
        beside[f"{module}lora_down"] = joined([term.factors[1] for term in terms])
        beside[f"{module}lora_up"] = _ups(terms)
    return beside


def _ups(terms: Sequence[Term]) -> Stored:
    """Put the factors B, each at its strength, beside each other: `out r` for the ranks of all."""
    factors = [term.factors[0] for term in terms]

    def decode(parts: Sequence[Tensor], dtype: torch.dtype) -> Tensor:
        rest = iter(parts)
        numbers = [factor.decode([next(rest) for _ in factor.reads], torch.float32) for factor in factors]
        scaled = [each * term.factor for each, term in zip(numbers, terms, strict=True)]
        return torch.cat(scaled, dim=1).to(dtype)

    shape = factors[0].shape[0], sum(factor.shape[1] for factor in factors)
    return Stored(
        shape=shape,
        nbytes=sum(factor.nbytes for factor in factors),
        form=factors[0].form,
        dtype=None,
        reads=tuple(read for factor in factors for read in factor.reads),
        decode=decode,
        transient_bytes=max(factor.transient_bytes for factor in factors) + 12 * shape[0] * shape[1],
    )
