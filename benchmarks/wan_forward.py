# SPDX-License-Identifier: GPL-3.0-or-later
"""A step of the Wan engine's transformer beside that of diffusers, both with the same random weights, in float32."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import torch

from backend.engines.wan.budget import step as step_cost
from backend.engines.wan.transformer import TransformerConfig
from tests.engines.wan.peer_transformer import (
    TINY,
    Inputs,
    inputs,
    peer,
    peer_velocity,
    tiny_weights,
    transformer,
    window,
)

from .bench import Bench
from .race import race, raced
from .table import Row

_GOAL = 0.80
_SIZES = TransformerConfig(dim=1024, ffn_dim=2816, heads=8, layers=5, text_dim=64, image_dim=64, face=TINY.face)
"""Heads as wide as the real ones, and all parts. Pictures of faces are small: diffusers looks at them in each step."""
_LATENTS, _QUICK_LATENTS = (4, 28, 48), (2, 16, 24)
"""Latent frames, height and width."""
_ROUNDS, _QUICK_ROUNDS = 5, 1
_MATRIX = 1024


def rows(bench: Bench) -> Iterator[Row]:
    """Yield rows: a step beside the peer's, with and without what ours computes before it; and beside bare products."""
    torch.set_num_threads(1)  # idle threads wait in a loop, which would count
    latents, rounds = (_QUICK_LATENTS, _QUICK_ROUNDS) if bench.is_quick else (_LATENTS, _ROUNDS)
    weights, given = tiny_weights(1, _SIZES), _inputs(*latents)
    ours, theirs = transformer(weights, _SIZES), peer(weights, _SIZES)
    tokens = given.x.shape[1] * latents[1] * latents[2] // 4
    on = f"{tokens} tokens, dim {_SIZES.dim}, {_SIZES.layers} blocks, float32, 1 thread, torch {torch.__version__}"
    with torch.inference_mode():
        context, kept = ours.encode_context(given.text, given.image), window(ours, given)

        def step() -> object:
            return ours(given.x, 500, context, kept)

        def all_of_it() -> object:
            return ours(given.x, 500, ours.encode_context(given.text, given.image), window(ours, given))

        def peers() -> object:
            return peer_velocity(theirs, given, 500)

        yield raced("transformer step, beside diffusers", on, race(step, peers, rounds), _GOAL)
        what = "the same, with what is computed once a job and once a window"
        yield raced(what, on, race(all_of_it, peers, rounds), None)
        operations = step_cost(_SIZES, 4 * latents[0] - 3, 8 * latents[2], 8 * latents[1], torch.float32).operations
        yield _beside_products(step, on, operations, rounds)


def _inputs(frames: int, height: int, width: int) -> Inputs:
    drawn = inputs(1, _SIZES, latent_frames=frames)
    size = height, width
    return replace(
        drawn,
        x=torch.randn(16, frames + 1, *size),
        condition=torch.randn(20, frames + 1, *size),
        pose=torch.randn(16, frames, *size),
    )


def _beside_products(step: Callable[[], object], on: str, operations: int, rounds: int) -> Row:
    """Hold a step against bare matrix products of as many operations: what no implementation can do without."""
    matrix = torch.randn(_MATRIX, _MATRIX)
    count = max(1, operations // (2 * _MATRIX**3))

    def products() -> None:
        for _ in range(count):
            matrix @ matrix

    times = race(step, products, rounds)
    return raced("transformer step, beside bare matrix products of as many operations", on, times, None)
