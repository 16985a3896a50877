# SPDX-License-Identifier: GPL-3.0-or-later
"""The transformer against diffusers', and what it promises beside its numbers: nothing twice, in chunks, stoppable."""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from backend.contract.errors import StoppedError
from backend.engines.wan import transformer as room
from backend.engines.wan.attention import rotation

from .peer_transformer import (
    TINY,
    Inputs,
    inputs,
    peer,
    peer_in_bfloat16,
    peer_velocity,
    relative_error,
    tiny_weights,
    transformer,
    velocity,
    window,
)

TOLERANCE = 1e-5
ROUNDING = 2e-6
BFLOAT16_SEEDS = 10


@pytest.mark.parametrize("latent_frames", [1, 3])
@pytest.mark.parametrize(("seed", "timestep"), [(0, 999), (1, 613), (2, 208), (3, 0)])
def test_a_step_goes_where_that_of_diffusers_goes(seed: int, timestep: int, latent_frames: int) -> None:
    weights, given = tiny_weights(seed), inputs(seed, latent_frames=latent_frames)
    ours = velocity(transformer(weights), given, timestep)
    assert relative_error(ours, peer_velocity(peer(weights), given, timestep)) <= TOLERANCE


def test_in_bfloat16_it_strays_no_further_than_diffusers(tmp_path: Path) -> None:
    ratios = []
    for seed in range(BFLOAT16_SEEDS):
        weights, given = tiny_weights(seed), inputs(seed)
        theirs = peer(weights)
        truth = peer_velocity(theirs, given, 613)
        off = velocity(transformer(weights).to(torch.bfloat16), given, 613) - truth
        off_theirs = peer_velocity(peer_in_bfloat16(theirs, tmp_path / str(seed)), given, 613) - truth
        ratios.append(float(off.norm() / off_theirs.norm()))
    assert statistics.median(ratios) <= 1.2


@torch.inference_mode()
def test_residual_stream_time_and_head_stay_in_float32_when_weights_are_not() -> None:
    ours = transformer(tiny_weights(0)).to(torch.bfloat16)
    types: dict[str, set[torch.dtype]] = {}

    def note(name: str, module: nn.Module) -> None:
        def keep(_: nn.Module, given: tuple[Tensor, ...], answer: Tensor | None) -> None:
            types.setdefault(f"{name} takes", set()).add(given[0].dtype)
            if answer is not None:
                types.setdefault(f"{name} gives", set()).add(answer.dtype)

        module.register_forward_hook(keep)

    block = ours._blocks[3]
    for name, module in (
        ("block", block),
        ("attention", block.self_attn.q),
        ("norm3", block.norm3),
        ("time", ours.time_embedding),
        ("modulation", ours.time_projection),
        ("head", ours.head.head),
    ):
        note(name, module)
    assert velocity(ours, inputs(0), 500).dtype == torch.float32
    in_bfloat16 = {name for name, seen in types.items() if seen == {torch.bfloat16}}
    assert in_bfloat16 == {"attention takes", "attention gives"}
    assert all(seen == {torch.float32} for name, seen in types.items() if name not in in_bfloat16)


def test_every_input_counts() -> None:
    ours, given = transformer(tiny_weights(0)), inputs(0)
    known = velocity(ours, given, 500)
    for name in (field.name for field in fields(Inputs)):
        other = replace(given, **{name: -getattr(given, name)})
        assert relative_error(velocity(ours, other, 500), known) > 1e-4, name
    assert relative_error(velocity(ours, given, 501), known) > 1e-5


@torch.inference_mode()
def test_nothing_is_computed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job of two windows with three steps each."""
    calls: Counter[str] = Counter()
    ours, given = transformer(tiny_weights(0)), inputs(0, latent_frames=3)
    for name, module in ours.named_modules():
        module.register_forward_hook(lambda module, given, answer, name=name: calls.update([name]))
    monkeypatch.setattr(room, "rotation", lambda *of: calls.update(["rotation"]) or rotation(*of))

    context = ours.encode_context(given.text, given.image)
    for _ in range(2):
        kept = window(ours, given)
        for timestep in (999, 600, 300):
            ours(given.x, timestep, context, kept)

    once_a_job = dict.fromkeys(("text_embedding", "text_embedding.2", "img_emb", "img_emb.proj.3"), 1)
    for index in range(TINY.layers):
        once_a_job |= {f"blocks.{index}.cross_attn.{name}": 1 for name in ("k", "v", "k_img", "v_img", "norm_k")}
    once_a_window = dict.fromkeys(("face_encoder", "pose_patch_embedding", "rotation"), 2)
    once_a_window |= {f"face_adapter.fuser_blocks.{index}.linear1_kv": 2 for index in range(2)}
    batches_of_faces = {"motion_encoder": 2 * 2, "motion_encoder.enc.net_app.convs.1.conv2.0": 2 * 2}
    once_a_step = dict.fromkeys(("blocks.9", "blocks.9.cross_attn.q", "patch_embedding", "time_projection"), 6)
    for name, often in (once_a_job | once_a_window | batches_of_faces | once_a_step).items():
        assert calls[name] == often, name


@pytest.mark.parametrize("chunk_tokens", [1, 7, 24, 50])
def test_in_chunks_the_result_is_the_same(chunk_tokens: int) -> None:
    ours, given = transformer(tiny_weights(0)), inputs(0)
    whole = velocity(ours, given, 500)
    ours.chunk_tokens = chunk_tokens
    assert relative_error(velocity(ours, given, 500), whole) <= ROUNDING


@torch.inference_mode()
def test_in_chunks_no_layer_but_the_ends_sees_more_tokens_than_a_chunk() -> None:
    ours, given = transformer(tiny_weights(0)), inputs(0)
    ours.chunk_tokens = 24
    context, kept = ours.encode_context(given.text, given.image), window(ours, given)
    most: dict[str, int] = {}
    for name, module in ours.named_modules():
        if isinstance(module, nn.Linear) and not name.startswith("time_"):
            module.register_forward_pre_hook(
                lambda module, given, name=name: most.__setitem__(name, max(most.get(name, 0), len(given[0])))
            )
    ours(given.x, 500, context, kept)
    assert set(most.values()) == {24}
    assert {"blocks.0.ffn.0", "blocks.0.self_attn.k", "face_adapter.fuser_blocks.0.linear1_q", "head.head"} <= set(most)


@pytest.mark.parametrize("after", [0, 3, 9])
@torch.inference_mode()
def test_a_stop_is_heard_before_the_next_block(after: int) -> None:
    ours, given = transformer(tiny_weights(0)), inputs(0)
    context, kept = ours.encode_context(given.text, given.image), window(ours, given)
    begun: list[int] = []
    for index, block in enumerate(ours.blocks):
        block.register_forward_pre_hook(lambda module, given, index=index: begun.append(index))

    def stop() -> None:
        if begun and begun[-1] == after:
            raise StoppedError

    ours.stop = stop
    if after < TINY.layers - 1:
        with pytest.raises(StoppedError):
            ours(given.x, 500, context, kept)
    else:
        ours(given.x, 500, context, kept)
    assert begun == list(range(after + 1))


@pytest.mark.parametrize("part", ["text_embedding", "blocks.4.cross_attn", "motion_encoder", "face_encoder"])
@torch.inference_mode()
def test_a_stop_is_heard_while_context_and_faces_are_computed(part: str) -> None:
    ours, given = transformer(tiny_weights(0)), inputs(0)
    told: list[str] = []
    ours.before = told.append

    def stop() -> None:
        if told and told[-1] == part:
            raise StoppedError

    ours.stop = stop
    with pytest.raises(StoppedError):
        velocity(ours, given, 500)
    assert told[-1] == part


@torch.inference_mode()
def test_only_the_part_that_was_told_of_last_is_needed() -> None:
    """Large parts are spoilt, and mended only from when they are told of until the next part is."""
    weights, given = tiny_weights(0), inputs(0)
    known = velocity(transformer(weights), given, 500)
    ours = transformer(weights)
    streamed = ("blocks.", "face_adapter.", "motion_encoder.", "face_encoder.", "text_embedding.", "img_emb.")
    parameters = {key: value for key, value in ours.named_parameters() if key.startswith(streamed)}
    small = {key for key in parameters if key.endswith("k_norm.weight")}

    def before(part: str) -> None:
        for key, parameter in parameters.items():
            if key.startswith(f"{part}."):
                parameter.copy_(weights[key])
            elif key not in small:
                parameter.fill_(torch.nan)

    for part in ("text_embedding", "img_emb"):
        before(part)
    ours.before = before
    assert torch.equal(velocity(ours, given, 500), known)


@torch.inference_mode()
def test_inputs_that_do_not_belong_together_are_refused() -> None:
    ours, given = transformer(tiny_weights(0)), inputs(0, latent_frames=3)
    faces = ours.encode_faces(given.faces)
    with pytest.raises(ValueError, match="latent frames"):
        ours.encode_window(given.pose[:, 1:], given.condition, faces)
    with pytest.raises(ValueError, match="latent frames"):
        ours.encode_window(given.pose, given.condition, ours.encode_faces(given.faces[:, :5]))
    with pytest.raises(ValueError, match="even"):
        ours.encode_window(given.pose[:, :, 1:], given.condition[:, :, 1:], faces)


def test_the_same_step_gives_the_same_bits() -> None:
    weights, given = tiny_weights(0), inputs(0)
    assert torch.equal(velocity(transformer(weights), given, 77), velocity(transformer(weights), given, 77))
