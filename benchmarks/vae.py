# SPDX-License-Identifier: GPL-3.0-or-later
"""The Wan engine's VAE beside that of diffusers, both with random weights of the real size, in float32."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from diffusers import AutoencoderKLWan
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from backend.engines.wan.footprint import Footprint
from backend.engines.wan.vae import Vae

from .bench import Bench
from .race import race, raced
from .table import Row

_GOAL_DECODE, _GOAL_PEAK = 0.80, 0.6
_SIZE_PX, _FRAMES, _ROUNDS = 96, 13, 3
_QUICK_SIZE_PX, _QUICK_FRAMES, _QUICK_ROUNDS = 96, 5, 1
_REAL_SIZES = ((832, 480), (1280, 720))
_STRIPS = 2
"""As the engine cuts these sizes."""
_WINDOW, _QUICK_WINDOW = 77, 13


def rows(bench: Bench) -> Iterator[Row]:
    """Yield rows: encode and decode in turns with the peer, and what both hold in memory."""
    yield from _times(bench)
    yield from _peaks(_QUICK_WINDOW if bench.is_quick else _WINDOW)


def _times(bench: Bench) -> Iterator[Row]:
    size, frames, rounds = _SIZE_PX, _FRAMES, _ROUNDS
    if bench.is_quick:
        size, frames, rounds = _QUICK_SIZE_PX, _QUICK_FRAMES, _QUICK_ROUNDS
    ours, peer = Vae(), _peer()
    torch.set_num_threads(1)  # idle threads wait in a loop, which would count
    clip, latents = torch.rand(3, frames, size, size) * 2 - 1, torch.randn(16, frames // 4 + 1, size // 8, size // 8)
    on = f"{size}x{size}, {frames} frames, float32, 1 thread, torch {torch.__version__}"
    with torch.inference_mode():
        decode = race(lambda: ours.decode(latents), lambda: peer.decode(latents[None]), rounds)
        yield raced("VAE decode, beside diffusers", on, decode, _GOAL_DECODE)
        encode = race(lambda: ours.encode(clip), lambda: peer.encode(clip[None]), rounds)
        yield raced("VAE encode, beside diffusers", on, encode, None)


def _peaks(frames: int) -> Iterator[Row]:
    """Count the bytes that both hold at once, clip and result included, on a device that computes shapes only."""
    latent_frames = (frames - 1) // 4 + 1
    with torch.device("meta"):
        ours, peer = Vae(), _peer()
    for width, height in _REAL_SIZES:
        with torch.device("meta"):
            clip, latents = (
                torch.empty(3, frames, height, width),
                torch.empty(16, latent_frames, height // 8, width // 8),
            )
        on = f"{width}x{height}, {frames} frames, float32, counted on the meta device, weights left out"
        theirs = _peak(peer.decode, latents[None]), _peak(peer.encode, clip[None])
        for strips in (1, _STRIPS):
            own = _peak(ours.decode, latents, strips), _peak(ours.encode, clip, strips)
            for what, a, b in zip(("decode", "encode"), own, theirs, strict=True):
                measured = f"{a / b:.2f}: {a / 1e9:.2f} GB to {b / 1e9:.2f} GB"
                if strips == 1:
                    yield Row(f"VAE {what} in one piece, peak memory beside diffusers", on, measured, "", None)
                    continue
                name = f"VAE {what} in {strips} strips, as the engine works, peak memory beside diffusers"
                yield Row(name, on, measured, f"at most {_GOAL_PEAK}", a <= _GOAL_PEAK * b)
        yield _arithmetic(ours, latents, clip, f"{width}x{height}, {frames} frames, counted on the meta device")


def _arithmetic(vae: Vae, latents: Tensor, clip: Tensor, on: str) -> Row:
    """Count what the halos cost."""

    def operations(work: Callable[..., object], given: Tensor, strips: int) -> int:
        with torch.inference_mode(), FlopCounterMode(display=False) as counter:
            work(given, strips)
        return int(counter.get_total_flops())

    decode, encode = (
        operations(work, given, _STRIPS) / operations(work, given, 1)
        for work, given in ((vae.decode, latents), (vae.encode, clip))
    )
    measured = f"decode {decode:.3f}, encode {encode:.3f}"
    return Row(f"VAE in {_STRIPS} strips, arithmetic beside one piece", on, measured, "", None)


def _peak(work: Callable[..., object], *given: object) -> int:
    with torch.inference_mode(), Footprint() as footprint:
        work(*given)
    peak_bytes: int = footprint.peak_bytes
    return peak_bytes


def _peer() -> Any:
    peers: Any = AutoencoderKLWan  # has no types
    return peers().eval()
