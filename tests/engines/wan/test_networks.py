# SPDX-License-Identifier: GPL-3.0-or-later
"""A network filled from another program's folder computes what that program computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKLWan
from transformers import CLIPVisionConfig, CLIPVisionModel, CLIPVisionModelWithProjection, UMT5Config, UMT5EncoderModel

from backend.engines.wan.keys import DitSizes, ImageSizes, Kind, TextSizes, VaeSizes
from backend.engines.wan.networks import (
    transformer_config,
    unfilled_image_encoder,
    unfilled_text_encoder,
    unfilled_transformer,
    unfilled_vae,
)
from backend.engines.wan.transformer import TransformerConfig
from backend.engines.wan.weights import open_checkpoint

from .checkpoints import TINY as SMALL
from .peer_transformer import TINY, inputs, peer, peer_velocity, relative_error, tiny_weights, velocity


def test_a_folder_that_diffusers_wrote_goes_where_diffusers_goes(tmp_path: Path) -> None:
    theirs, given = peer(tiny_weights(4)), inputs(4)
    theirs.save_pretrained(tmp_path / "transformer", max_shard_size="1MB")
    opened = open_checkpoint(tmp_path, Kind.DIT)
    assert len(opened.files) > 1
    assert isinstance(opened.sizes, DitSizes)
    ours = unfilled_transformer(opened.sizes)
    opened.load_into(ours, torch.float32)
    assert relative_error(velocity(ours, given, 613), peer_velocity(theirs, given, 613)) <= 1e-5


def test_the_sizes_of_a_checkpoint_are_those_of_its_network() -> None:
    assert transformer_config(DitSizes()) == TransformerConfig()
    sizes = DitSizes(
        dim=64,
        ffn_dim=160,
        layers=10,
        head_dim=32,
        text_dim=24,
        image_dim=40,
        face_dim=32,
        motion_dim=6,
        motion_channels=(8, 12, 16),
    )
    assert transformer_config(sizes) == TINY


def test_a_text_encoder_that_transformers_wrote_says_what_it_says_there(tmp_path: Path) -> None:
    torch.manual_seed(0)
    theirs: Any = UMT5EncoderModel(
        UMT5Config(vocab_size=300, d_model=64, d_kv=16, d_ff=128, num_layers=3, num_heads=4)
    ).eval()
    theirs.save_pretrained(tmp_path / "text_encoder")
    opened = open_checkpoint(tmp_path, Kind.TEXT)
    assert isinstance(opened.sizes, TextSizes)
    ours = unfilled_text_encoder(opened.sizes)
    opened.load_into(ours, torch.float32)
    ids, mask = torch.zeros(512, dtype=torch.long), (torch.arange(512) < 7).long()
    ids[:7] = torch.tensor([5, 9, 33, 120, 7, 8, 1])
    with torch.inference_mode():
        truth = theirs(input_ids=ids[None], attention_mask=mask[None]).last_hidden_state[0, :7]
        assert relative_error(ours(ids, mask), truth) <= 1e-5


@pytest.mark.parametrize("model", [CLIPVisionModelWithProjection, CLIPVisionModel])
def test_an_image_encoder_that_transformers_wrote_sees_what_it_sees_there(model: Any, tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = CLIPVisionConfig(
        hidden_size=160,
        intermediate_size=640,
        num_hidden_layers=3,
        num_attention_heads=2,
        patch_size=14,
        hidden_act="gelu",
    )
    theirs = model(config).eval()
    theirs.save_pretrained(tmp_path / "image_encoder")
    opened = open_checkpoint(tmp_path, Kind.IMAGE)
    assert isinstance(opened.sizes, ImageSizes)
    ours = unfilled_image_encoder(opened.sizes)
    opened.load_into(ours, torch.float32)
    pixels = torch.randn(3, 224, 224)
    with torch.inference_mode():
        truth = theirs(pixel_values=pixels[None], output_hidden_states=True).hidden_states[-2][0]
        assert relative_error(ours(pixels), truth) <= 1e-5


def test_a_vae_that_diffusers_wrote_encodes_and_decodes_as_there(tmp_path: Path) -> None:
    torch.manual_seed(0)
    theirs: Any = AutoencoderKLWan(base_dim=16, z_dim=16)
    theirs.eval()
    theirs.save_pretrained(tmp_path / "vae")
    opened = open_checkpoint(tmp_path, Kind.VAE)
    assert isinstance(opened.sizes, VaeSizes)
    ours = unfilled_vae(opened.sizes)
    opened.load_into(ours, torch.float32)
    mean, spread = (torch.tensor(numbers)[:, None, None, None] for numbers in (ours.config.mean, ours.config.std))
    frames = torch.rand(3, 5, 32, 32) * 2 - 1
    with torch.inference_mode():
        latents = ours.encode(frames)
        truth = (theirs.encode(frames[None]).latent_dist.mean[0] - mean) / spread
        assert relative_error(latents, truth) <= 1e-5
        decoded = theirs.decode((latents * spread + mean)[None]).sample[0].clamp(-1, 1)
        assert relative_error(ours.decode(latents), decoded) <= 1e-5


def test_every_network_has_the_keys_and_shapes_of_its_table() -> None:
    for kind, made in (
        (Kind.VAE, unfilled_vae),
        (Kind.TEXT, unfilled_text_encoder),
        (Kind.IMAGE, unfilled_image_encoder),
    ):
        for sizes in (type(SMALL[kind])(), SMALL[kind]):
            network: Any = made
            own = {key: tuple(value.shape) for key, value in network(sizes).state_dict().items()}
            assert own == sizes.table()
