# SPDX-License-Identifier: GPL-3.0-or-later
"""What a shot would take on this machine, told before anything is loaded: arithmetic, time, memory.

Operations are counted by running the networks on torch's meta device, which computes shapes only; the speed is that of
a short matrix product on the real one. Real kernels reach less, so the time is a first guess that the run corrects.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from .footprint import Footprint
from .text import LENGTH_TOKENS, TextConfig, TextEncoder
from .transformer import Faces, Transformer, TransformerConfig
from .vae import GROUP_FRAMES, SCALE_PX, Vae, VaeConfig, frame_count

_MATRIX = 2048
_TRY_S = 0.2
_EFFICIENCY = 0.5
"""Of a matrix product's speed, what whole networks reach: attention, norms and copies are slower."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A shot as the networks see it. windows: frames of each. ways: transformer runs a step, 2 with guidance."""

    windows: tuple[int, ...]
    width_px: int
    height_px: int
    steps: int
    ways: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCost:
    """One run of the transformer. operations: floating-point ones. living_bytes: held at once beside the weights."""

    operations: int
    living_bytes: int


def seconds_of(
    work: Work, transformer: TransformerConfig, vae: VaeConfig, dtype: torch.dtype, device: torch.device
) -> float:
    """Say how long all windows take on a device, loading not counted."""
    counts = {frames: step(transformer, frames, work.width_px, work.height_px, dtype) for frames in set(work.windows)}
    latent_frames = sum(_latent_frames(frames) for frames in work.windows)
    operations = work.steps * work.ways * sum(counts[frames].operations for frames in work.windows)
    operations += latent_frames * vae_operations(vae, work.width_px, work.height_px)
    return operations / (_EFFICIENCY * operations_per_second(dtype, device))


def living_bytes(work: Work, transformer: TransformerConfig, dtype: torch.dtype) -> int:
    """Say what a step needs of the device beside the weights, in the longest window."""
    return step(transformer, max(work.windows), work.width_px, work.height_px, dtype).living_bytes


def text_living_bytes(config: TextConfig, dtype: torch.dtype) -> int:
    """Say what the text encoder needs of the device beside the weights, for the longest text; blocks are alike."""
    with torch.device("meta"):
        encoder, ids = TextEncoder(replace(config, layers=1)).to(dtype), torch.empty(LENGTH_TOKENS, dtype=torch.long)
    with Footprint() as footprint:
        encoder(ids, torch.ones(LENGTH_TOKENS))
    return int(footprint.peak_bytes)


def operations_per_second(dtype: torch.dtype, device: torch.device) -> float:
    """Time matrix products for a moment."""
    left, right = (torch.randn(_MATRIX, _MATRIX, device=device).to(dtype) for _ in range(2))
    (left @ right).sum().item()
    count, began_s = 0, time.perf_counter()
    while time.perf_counter() - began_s < _TRY_S:
        (left @ right).sum().item()
        count += 1
    return count * 2.0 * _MATRIX**3 / (time.perf_counter() - began_s)


@cache
def step(config: TransformerConfig, frames: int, width_px: int, height_px: int, dtype: torch.dtype) -> StepCost:
    """Count a run of the transformer over a window of `frames`, from one with one block: all blocks are alike."""
    height, width, latent_frames = height_px // SCALE_PX, width_px // SCALE_PX, _latent_frames(frames) + 1
    seen = latent_frames, config.face.local_tokens + 1, config.dim
    with torch.device("meta"):
        model = Transformer(replace(config, layers=1)).to(dtype)
        text, image = torch.empty(1, config.text_dim), torch.empty(257, config.image_dim)
        offered = torch.empty(seen, dtype=dtype)
        latents = torch.empty(config.latent_channels, latent_frames, height, width)
        known = torch.empty(config.condition_channels, latent_frames, height, width)
    with torch.inference_mode():
        context = model.encode_context(text, image)
        faces = Faces(tuple(block.keys_values(offered) for block in model.face_adapter.blocks))
        window = model.encode_window(latents[:, 1:], known, faces)
        with FlopCounterMode(display=False) as counter, Footprint() as footprint:
            model(latents, 0, context, window)
    counts = {name: sum(counted.values()) for name, counted in counter.get_flop_counts().items()}
    block, face_block = counts["Transformer.blocks.0"], counts["Transformer.face_adapter.fuser_blocks.0"]
    face_blocks = -(-config.layers // config.adapter_every)
    more = (config.layers - 1) * block + (face_blocks - 1) * face_block
    return StepCost(operations=counter.get_total_flops() + more, living_bytes=footprint.peak_bytes)


def vae_operations(config: VaeConfig, width_px: int, height_px: int) -> int:
    """Count what a latent frame takes: its window's figures and conditions are encoded, its result is decoded."""
    count, height, width = 3, height_px // SCALE_PX, width_px // SCALE_PX
    with torch.device("meta"):
        vae = Vae(config)
        clip = torch.empty(3, frame_count(count), height_px, width_px)
        latents = torch.empty(config.channels, count, height, width)
    return 2 * _of_the_last(vae.encode_stream([clip])) + _of_the_last(vae.decode_stream(latents))


def _of_the_last(pieces: Iterator[Tensor]) -> int:
    """Count the operations of the last piece of a clip: the first are cheaper, as nothing lies before them."""
    with FlopCounterMode(display=False) as counter:
        totals: list[int] = [counter.get_total_flops() for _ in pieces]
    return totals[-1] - totals[-2]


def _latent_frames(frames: int) -> int:
    return (frames - 1) // GROUP_FRAMES + 1
