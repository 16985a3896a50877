# SPDX-License-Identifier: GPL-3.0-or-later
"""A small Wan Animate transformer twice: ours, and the one of diffusers with the same weights."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from diffusers import WanAnimateTransformer3DModel
from torch import Tensor

from backend.engines.wan.face import FaceConfig
from backend.engines.wan.transformer import Transformer, TransformerConfig, Window

from .vectors import weight

TINY = TransformerConfig(
    dim=64,
    ffn_dim=160,
    heads=2,
    layers=10,
    text_dim=24,
    image_dim=40,
    face=FaceConfig(channels=(8, 12, 16), motion_dim=16, directions=6, hidden_dim=32),
)

RENAMED = (
    (r"time_embedding\.0", "condition_embedder.time_embedder.linear_1"),
    (r"time_embedding\.2", "condition_embedder.time_embedder.linear_2"),
    (r"text_embedding\.0", "condition_embedder.text_embedder.linear_1"),
    (r"text_embedding\.2", "condition_embedder.text_embedder.linear_2"),
    (r"time_projection\.1", "condition_embedder.time_proj"),
    (r"img_emb\.proj\.0", "condition_embedder.image_embedder.norm1"),
    (r"img_emb\.proj\.1", "condition_embedder.image_embedder.ff.net.0.proj"),
    (r"img_emb\.proj\.3", "condition_embedder.image_embedder.ff.net.2"),
    (r"img_emb\.proj\.4", "condition_embedder.image_embedder.norm2"),
    (r"head\.modulation", "scale_shift_table"),
    (r"head\.head", "proj_out"),
    (r"(blocks\.\d+)\.modulation", r"\1.scale_shift_table"),
    (r"(blocks\.\d+)\.norm3", r"\1.norm2"),
    (r"ffn\.0", "ffn.net.0.proj"),
    (r"ffn\.2", "ffn.net.2"),
    (r"self_attn\.([qkv])\.", r"attn1.to_\1."),
    (r"cross_attn\.([qkv])\.", r"attn2.to_\1."),
    (r"cross_attn\.([kv])_img", r"attn2.add_\1_proj"),
    (r"cross_attn\.norm_k_img", "attn2.norm_added_k"),
    (r"self_attn\.o", "attn1.to_out.0"),
    (r"cross_attn\.o", "attn2.to_out.0"),
    (r"self_attn", "attn1"),
    (r"cross_attn", "attn2"),
    (r"enc\.net_app\.convs\.0\.0\.weight", "conv_in.weight"),
    (r"enc\.net_app\.convs\.0\.1\.bias", "conv_in.act_fn.bias"),
    (r"\.conv1\.0\.weight", ".conv1.weight"),
    (r"\.conv1\.1\.bias", ".conv1.act_fn.bias"),
    (r"\.conv2\.1\.weight", ".conv2.weight"),
    (r"\.conv2\.2\.bias", ".conv2.act_fn.bias"),
    (r"\.skip\.1\.weight", ".conv_skip.weight"),
    (r"enc\.fc", "motion_network"),
    (r"dec\.direction\.weight", "motion_synthesis_weight"),
    (r"(face_encoder\.conv\w+)\.conv\.", r"\1."),
    (r"face_adapter\.fuser_blocks", "face_adapter"),
    (r"linear1_q", "to_q"),
    (r"linear2", "to_out"),
    (r"q_norm", "norm_q"),
    (r"k_norm", "norm_k"),
)
"""From a checkpoint's name of a parameter to that of diffusers, in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What one step of a window of 4n+1 frames takes."""

    x: Tensor
    condition: Tensor
    pose: Tensor
    faces: Tensor
    text: Tensor
    image: Tensor


def tiny_weights(seed: int, config: TransformerConfig = TINY) -> dict[str, Tensor]:
    """Draw all parameters of a transformer by checkpoint key."""
    with torch.device("meta"):
        parameters = dict(Transformer(config).named_parameters())
    return {key: weight(seed, key, tuple(parameter.shape)) for key, parameter in parameters.items()}


def transformer(weights: dict[str, Tensor], config: TransformerConfig = TINY) -> Transformer:
    """Build ours with copies of the weights."""
    with torch.device("meta"):
        ours = Transformer(config)
    ours.load_state_dict({key: value.clone() for key, value in weights.items()}, assign=True)
    return ours


def peer(weights: dict[str, Tensor], config: TransformerConfig = TINY) -> Any:
    """Build the one of diffusers with the same weights."""
    theirs = peer_of(config)
    theirs.load_state_dict(in_their_names(weights))
    return theirs


def peer_of(config: TransformerConfig) -> Any:
    """Build the one of diffusers with weights of its own."""
    face = config.face
    sizes = [4 << halvings for halvings in reversed(range(len(face.channels)))]
    theirs: Any = WanAnimateTransformer3DModel(
        num_attention_heads=config.heads,
        attention_head_dim=config.head_dim,
        text_dim=config.text_dim,
        freq_dim=config.frequency_dim,
        ffn_dim=config.ffn_dim,
        num_layers=config.layers,
        image_dim=config.image_dim,
        added_kv_proj_dim=config.dim,
        motion_encoder_channel_sizes={str(size): channels for size, channels in zip(sizes, face.channels, strict=True)},
        motion_encoder_size=face.picture_size_px,
        motion_style_dim=face.motion_dim,
        motion_dim=face.directions,
        motion_encoder_dim=face.motion_dim,
        face_encoder_hidden_dim=face.hidden_dim,
        face_encoder_num_heads=face.local_tokens,
        inject_face_latents_blocks=config.adapter_every,
    )
    return theirs.eval()


def peer_in_bfloat16(theirs: Any, folder: Path) -> Any:
    """Load diffusers' model as its users do, which leaves some parameters in float32."""
    theirs.save_pretrained(folder)
    return WanAnimateTransformer3DModel.from_pretrained(folder, torch_dtype=torch.bfloat16)


def inputs(seed: int, config: TransformerConfig = TINY, *, latent_frames: int = 2) -> Inputs:
    """Draw what a step takes: 8 x 12 px of latents, a text shorter than the model's, faces of -1..1."""
    generator = torch.Generator().manual_seed(seed)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    face_px = config.face.picture_size_px
    return Inputs(
        x=drawn(16, latent_frames + 1, 8, 12),
        condition=drawn(20, latent_frames + 1, 8, 12),
        pose=drawn(16, latent_frames, 8, 12),
        faces=drawn(3, 4 * latent_frames - 3, face_px, face_px).clamp(-1, 1),
        text=drawn(17, config.text_dim),
        image=drawn(257, config.image_dim),
    )


def window(ours: Transformer, given: Inputs) -> Window:
    """Compute what our transformer keeps over a window's steps."""
    return ours.encode_window(given.pose, given.condition, ours.encode_faces(given.faces))


def velocity(ours: Transformer, given: Inputs, timestep: int) -> Tensor:
    """Run one step of ours, with all that comes before it."""
    with torch.inference_mode():
        context = ours.encode_context(given.text, given.image)
        return cast(Tensor, ours(given.x, timestep, context, window(ours, given)))


def peer_velocity(theirs: Any, given: Inputs, timestep: int, text_tokens: int = TINY.text_tokens) -> Tensor:
    """Run one step of diffusers' model, in its own type."""
    padded = torch.nn.functional.pad(given.text, (0, 0, 0, text_tokens - len(given.text)))
    with torch.inference_mode():
        (answer,) = theirs(
            hidden_states=torch.cat([given.x, given.condition])[None].to(theirs.dtype),
            timestep=torch.tensor([timestep]),
            encoder_hidden_states=padded[None].to(theirs.dtype),
            encoder_hidden_states_image=given.image[None].to(theirs.dtype),
            pose_hidden_states=given.pose[None].to(theirs.dtype),
            face_pixel_values=given.faces[None].to(theirs.dtype),
            return_dict=False,
        )
    return cast(Tensor, answer[0].float())


def relative_error(found: Tensor, truth: Tensor) -> float:
    """Divide the largest difference by the largest value."""
    return float((found - truth).abs().max() / truth.abs().max())


def in_their_names(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename a checkpoint as diffusers names its parameters; what it splits is seen there, not copied."""
    renamed: dict[str, Tensor] = {}
    for key, value in weights.items():
        name = re.sub(r"enc\.net_app\.convs\.([1-9])\.(?=conv|skip)", _residual, key)
        name = re.sub(r"enc\.net_app\.convs\.\d+\.weight", "conv_out.weight", name)
        for pattern, replacement in RENAMED:
            name = re.sub(pattern, replacement, name)
        if "linear1_kv" in name:
            keys, values = value.chunk(2)
            renamed[name.replace("linear1_kv", "to_k")] = keys
            renamed[name.replace("linear1_kv", "to_v")] = values
        else:
            renamed[name] = value.flatten() if name.endswith("act_fn.bias") else value
    return renamed


def _residual(found: re.Match[str]) -> str:
    return f"res_blocks.{int(found[1]) - 1}."
