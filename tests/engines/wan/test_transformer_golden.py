# SPDX-License-Identifier: GPL-3.0-or-later
"""The transformer against numbers of the official code: what comes out, and what stands in between."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from backend.engines.wan.transformer import Transformer, TransformerConfig

from . import vectors
from .peer_transformer import transformer

TOLERANCE = 2e-5


def small_model(seed: int) -> Transformer:
    sizes = vectors.config("dit_tiny")
    config = TransformerConfig(
        dim=sizes["dim"],
        ffn_dim=sizes["ffn_dim"],
        heads=sizes["num_heads"],
        layers=sizes["num_layers"],
        text_dim=sizes["text_dim"],
    )
    return transformer(vectors.weights("dit_tiny", seed), config)


def recorded(model: Transformer) -> dict[str, list[Tensor]]:
    """Have `model` keep what it computes under the names that the stored intermediate values have."""
    seen: dict[str, list[Tensor]] = {}

    def keep_answer(name: str, module: nn.Module) -> None:
        module.register_forward_hook(lambda _, given, answer: seen.setdefault(name, []).append(answer))

    def keep_tokens_before(name: str, module: nn.Module) -> None:
        module.register_forward_pre_hook(lambda _, given: seen.setdefault(name, []).append(given[0].clone()))

    def keep_tokens_after(name: str, module: nn.Module) -> None:
        module.register_forward_hook(lambda _, given, answer: seen.setdefault(name, []).append(given[0].clone()))

    keep_answer("motion_coefficients", model.motion_encoder.enc)
    keep_answer("motion", model.motion_encoder)
    keep_answer("face_tokens", model.face_encoder)
    keep_answer("time", model.time_embedding)
    keep_answer("time_projection", model.time_projection)
    keep_answer("text", model.text_embedding)
    keep_answer("image", model.img_emb)
    keep_answer("adapter1_residual", model.face_adapter.blocks[1])
    keep_tokens_before("tokens", model.blocks[0])
    keep_tokens_after("block0", model.blocks[0])
    keep_tokens_before("after_adapter0", model.blocks[1])
    keep_tokens_after("block_last", model.blocks[-1])
    return seen


@pytest.mark.parametrize("case", vectors.cases("dit/s*_t*"))
@torch.inference_mode()
def test_a_step_gives_the_official_numbers_inside_and_out(case: str) -> None:
    tensors, facts = vectors.load(case)
    clip, _ = vectors.load(facts["clip_file"])
    model = small_model(facts["weight_seed"])
    kept = recorded(model)

    context = model.encode_context(tensors["in.context"], clip["in.clip"][0])
    faces = model.encode_faces(vectors.faces(tensors["in.face_small"][0]))
    window = model.encode_window(tensors["in.pose"][0], tensors["in.y"], faces)
    velocity = model(tensors["in.x"], facts["t"], context, window)

    found = {name: torch.cat(parts) for name, parts in kept.items()} | {"out": velocity}
    found["context_embedded_rows_240_290"] = torch.cat([found.pop("image"), found.pop("text")])[240:290]
    stored = {name.removeprefix("mid."): value for name, value in tensors.items() if not name.startswith("in.")}
    assert found.keys() == stored.keys()
    off = {name: float((found[name] - stored[name].reshape_as(found[name])).abs().max()) for name in stored}
    assert {name: by for name, by in off.items() if by > TOLERANCE} == {}
