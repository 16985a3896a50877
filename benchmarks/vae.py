# SPDX-License-Identifier: GPL-3.0-or-later
"""The Wan engine's VAE beside that of diffusers, both with random weights of the real size, in float32."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

from backend.contract.errors import UnderstudyError

from .bench import Bench
from .table import Row

_GOAL_DECODE = 0.80
_SIZE_PX, _FRAMES, _ROUNDS = 96, 13, 3
_QUICK_SIZE_PX, _QUICK_FRAMES, _QUICK_ROUNDS = 96, 5, 1


class TorchMissingError(UnderstudyError):
    """The environment has no torch, or no diffusers to compare with."""

    hint = "Run the row in the environment of the Wan engine's tests: .envs/wan/bin/python -m benchmarks vae"

    def __init__(self) -> None:
        super().__init__("Skipped: torch and diffusers are not here.")


def vae(bench: Bench) -> Iterator[Row]:
    """Encode and decode in turns with the peer. Processor seconds, for the machine may have other work."""
    if not (find_spec("torch") and find_spec("diffusers")):
        raise TorchMissingError
    import torch
    from diffusers import AutoencoderKLWan

    from backend.engines.wan.vae import Vae

    size, frames, rounds = _SIZE_PX, _FRAMES, _ROUNDS
    if bench.is_quick:
        size, frames, rounds = _QUICK_SIZE_PX, _QUICK_FRAMES, _QUICK_ROUNDS
    peers: Any = AutoencoderKLWan  # has no types
    ours, peer = Vae(), peers()
    torch.set_num_threads(1)  # idle threads wait in a loop, which would count
    clip, latents = torch.rand(3, frames, size, size) * 2 - 1, torch.randn(16, frames // 4 + 1, size // 8, size // 8)
    on = f"{size}x{size}, {frames} frames, float32, 1 thread, torch {torch.__version__}"
    with torch.inference_mode():
        decode = _race(lambda: ours.decode(latents), lambda: peer.decode(latents[None]), rounds)
        yield _row("VAE decode, beside diffusers", on, decode, _GOAL_DECODE)
        encode = _race(lambda: ours.encode(clip), lambda: peer.encode(clip[None]), rounds)
        yield _row("VAE encode, beside diffusers", on, encode, None)


def _race(ours: Callable[[], object], peers: Callable[[], object], rounds: int) -> list[tuple[float, float]]:
    """Processor seconds of both, in turns, after one of each that does not count."""
    return [(_seconds(ours), _seconds(peers)) for _ in range(rounds + 1)][1:]


def _seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def _row(what: str, on: str, times: list[tuple[float, float]], goal: float | None) -> Row:
    ratios = [ours / peer for ours, peer in times]
    ratio = statistics.median(ratios)
    ours_s, peer_s = (statistics.median(side) for side in zip(*times, strict=True))
    measured = f"{ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f}): {ours_s:.1f} s to {peer_s:.1f} s of processor"
    return Row(what, on, measured, f"at most {goal:.2f}" if goal else "", None if goal is None else ratio <= goal)
