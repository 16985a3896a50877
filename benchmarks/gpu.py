# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m benchmarks.gpu [PART ...]`: the Wan engine on an NVIDIA card at its real sizes, beside diffusers.

Weights are random numbers: 17 billion of them in bfloat16, which ours and diffusers' model share, so a card of 80 GB
holds both. Parts: step, products, streamed, memory, vae; all in one call, or one a call. `--tiny` runs the same code
with small networks on any machine, to prove that it runs; its numbers mean nothing. What can't be measured says so.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

from backend.engines.wan.eight_bit import EIGHT_BIT, EightBitUnavailableError, require_card
from backend.engines.wan.eight_bit_weights import in_eight_bits
from backend.engines.wan.keys import DitSizes, Kind
from backend.engines.wan.networks import transformer_config, unfilled_transformer
from backend.engines.wan.residence import Residence, needs
from backend.engines.wan.stored import plain
from backend.engines.wan.transformer import Context, Transformer, Window
from backend.engines.wan.vae import Vae, VaeConfig
from backend.engines.wan.weights import Checkpoint

from .table import Row, markdown

_STEP_GOALS = {"480p": 0.70, "720p": 0.80}
_MEMORY_GOALS_GB = {"480p": 4.0, "720p": 6.0}
_STREAMED_GOAL, _VAE_GOAL, _PRODUCTS_GOAL = 1.05, 0.60, 0.90
_TINY_SIZES = DitSizes(
    dim=256, ffn_dim=512, layers=10, text_dim=64, image_dim=160, face_dim=64, motion_dim=6, motion_channels=(8, 12, 16)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clip:
    """A window's size."""

    name: str
    width_px: int
    height_px: int
    frames: int

    @property
    def latent_frames(self) -> int:
        return (self.frames - 1) // 4 + 1

    def __str__(self) -> str:
        return f"{self.width_px}x{self.height_px}, {self.frames} frames"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setting:
    """On what is measured. peer: whether diffusers is here."""

    device: torch.device
    sizes: DitSizes
    vae: VaeConfig
    clips: tuple[_Clip, ...]
    rounds: int
    peer: bool

    @property
    def on(self) -> str:
        is_cuda = self.device.type == "cuda"
        return f"{torch.cuda.get_device_name(self.device) if is_cuda else 'processor'}, torch {torch.__version__}"


def step(setting: _Setting) -> Iterator[Row]:
    """Time a step beside that of diffusers, which computes what is the same in all steps in each of them."""
    weights = _weights(setting)
    ours = _filled(setting, weights)
    peer = _peer(setting, weights) if setting.peer else None
    for clip in setting.clips:
        given = _given(setting, clip)
        context, window = _seen(ours, given)

        own = partial(ours, given["x"], 500, context, window)
        theirs = partial(_their_step, peer, given) if peer else None
        what = f"step at {clip.name}, bf16, beside diffusers"
        row = _beside(what, f"{clip}, {setting.on}", setting, own, theirs, _STEP_GOALS[clip.name])
        yield _compared(row, own, theirs) if theirs else row


def _compared(row: Row, own: Callable[[], Tensor], theirs: Callable[[], Tensor]) -> Row:
    """Add to a row how far two sides are apart."""
    found, truth = own(), theirs()
    error = float((found - truth).norm() / truth.norm())
    return replace(row, measured=f"{row.measured}; they differ by {error:.4f} of their norm")


def _filled(setting: _Setting, weights: dict[str, Tensor]) -> Transformer:
    ours = unfilled_transformer(setting.sizes).eval()
    ours.load_state_dict(weights, assign=True)
    return ours


def _their_step(peer: Any, given: dict[str, Tensor]) -> Tensor:
    (answer,) = peer(
        hidden_states=torch.cat([given["x"], given["condition"]])[None].bfloat16(),
        timestep=torch.tensor([500], device=given["x"].device),
        encoder_hidden_states=given["text"][None].bfloat16(),
        encoder_hidden_states_image=given["image"][None].bfloat16(),
        pose_hidden_states=given["pose"][None].bfloat16(),
        face_pixel_values=given["faces"][None].bfloat16(),
        return_dict=False,
    )
    return torch.as_tensor(answer[0].float())


def products(setting: _Setting) -> Iterator[Row]:
    """Time a step whose blocks multiply in fp8 beside one with the same weights in bfloat16; all stay on the card."""
    what, goal = "step with fp8 products, beside bf16", f"at most {_PRODUCTS_GOAL}"
    try:
        require_card(setting.device)
    except EightBitUnavailableError as error:
        yield Row(what, setting.on, f"not measured: {error.reason}", goal, None)
        return
    eight = _in_eight_bits(_weights(setting))
    plain_step = _filled(setting, {key: value.to(setting.device, torch.bfloat16) for key, value in eight.items()})
    checkpoint = in_eight_bits(_checkpoint(eight, setting.sizes), [])
    for clip in setting.clips:
        given = _given(setting, clip)
        own = _streaming(setting, checkpoint, sys.maxsize, given)
        theirs = partial(plain_step, given["x"], 500, *_seen(plain_step, given))
        row = _beside(f"{what}, {clip.name}", f"{clip}, {setting.on}", setting, own, theirs, _PRODUCTS_GOAL)
        yield _compared(row, own, theirs)


def streamed(setting: _Setting) -> Iterator[Row]:
    """Time a step whose blocks all come over the bus beside one whose weights all stay."""
    checkpoint = _checkpoint({key: value.cpu() for key, value in _weights(setting).items()}, setting.sizes)
    clip = setting.clips[0]
    given, budgets = _given(setting, clip), (needs(checkpoint, torch.bfloat16).least_bytes, sys.maxsize)
    times = []
    for budget_bytes in budgets:
        run = _streaming(setting, checkpoint, budget_bytes, given)
        times.append(statistics.median([_seconds(run, setting.device) for _ in range(setting.rounds + 1)][1:]))
        del run
    ratio = times[0] / times[1]
    measured = f"{ratio:.3f}: {times[0]:.2f} s to {times[1]:.2f} s"
    on = f"{clip}, bf16, {budgets[0] / 1e9:.2f} GB for weights, {setting.on}"
    yield Row(
        "streamed step, to one whose weights stay", on, measured, f"at most {_STREAMED_GOAL}", ratio <= _STREAMED_GOAL
    )


def memory(setting: _Setting) -> Iterator[Row]:
    """Tell the peak of a step whose weights are kept in fp8 and streamed."""
    checkpoint = _checkpoint(_in_eight_bits(_weights(setting)), setting.sizes)
    for clip in setting.clips:
        goal = _MEMORY_GOALS_GB[clip.name]
        run = _streaming(setting, checkpoint, needs(checkpoint, torch.bfloat16).least_bytes, _given(setting, clip))
        peak_gb = _peak_gb(run, setting.device)
        del run
        measured = "not measured: no CUDA" if peak_gb is None else f"{peak_gb:.2f} GB"
        met = None if peak_gb is None else peak_gb <= goal
        yield Row(
            f"peak memory of a step at {clip.name}, fp8, streamed",
            f"{clip}, {setting.on}",
            measured,
            f"at most {goal} GB",
            met,
        )


def vae(setting: _Setting) -> Iterator[Row]:
    """Time the VAE beside that of diffusers in float32, as the engine computes, and in bfloat16."""
    peer: Any = None
    if setting.peer:
        from diffusers import AutoencoderKLWan

        made: Any = AutoencoderKLWan  # has no types
        peer = made(base_dim=setting.vae.dim).to(setting.device).eval()
    for dtype in (torch.float32, torch.bfloat16):
        ours = Vae(setting.vae).to(setting.device, dtype).eval()
        for clip in setting.clips:
            size = clip.height_px, clip.width_px
            frames = torch.rand(3, clip.frames, *size, device=setting.device) * 2 - 1
            latents = torch.randn(16, clip.latent_frames, size[0] // 8, size[1] // 8, device=setting.device)
            on = f"{clip}, ours in {dtype}, diffusers in float32, {setting.on}"
            runs = (("decode", ours.decode, latents), ("encode", ours.encode, frames))
            for what, work, given in runs:
                theirs = partial(getattr(peer, what), given[None]) if peer else None
                yield _beside(f"VAE {what} at {clip.name}", on, setting, partial(work, given), theirs, _VAE_GOAL)


_PARTS: dict[str, Callable[[_Setting], Iterator[Row]]] = {
    "step": step,
    "products": products,
    "streamed": streamed,
    "memory": memory,
    "vae": vae,
}


def _weights(setting: _Setting) -> dict[str, Tensor]:
    """Draw all parameters in bfloat16, on the device, so small that nothing grows beyond bounds over the blocks."""
    drawn = {}
    for key, shape in setting.sizes.table().items():
        if len(shape) == 1:
            value = torch.zeros(shape) if key.endswith("bias") else torch.ones(shape)
            drawn[key] = value.to(setting.device, torch.bfloat16)
        else:
            drawn[key] = torch.randn(shape, device=setting.device, dtype=torch.bfloat16) * 0.02
    return drawn


def _in_eight_bits(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Round the matrices to fp8, in the machine's memory."""
    return {key: (value.to(EIGHT_BIT) if value.ndim == 2 else value).cpu() for key, value in weights.items()}


def _peer(setting: _Setting, weights: dict[str, Tensor]) -> Any:
    """Fill diffusers' model with the same storage, its own parts in float32; its tables are those of a small one."""
    from tests.engines.wan.peer_transformer import in_their_names, peer_of

    config = transformer_config(setting.sizes)
    with torch.device("meta"):
        theirs = peer_of(config)
    named = {name: value for name, value in in_their_names(weights).items() if name in theirs.state_dict()}
    theirs.load_state_dict(named, assign=True)
    for name, table in peer_of(replace(config, layers=1)).named_buffers():
        owner, _, own = name.rpartition(".")
        setattr(theirs.get_submodule(owner), own, table.to(setting.device))
    for name, parameter in theirs.named_parameters():
        if any(part in name.split(".") for part in theirs._keep_in_fp32_modules):
            parameter.data = parameter.data.float()
    return theirs


def _given(setting: _Setting, clip: _Clip) -> dict[str, Tensor]:
    """Draw what a step takes."""
    config = transformer_config(setting.sizes)
    count, height, width = clip.latent_frames, clip.height_px // 8, clip.width_px // 8
    face_px = config.face.picture_size_px
    shapes = {
        "x": (16, count + 1, height, width),
        "condition": (20, count + 1, height, width),
        "pose": (16, count, height, width),
        "faces": (3, clip.frames, face_px, face_px),
        "text": (config.text_tokens, config.text_dim),
        "image": (257, config.image_dim),
    }
    return {name: torch.randn(shape, device=setting.device) for name, shape in shapes.items()}


def _seen(ours: Transformer, given: dict[str, Tensor]) -> tuple[Context, Window]:
    context = ours.encode_context(given["text"], given["image"])
    return context, ours.encode_window(given["pose"], given["condition"], ours.encode_faces(given["faces"]))


def _checkpoint(weights: dict[str, Tensor], sizes: DitSizes) -> Checkpoint:
    """Stand in for an opened file with weights that lie in the machine's memory."""
    tensors = {
        key: plain(tuple(value.shape), value.dtype, partial(weights.__getitem__, key)) for key, value in weights.items()
    }
    return Checkpoint(kind=Kind.DIT, files=(), sizes=sizes, tensors=tensors)


def _streaming(
    setting: _Setting, checkpoint: Checkpoint, budget_bytes: int, given: dict[str, Tensor]
) -> Callable[[], Tensor]:
    """Make a step whose weights are given so much of the device."""
    ours = unfilled_transformer(setting.sizes).eval()
    residence = Residence(ours, checkpoint, torch.bfloat16, setting.device, budget_bytes)
    ours.before = residence.before
    (context, window), x = _seen(ours, given), given["x"]
    return partial(ours, x, 500, context, window)


def _beside(
    what: str, on: str, setting: _Setting, own: Callable[[], object], theirs: Callable[[], object] | None, goal: float
) -> Row:
    """Run both in turns, after one of each that does not count, and word the median of the ratios."""
    sides = [own] if theirs is None else [own, theirs]
    rounds = [[_seconds(side, setting.device) for side in sides] for _ in range(setting.rounds + 1)][1:]
    words = []
    for side, times in zip(sides, zip(*rounds, strict=True), strict=True):
        peak_gb = _peak_gb(side, setting.device)
        words.append(f"{statistics.median(times):.2f} s" + ("" if peak_gb is None else f", {peak_gb:.1f} GB"))
    if theirs is None:
        return Row(what, on, f"{words[0]}; no diffusers here to compare with", f"at most {goal}", None)
    ratio = statistics.median(own_s / theirs_s for own_s, theirs_s in rounds)
    return Row(what, on, f"{ratio:.2f}: {' to '.join(words)}", f"at most {goal}", ratio <= goal)


def _seconds(run: Callable[[], object], device: torch.device) -> float:
    start = time.perf_counter()
    run()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def _peak_gb(run: Callable[[], object], device: torch.device) -> float | None:
    """Tell the most that the allocator gave out, weights that lie there included; None where it does not count."""
    if device.type != "cuda":
        return None
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)
    run()
    torch.cuda.synchronize(device)
    return torch.cuda.max_memory_allocated(device) / 1e9


def main(words: list[str] | None = None) -> int:
    """Measure the parts that were named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*_PARTS, []], metavar="PART", help=", ".join(_PARTS))
    parser.add_argument("--tiny", action="store_true", help="small networks, on any machine: to try the code")
    asked = parser.parse_args(words)
    if not (asked.tiny or torch.cuda.is_available()):
        sys.stderr.write("No CUDA here: the real sizes are not measured. --tiny tries the code.\n")
        return 1
    setting = _setting(is_tiny=asked.tiny)
    rows = []
    with torch.inference_mode():
        for name in asked.parts or _PARTS:
            for row in _PARTS[name](setting):
                rows.append(replace(row, met=None) if asked.tiny else row)
                sys.stderr.write(f"{markdown(rows[-1:]).splitlines()[-1]}\n")
    peer = f"diffusers {version('diffusers')}" if setting.peer else "no diffusers"
    if asked.tiny:
        sys.stdout.write("Small networks: these numbers mean nothing.\n")
    sys.stdout.write(f"Measured on {setting.on}, {peer}, {datetime.now(UTC):%Y-%m-%d}.\n\n{markdown(rows)}\n")
    return 0


def _setting(*, is_tiny: bool) -> _Setting:
    is_cuda = torch.cuda.is_available()
    clips = (
        _Clip(name="480p", width_px=832, height_px=480, frames=77),
        _Clip(name="720p", width_px=1280, height_px=720, frames=77),
    )
    small = tuple(_Clip(name=clip.name, width_px=96, height_px=64, frames=5) for clip in clips)
    return _Setting(
        device=torch.device("cuda" if is_cuda else "cpu"),
        sizes=_TINY_SIZES if is_tiny else DitSizes(),
        vae=VaeConfig(dim=16) if is_tiny else VaeConfig(),
        clips=small if is_tiny else clips,
        rounds=1 if is_tiny else 3,
        peer=find_spec("diffusers") is not None,
    )


if __name__ == "__main__":
    sys.exit(main())
