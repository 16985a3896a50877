# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of keys against the published counts and against the keys of the official code's own small models."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKLWan, WanAnimateTransformer3DModel
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection, UMT5Config, UMT5EncoderModel

from backend.engines.wan.keys import DitSizes, ImageSizes, Kind, Sizes, TextSizes, VaeSizes, measure
from backend.engines.wan.naming import places
from backend.engines.wan.networks import unfilled_transformer

from .checkpoints import TINY

REAL: dict[Kind, tuple[Sizes, int, int]] = {
    Kind.DIT: (DitSizes(), 1441, 17_274_817_108),
    Kind.VAE: (VaeSizes(), 194, 126_892_531),
    Kind.TEXT: (TextSizes(), 242, 5_680_910_336),
    Kind.IMAGE: (ImageSizes(), 392, 632_076_800),
}
"""Sizes, tensors and parameters of the released files."""


@pytest.mark.parametrize("kind", REAL)
def test_the_full_size_tables_have_the_released_counts(kind: Kind) -> None:
    sizes, tensors, parameters = REAL[kind]
    table = sizes.table()
    assert len(table) == tensors
    assert sum(math.prod(shape) for shape in table.values()) == parameters


@pytest.mark.parametrize("kind", REAL)
def test_sizes_are_read_off_the_shapes(kind: Kind) -> None:
    for sizes in (REAL[kind][0], TINY[kind]):
        assert measure(kind, sizes.table()) == sizes


@pytest.mark.parametrize("kind", REAL)
def test_one_misshapen_tensor_does_not_change_the_sizes(kind: Kind) -> None:
    sizes = REAL[kind][0]
    for key in ("blocks.3.self_attn.q.weight", "blocks.3.attn.q.weight", "visual.transformer.3.norm1.weight"):
        table = sizes.table()
        if key in table:
            table[key] = (7, *table[key][1:])
            assert measure(kind, table) == sizes


def peer(kind: Kind) -> Any:
    """Make another implementation's full-size model."""
    match kind:
        case Kind.DIT:
            return WanAnimateTransformer3DModel(image_dim=1280, added_kv_proj_dim=5120)
        case Kind.VAE:
            return AutoencoderKLWan()
        case Kind.TEXT:
            text = UMT5Config(vocab_size=256384, d_model=4096, d_kv=64, d_ff=10240, num_layers=24, num_heads=64)
            return UMT5EncoderModel(text)
        case Kind.IMAGE:
            image = CLIPVisionConfig(
                hidden_size=1280,
                intermediate_size=5120,
                num_hidden_layers=32,
                num_attention_heads=16,
                patch_size=14,
                projection_dim=1024,
            )
            return CLIPVisionModelWithProjection(image)


@pytest.mark.parametrize("kind", REAL)
def test_every_tensor_of_the_other_implementation_has_its_place_and_its_size(kind: Kind) -> None:
    table = {key: shape for key, shape in REAL[kind][0].table().items() if not key.endswith(".kernel")}
    with torch.device("meta"):  # takes no memory
        theirs = {name: tuple(value.shape) for name, value in peer(kind).state_dict().items()}
    counts = dict.fromkeys(table, 0)
    for name, place in places(kind, theirs).items():
        if place is not None:
            counts[place.key] += math.prod(theirs[name])
    assert counts == {key: math.prod(shape) for key, shape in table.items()}


def test_the_transformer_has_the_keys_and_shapes_of_its_table() -> None:
    for sizes in (DitSizes(), TINY[Kind.DIT]):
        assert isinstance(sizes, DitSizes)
        own = {key: tuple(value.shape) for key, value in unfilled_transformer(sizes).state_dict().items()}
        assert own == sizes.table()
