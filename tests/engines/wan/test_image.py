# SPDX-License-Identifier: GPL-3.0-or-later
"""The image encoder against the official code's numbers and against transformers."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from backend.engines.wan.image import ImageConfig, ImageEncoder

from . import vectors
from .peer_encoders import draw, peer_image

SHORT = ImageConfig(layers=3)
TINY = ImageConfig(size_px=56, dim=32, heads=2, layers=4, dim_projected=16)


def picture(height: int, width: int) -> Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(height)) * 2 - 1


@pytest.mark.parametrize("case", vectors.cases("image/s?"))
def test_the_official_code_encodes_to_the_same(case: str) -> None:
    tensors, facts = vectors.load(case)
    encoder = ImageEncoder(SHORT)
    encoder.load_state_dict(vectors.weights(facts["model"], facts["weight_seed"]))
    pixels = encoder.preprocess(tensors["in.letterboxed"].permute(2, 0, 1) / 127.5 - 1)
    if "mid.preprocessed" in tensors:
        assert (pixels - tensors["mid.preprocessed"][0]).abs().max() <= 2e-6
    features = encoder(pixels)[facts.get("feature_rows", slice(None))]
    official = tensors["out.features"].reshape(features.shape)
    assert (features - official).abs().max() <= 1e-5 * official.abs().max()


def test_a_golden_case_is_there() -> None:
    assert vectors.cases("image/s?")


def test_transformers_encodes_to_the_same() -> None:
    """Its features before the last layer."""
    encoder = ImageEncoder(TINY)
    peer = peer_image(TINY, draw(encoder, seed=5))
    pixels = encoder.preprocess(picture(90, 70))
    with torch.inference_mode():
        theirs = peer(pixels[None], output_hidden_states=True).hidden_states[-2][0]
    ours = encoder(pixels)
    assert ours.shape == (TINY.tokens, TINY.dim)
    assert (ours - theirs).abs().max() <= 1e-5 * theirs.abs().max()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_it_computes_in_the_dtype_of_its_weights(dtype: torch.dtype) -> None:
    encoder = ImageEncoder(TINY)
    draw(encoder, seed=5)
    pixels = encoder.preprocess(picture(90, 70))
    exact, rounded = encoder(pixels), encoder.to(dtype)(pixels)
    assert rounded.dtype == dtype
    assert 0 < (rounded.float() - exact).abs().mean() < 0.03


def test_a_picture_is_squashed_not_cropped() -> None:
    """One whose left half is black and right half is white stays so, whatever its aspect."""
    halves = torch.cat([torch.full((3, 64, 200), -1.0), torch.ones(3, 64, 200)], dim=2)
    pixels = ImageEncoder(TINY).preprocess(halves)
    assert pixels.shape == (3, 56, 56)
    assert (pixels[:, :, :26] < 0).all()
    assert (pixels[:, :, 30:] > 0).all()


def test_the_real_one_has_the_published_size() -> None:
    with torch.device("meta"):
        table = ImageEncoder().state_dict()
    assert len(table) == 392
    assert sum(value.numel() for value in table.values()) == 632_076_800
    assert table["visual.pos_embedding"].shape == (1, 257, 1280)
    assert table["visual.head"].shape == (1280, 1024)
