# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks made as large as a checkpoint says, on the meta device, where they take nothing until weights are put in."""

from __future__ import annotations

import math

import torch

from .face import FaceConfig
from .image import ImageConfig, ImageEncoder
from .keys import ADAPTER_EVERY, DitSizes, ImageSizes, TextSizes, VaeSizes
from .text import TextConfig, TextEncoder
from .tiny_vae import TinyVae
from .transformer import Transformer, TransformerConfig
from .vae import Vae, VaeConfig


def unfilled_transformer(sizes: DitSizes) -> Transformer:
    """Make a transformer without weights."""
    with torch.device("meta"):
        return Transformer(transformer_config(sizes))


def transformer_config(sizes: DitSizes) -> TransformerConfig:
    """Say a checkpoint's sizes as the transformer's own."""
    return TransformerConfig(
        dim=sizes.dim,
        ffn_dim=sizes.ffn_dim,
        heads=sizes.heads,
        layers=sizes.layers,
        latent_channels=sizes.out_dim,
        condition_channels=sizes.in_dim - sizes.out_dim,
        text_dim=sizes.text_dim,
        image_dim=sizes.image_dim,
        frequency_dim=sizes.freq_dim,
        adapter_every=ADAPTER_EVERY,
        face=FaceConfig(
            channels=sizes.motion_channels,
            motion_dim=sizes.motion_channels[-1],
            directions=sizes.motion_dim,
            hidden_dim=sizes.face_dim,
            local_tokens=sizes.face_heads,
        ),
    )


def unfilled_vae(sizes: VaeSizes) -> Vae:
    """Make a video VAE without weights."""
    with torch.device("meta"):
        return Vae(VaeConfig(dim=sizes.dim))


def unfilled_tiny_vae() -> TinyVae:
    """Make the tiny VAE, which comes in one size, without weights."""
    with torch.device("meta"):
        return TinyVae()


def unfilled_text_encoder(sizes: TextSizes) -> TextEncoder:
    """Make a text encoder without weights."""
    config = TextConfig(
        vocabulary=sizes.vocab,
        dim=sizes.dim,
        dim_attention=sizes.dim_attn,
        dim_ffn=sizes.ffn_dim,
        heads=sizes.heads,
        layers=sizes.layers,
        buckets=sizes.buckets,
    )
    with torch.device("meta"):
        return TextEncoder(config)


def unfilled_image_encoder(sizes: ImageSizes) -> ImageEncoder:
    """Make an image encoder without weights."""
    config = ImageConfig(
        size_px=sizes.patch_px * math.isqrt(sizes.tokens - 1),
        patch_px=sizes.patch_px,
        dim=sizes.dim,
        heads=sizes.dim // sizes.head_dim,
        layers=sizes.layers,
        mlp_ratio=sizes.ffn_dim // sizes.dim,
        dim_projected=sizes.out_dim,
    )
    with torch.device("meta"):
        return ImageEncoder(config)
