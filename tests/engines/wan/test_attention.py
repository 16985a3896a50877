# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotary places against diffusers, and the packages that may compute attention, each played by torch."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from backend.engines.wan.attention import (
    AttentionKernel,
    AttentionKernelMissingError,
    attend,
    attend_by,
    rotated,
    rotation,
    spans,
)

from .peer_transformer import TINY, inputs, peer, relative_error, tiny_weights, transformer, velocity


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def sage(queries: Tensor, keys: Tensor, values: Tensor, tensor_layout: str = "HND", is_causal: bool = False) -> Tensor:
    """What sageattention documents: heads before tokens in this layout."""
    assert tensor_layout == "HND"
    return scaled_dot_product_attention(queries, keys, values, is_causal=is_causal)


def flash(queries: Tensor, keys: Tensor, values: Tensor, causal: bool = False) -> Tensor:
    """What flash_attn documents: tokens before heads."""
    q, k, v = (x.transpose(1, 2) for x in (queries, keys, values))
    return scaled_dot_product_attention(q, k, v, is_causal=causal).transpose(1, 2)


PACKAGES = {
    AttentionKernel.SAGE: SimpleNamespace(sageattn=sage),
    AttentionKernel.FLASH: SimpleNamespace(flash_attn_func=flash),
}


@pytest.mark.parametrize("kernel", PACKAGES)
def test_a_package_that_was_asked_for_computes_self_attention(
    kernel: AttentionKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, kernel, PACKAGES[kernel])
    ours, given = transformer(tiny_weights(0)), inputs(0)
    known = velocity(ours, given, 500)
    chosen, shapes = attend_by(kernel), []

    def noted(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        shapes.append(tuple(queries.shape))
        return chosen(queries, keys, values)

    ours.attend = noted
    assert relative_error(velocity(ours, given, 500), known) < 1e-5
    assert shapes == [(1, TINY.heads, 3 * 4 * 6, TINY.head_dim)] * TINY.layers


@pytest.mark.parametrize("kernel", PACKAGES)
def test_a_package_that_is_not_there_is_named(kernel: AttentionKernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, kernel, None)
    with pytest.raises(AttentionKernelMissingError, match=kernel):
        attend_by(kernel)


def test_torch_computes_attention_unless_another_is_asked_for() -> None:
    assert attend_by(AttentionKernel.TORCH) is attend
    assert transformer(tiny_weights(0)).attend is attend


@pytest.mark.parametrize("head_dim", [32, 128])
def test_queries_turn_as_they_do_in_diffusers(head_dim: int) -> None:
    frames, height, width = 3, 4, 6
    by = rotation(frames, height, width, head_dim, torch.device("cpu"))
    config = replace(TINY, dim=TINY.heads * head_dim)
    cos, sin = peer(tiny_weights(0, config), config).rope(torch.empty(1, 36, frames, 2 * height, 2 * width))
    for ours, theirs in ((by.cos, cos), (by.sin, sin)):
        every_pair_twice = theirs.reshape(frames * height * width, head_dim).float()
        assert torch.equal(ours.repeat_interleave(2, dim=-1), every_pair_twice)


def test_turned_channels_are_complex_numbers_times_a_phase() -> None:
    by = rotation(2, 3, 4, 32, torch.device("cpu"))
    x = drawn(2 * 3 * 4, 5, 32)
    phases = torch.polar(torch.ones_like(by.cos), torch.atan2(by.sin, by.cos))
    turned = torch.view_as_real(torch.view_as_complex(x.reshape(24, 5, 16, 2)) * phases[:, None]).reshape(24, 5, 32)
    assert relative_error(rotated(x, by), turned) < 1e-6
    assert torch.equal(rotated(x, by)[0], x[0])


@pytest.mark.parametrize(("length", "at_most"), [(10, 3), (9, 3), (1, 5), (0, 5)])
def test_spans_cover_everything_once(length: int, at_most: int) -> None:
    cut = list(spans(length, at_most))
    assert [item for span in cut for item in range(length)[span]] == list(range(length))
    assert all(0 < span.stop - span.start <= at_most for span in cut)
