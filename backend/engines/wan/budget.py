# SPDX-License-Identifier: GPL-3.0-or-later
"""What a shot would take on this machine, told before anything is loaded: arithmetic, time, memory.

Operations are counted by running the networks on torch's meta device, which computes shapes only; the speed is that of
a short matrix product on the real one. Real kernels reach less, so the time is a first guess that the run corrects.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import torch
from torch.utils.flop_counter import FlopCounterMode

from .footprint import Footprint
from .transformer import Faces, Transformer, TransformerConfig
from .vae import GROUP_FRAMES, SCALE_PX, ClipSize, Vae, VaeConfig, frame_count, peak_bytes

_MATRIX = 2048
_TRY_S = 0.2
_EFFICIENCY = 0.5
"""Of a matrix product's speed, what whole networks reach: attention, norms and copies are slower."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """seconds: of all windows, loading not counted. peak_bytes: of the device."""

    seconds: float
    peak_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A shot as the networks see it. windows: frames of each. ways: transformer runs a step, 2 with guidance."""

    windows: tuple[int, ...]
    width_px: int
    height_px: int
    steps: int
    ways: int


def estimate(
    work: Work, transformer: TransformerConfig, vae: VaeConfig, dtype: torch.dtype, device: torch.device
) -> Estimate:
    """Say what a shot would take on a device whose memory holds the whole transformer."""
    counted = {frames: _window(work, frames, transformer, vae, dtype) for frames in set(work.windows)}
    operations = sum(counted[frames][0] for frames in work.windows)
    seconds = operations / (_EFFICIENCY * operations_per_second(dtype, device))
    return Estimate(seconds=seconds, peak_bytes=max(peak for _, peak in counted.values()))


def living_bytes(work: Work, transformer: TransformerConfig, dtype: torch.dtype) -> int:
    """Say what a step needs of the device beside the weights, in the longest window."""
    latent_frames = (max(work.windows) - 1) // GROUP_FRAMES + 1
    return _run(replace(transformer, layers=1), latent_frames + 1, work, dtype)[1]


def operations_per_second(dtype: torch.dtype, device: torch.device) -> float:
    """Time matrix products for a moment."""
    left, right = (torch.randn(_MATRIX, _MATRIX, device=device).to(dtype) for _ in range(2))
    (left @ right).sum().item()
    count, began_s = 0, time.perf_counter()
    while time.perf_counter() - began_s < _TRY_S:
        (left @ right).sum().item()
        count += 1
    return count * 2.0 * _MATRIX**3 / (time.perf_counter() - began_s)


def _window(
    work: Work, frames: int, transformer: TransformerConfig, vae: VaeConfig, dtype: torch.dtype
) -> tuple[float, int]:
    """Count one window's operations, and the most bytes that it needs at once."""
    latent_frames = (frames - 1) // GROUP_FRAMES + 1
    step, living_bytes = _step(transformer, latent_frames + 1, work, dtype)
    size = ClipSize(frames=frames, height_px=work.height_px, width_px=work.width_px)
    operations = work.steps * work.ways * step + latent_frames * _vae_operations(vae, work)
    return operations, weight_bytes(transformer, dtype) + max(living_bytes, peak_bytes(size, torch.float32, 1, vae))


def weight_bytes(config: TransformerConfig, dtype: torch.dtype) -> int:
    """Say how large the transformer is in memory."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in Transformer(config).parameters()) * dtype.itemsize


def _step(config: TransformerConfig, frames: int, work: Work, dtype: torch.dtype) -> tuple[float, int]:
    """Count a step's operations and the bytes that live at once in it, from transformers of few of the like blocks."""
    each = config.adapter_every
    (one, living_bytes), (two, _), (more, _) = (
        _run(replace(config, layers=layers), frames, work, dtype) for layers in (1, 2, each + 1)
    )
    block = two - one
    adapter = more - one - each * block
    rest = one - block - adapter
    return rest + config.layers * block + -(-config.layers // each) * adapter, living_bytes


def _run(config: TransformerConfig, frames: int, work: Work, dtype: torch.dtype) -> tuple[float, int]:
    """Run one step on the meta device: its operations, and the bytes that live at once beside the weights."""
    height, width = work.height_px // SCALE_PX, work.width_px // SCALE_PX
    seen = frames, config.face.local_tokens + 1, config.dim
    with torch.device("meta"), torch.inference_mode():
        model = Transformer(config).to(dtype)
        context = model.encode_context(torch.empty(1, config.text_dim), torch.empty(257, config.image_dim))
        faces = Faces(tuple(block.keys_values(torch.empty(seen, dtype=dtype)) for block in model.face_adapter.blocks))
        latents = torch.empty(config.latent_channels, frames, height, width)
        known = torch.empty(config.condition_channels, frames, height, width)
        window = model.encode_window(latents[:, 1:], known, faces)
        with FlopCounterMode(display=False) as counter, Footprint() as footprint:
            model(latents, 0, context, window)
    return float(counter.get_total_flops()), footprint.peak_bytes


def _vae_operations(config: VaeConfig, work: Work) -> float:
    """Count what a latent frame takes: its window's figures and conditions are encoded, its result is decoded."""
    height, width = work.height_px // SCALE_PX, work.width_px // SCALE_PX

    def counted(latent_frames: int) -> float:
        with torch.device("meta"), torch.inference_mode(), FlopCounterMode(display=False) as counter:
            vae = Vae(config)
            clip = torch.empty(3, frame_count(latent_frames), work.height_px, work.width_px)
            for _ in range(2):
                vae.encode(clip)
            vae.decode(torch.empty(config.channels, latent_frames, height, width))
        return float(counter.get_total_flops())

    return counted(3) - counted(2)
