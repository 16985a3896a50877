# SPDX-License-Identifier: GPL-3.0-or-later
"""The transformer at its real size, without memory: parameters are called and shaped as in the published checkpoint."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from backend.engines.wan.transformer import Transformer, TransformerConfig

PARAMETERS = 17_274_817_108
KEYS = 1441
KERNELS = 14

Shapes = dict[str, tuple[int, ...]]


@pytest.fixture(scope="module")
def full_size() -> Transformer:
    with torch.device("meta"):
        return Transformer(TransformerConfig())


def linear(key: str, outputs: int, *inputs: int) -> Shapes:
    return {f"{key}.weight": (outputs, *inputs), f"{key}.bias": (outputs,)}


def block(key: str) -> Shapes:
    shapes: Shapes = {f"{key}.modulation": (1, 6, 5120)}
    for name in ("self_attn.norm_q", "self_attn.norm_k", *(f"cross_attn.norm_{x}" for x in ("q", "k", "k_img"))):
        shapes[f"{key}.{name}.weight"] = (5120,)
    for name in (*(f"self_attn.{x}" for x in "qkvo"), *(f"cross_attn.{x}" for x in ("q", "k", "v", "o"))):
        shapes |= linear(f"{key}.{name}", 5120, 5120)
    for name in ("k_img", "v_img"):
        shapes |= linear(f"{key}.cross_attn.{name}", 5120, 5120)
    shapes |= linear(f"{key}.ffn.0", 13824, 5120) | linear(f"{key}.ffn.2", 5120, 13824)
    return shapes | {f"{key}.norm3.weight": (5120,), f"{key}.norm3.bias": (5120,)}


def residual_block(key: str, inputs: int, outputs: int) -> Shapes:
    return {
        f"{key}.conv1.0.weight": (inputs, inputs, 3, 3),
        f"{key}.conv1.1.bias": (1, inputs, 1, 1),
        f"{key}.conv2.0.kernel": (4, 4),
        f"{key}.conv2.1.weight": (outputs, inputs, 3, 3),
        f"{key}.conv2.2.bias": (1, outputs, 1, 1),
        f"{key}.skip.0.kernel": (4, 4),
        f"{key}.skip.1.weight": (outputs, inputs, 1, 1),
    }


def motion_encoder() -> Shapes:
    convs = "motion_encoder.enc.net_app.convs"
    shapes: Shapes = {f"{convs}.0.0.weight": (32, 3, 1, 1), f"{convs}.0.1.bias": (1, 32, 1, 1)}
    channels = (32, 64, 128, 256, 512, 512, 512, 512)
    for number in range(1, 8):
        shapes |= residual_block(f"{convs}.{number}", channels[number - 1], channels[number])
    shapes[f"{convs}.8.weight"] = (512, 512, 4, 4)
    for number, outputs in enumerate((512, 512, 512, 512, 20)):
        shapes |= linear(f"motion_encoder.enc.fc.{number}", outputs, 512)
    return shapes | {"motion_encoder.dec.direction.weight": (512, 20)}


def face_parts() -> Shapes:
    shapes: Shapes = {"face_encoder.padding_tokens": (1, 1, 1, 5120)}
    shapes |= linear("face_encoder.conv1_local.conv", 4096, 512, 3)
    shapes |= linear("face_encoder.conv2.conv", 1024, 1024, 3) | linear("face_encoder.conv3.conv", 1024, 1024, 3)
    shapes |= linear("face_encoder.out_proj", 5120, 1024)
    for number in range(8):
        key = f"face_adapter.fuser_blocks.{number}"
        shapes |= linear(f"{key}.linear1_kv", 10240, 5120) | linear(f"{key}.linear1_q", 5120, 5120)
        shapes |= linear(f"{key}.linear2", 5120, 5120)
        shapes |= {f"{key}.q_norm.weight": (128,), f"{key}.k_norm.weight": (128,)}
    return shapes


def embeddings_and_head() -> Shapes:
    shapes = linear("patch_embedding", 5120, 36, 1, 2, 2) | linear("pose_patch_embedding", 5120, 16, 1, 2, 2)
    shapes |= linear("text_embedding.0", 5120, 4096) | linear("text_embedding.2", 5120, 5120)
    shapes |= linear("time_embedding.0", 5120, 256) | linear("time_embedding.2", 5120, 5120)
    shapes |= linear("time_projection.1", 30720, 5120)
    shapes |= linear("img_emb.proj.1", 1280, 1280) | linear("img_emb.proj.3", 5120, 1280)
    for key, size in (("img_emb.proj.0", 1280), ("img_emb.proj.4", 5120)):
        shapes |= {f"{key}.weight": (size,), f"{key}.bias": (size,)}
    return shapes | {"head.modulation": (1, 2, 5120)} | linear("head.head", 64, 5120)


def test_every_key_and_shape_is_that_of_the_published_checkpoint(full_size: Transformer) -> None:
    published = embeddings_and_head() | motion_encoder() | face_parts()
    for number in range(40):
        published |= block(f"blocks.{number}")
    ours = {key: tuple(value.shape) for key, value in full_size.state_dict().items()}
    assert ours == published
    assert len(ours) == KEYS
    assert sum(value.numel() for value in full_size.state_dict().values()) == PARAMETERS
    assert sum(key.endswith(".kernel") for key, _ in full_size.named_buffers()) == KERNELS


@torch.inference_mode()
def test_a_step_costs_the_arithmetic_that_its_shapes_demand(full_size: Transformer) -> None:
    """What a forward of the official model costs at 832 x 480 px and 77 frames, less what is the same in every step."""
    f, h, w, dim = 21, 60, 104, 5120
    tokens = f * h * w // 4
    linears = 40 * tokens * (2 * 4 * dim**2 + 2 * 2 * dim**2 + 2 * 2 * dim * 13824) + 8 * tokens * 2 * 2 * dim**2
    attention = 40 * 4 * tokens * (tokens + 512 + 257) * dim + 8 * 4 * tokens * 5 * dim
    ends = 2 * tokens * dim * (36 * 4 + 64) + 2 * dim * (256 + dim + 6 * dim)

    with torch.device("meta"):
        context = full_size.encode_context(torch.empty(64, 4096), torch.empty(257, 1280))
        faces = full_size.encode_faces(torch.empty(3, 77, 512, 512))
        full_size.chunk_tokens = tokens
        window = full_size.encode_window(torch.empty(16, f - 1, h, w), torch.empty(20, f, h, w), faces)
        with FlopCounterMode(display=False) as counter:
            velocity = full_size(torch.empty(16, f, h, w), 999, context, window)

    assert velocity.shape == (16, f, h, w)
    assert counter.get_total_flops() == linears + attention + ends
