# SPDX-License-Identifier: GPL-3.0-or-later
"""The VAE, text encoder and image encoder as `diffusers` and `transformers` have them, given the weights of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from diffusers import AutoencoderKLWan
from torch import Tensor, nn
from transformers import CLIPVisionConfig, CLIPVisionModel, UMT5Config, UMT5EncoderModel

from backend.engines.wan.image import ImageConfig
from backend.engines.wan.text import TextConfig
from backend.engines.wan.vae import VaeConfig

from .vectors import weight

_VAE = (
    (r"^conv1\.", "quant_conv."),
    (r"^conv2\.", "post_quant_conv."),
    (r"\.conv1\.", ".conv_in."),
    (r"\.head\.0\.", ".norm_out."),
    (r"\.head\.2\.", ".conv_out."),
    (r"\.middle\.0\.", ".mid_block.resnets.0."),
    (r"\.middle\.1\.", ".mid_block.attentions.0."),
    (r"\.middle\.2\.", ".mid_block.resnets.1."),
    (r"residual\.0\.", "norm1."),
    (r"residual\.2\.", "conv1."),
    (r"residual\.3\.", "norm2."),
    (r"residual\.6\.", "conv2."),
    (r"shortcut", "conv_shortcut"),
    (r"downsamples", "down_blocks"),
)
_TEXT = (
    (r"^token_embedding", "shared"),
    (r"^norm\.", "encoder.final_layer_norm."),
    (r"^blocks\.", "encoder.block."),
    (r"\.norm1\.", ".layer.0.layer_norm."),
    (r"\.norm2\.", ".layer.1.layer_norm."),
    (r"\.attn\.", ".layer.0.SelfAttention."),
    (r"\.pos_embedding\.embedding\.", ".layer.0.SelfAttention.relative_attention_bias."),
    (r"\.ffn\.gate\.0\.", ".layer.1.DenseReluDense.wi_0."),
    (r"\.ffn\.fc1\.", ".layer.1.DenseReluDense.wi_1."),
    (r"\.ffn\.fc2\.", ".layer.1.DenseReluDense.wo."),
)
_IMAGE = (
    (r"^visual\.", ""),
    (r"^cls_embedding", "embeddings.class_embedding"),
    (r"^pos_embedding", "embeddings.position_embedding.weight"),
    (r"^patch_embedding", "embeddings.patch_embedding"),
    (r"^pre_norm", "pre_layrnorm"),
    (r"^post_norm", "post_layernorm"),
    (r"^transformer\.", "encoder.layers."),
    (r"\.norm(\d)\.", r".layer_norm\1."),
    (r"\.attn\.proj\.", ".self_attn.out_proj."),
    (r"\.mlp\.0\.", ".mlp.fc1."),
    (r"\.mlp\.2\.", ".mlp.fc2."),
)


def draw(model: nn.Module, seed: int) -> dict[str, Tensor]:
    """Give a model random weights, by key as in the golden cases; return them."""
    drawn = {key: weight(seed, key, tuple(value.shape)) for key, value in model.state_dict().items()}
    model.load_state_dict(drawn)
    return drawn


def peer_vae(config: VaeConfig, weights: Mapping[str, Tensor]) -> Any:
    peer: Any = AutoencoderKLWan(
        base_dim=config.dim,
        dim_mult=list(config.multipliers),
        num_res_blocks=config.blocks,
        temperal_downsample=list(config.halves_time),
    )
    peer.eval()
    peer.load_state_dict({_upsampled(_renamed(key, _VAE), config): value for key, value in weights.items()})
    return peer


def peer_encode(peer: Any, config: VaeConfig, frames: Tensor) -> Tensor:
    """The normalised mean, `16 f h w`."""
    with torch.inference_mode():
        mean = peer.encode(frames[None].to(peer.dtype)).latent_dist.mode()[0].float()
    return (mean - _column(config.mean)) / _column(config.std)


def peer_decode(peer: Any, config: VaeConfig, latents: Tensor) -> Tensor:
    """Frames `3 t h w`."""
    with torch.inference_mode():
        entered = latents * _column(config.std) + _column(config.mean)
        frames: Tensor = peer.decode(entered[None].to(peer.dtype)).sample[0].float()
    return frames.clamp(-1, 1)


def peer_text(config: TextConfig, weights: Mapping[str, Tensor]) -> UMT5EncoderModel:
    peer = UMT5EncoderModel(
        UMT5Config(
            vocab_size=config.vocabulary,
            d_model=config.dim,
            d_kv=config.dim_attention // config.heads,
            d_ff=config.dim_ffn,
            num_layers=config.layers,
            num_heads=config.heads,
            dropout_rate=0.0,
            feed_forward_proj="gated-gelu",
        )
    ).eval()
    renamed = {_renamed(key, _TEXT): value for key, value in weights.items()}
    peer.load_state_dict(renamed | {"encoder.embed_tokens.weight": renamed["shared.weight"]})
    return peer


def peer_image(config: ImageConfig, weights: Mapping[str, Tensor]) -> CLIPVisionModel:
    peer = CLIPVisionModel(
        CLIPVisionConfig(
            hidden_size=config.dim,
            intermediate_size=config.dim * config.mlp_ratio,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            image_size=config.size_px,
            patch_size=config.patch_px,
            hidden_act="gelu",
            layer_norm_eps=1e-5,
        )
    ).eval()
    renamed: dict[str, Tensor] = {}
    for key, value in weights.items():
        name = _renamed(key, _IMAGE)
        if ".to_qkv." in name:
            for part, third in zip("qkv", value.chunk(3), strict=True):
                renamed[name.replace("attn.to_qkv", f"self_attn.{part}_proj")] = third
        elif name != "head":
            renamed[name] = value.reshape(peer.state_dict()[name].shape)
    peer.load_state_dict(renamed)
    return peer


def _renamed(key: str, rules: tuple[tuple[str, str], ...]) -> str:
    for pattern, replacement in rules:
        key = re.sub(pattern, replacement, key)
    return key


def _upsampled(key: str, config: VaeConfig) -> str:
    """The decoder's layers, counted through in ours, are counted by level in the peer."""

    def level(match: re.Match[str]) -> str:
        index, within = divmod(int(match[1]), config.blocks + 2)
        return f"up_blocks.{index}." + ("upsamplers.0." if within == config.blocks + 1 else f"resnets.{within}.")

    return re.sub(r"upsamples\.(\d+)\.", level, key)


def _column(values: tuple[float, ...]) -> Tensor:
    return torch.tensor(values)[:, None, None, None]
