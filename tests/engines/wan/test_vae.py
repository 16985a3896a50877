# SPDX-License-Identifier: GPL-3.0-or-later
"""The VAE against the official code's numbers and against diffusers; in time, in strips, in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from statistics import median
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKLWan
from torch import Tensor

from backend.engines.wan.footprint import Footprint
from backend.engines.wan.vae import (
    ClipSize,
    Vae,
    VaeConfig,
    VideoTooLargeError,
    peak_bytes,
    strips_within,
)
from backend.engines.wan.vae_layers import ResidualBlock

from . import vectors
from .peer_encoders import draw, peer_decode, peer_encode, peer_vae

TINY = VaeConfig(dim=8)
"""The real one has 96: all widths are its multiples."""
GB = 10**9


def vae_of(case: str) -> tuple[Vae, dict[str, Tensor], Tensor]:
    """The model of a golden case, its tensors, and its frames in [-1, 1]."""
    tensors, facts = vectors.load(case)
    vae = Vae(VaeConfig(dim=vectors.config(facts["model"])["dim"]))
    vae.load_state_dict(vectors.weights(facts["model"], facts["weight_seed"]))
    return vae, tensors, tensors["in.frames"].permute(3, 0, 1, 2) / 127.5 - 1


def tiny(seed: int = 0, config: VaeConfig = TINY) -> Vae:
    vae = Vae(config)
    draw(vae, seed)
    return vae


def clip(frames: int, height: int = 32, width: int = 48, seed: int = 0) -> Tensor:
    return torch.rand(3, frames, height, width, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def latents(frames: int, height: int = 4, width: int = 6, seed: int = 0) -> Tensor:
    return torch.randn(16, frames, height, width, generator=torch.Generator().manual_seed(seed))


def close(ours: Tensor, theirs: Tensor) -> bool:
    """Whether the largest difference is 1e-5 of the peer's largest number at most."""
    return bool((ours - theirs).abs().max() <= 1e-5 * theirs.abs().max())


@pytest.mark.parametrize("case", vectors.cases("vae/*"))
def test_the_official_code_encodes_and_decodes_to_the_same(case: str) -> None:
    vae, tensors, frames = vae_of(case)
    assert close(vae.encode(frames), tensors["out.encoded"])
    assert close(vae.encode(frames[:, :1]), tensors["out.encoded_first_frame"])
    assert close(vae.decode(tensors["out.encoded"]), tensors["out.decoded_encoded"])
    assert close(vae.decode(tensors["in.latents"]), tensors["out.decoded_latents"])


def test_a_golden_case_is_there() -> None:
    assert vectors.cases("vae/*")


@pytest.mark.parametrize("frames", [1, 5, 9, 17])
def test_diffusers_encodes_and_decodes_to_the_same(frames: int) -> None:
    vae = Vae(TINY)
    peer = peer_vae(TINY, draw(vae, seed=frames))
    assert close(vae.encode(clip(frames)), peer_encode(peer, TINY, clip(frames)))
    given = latents((frames - 1) // 4 + 1)
    assert close(vae.decode(given), peer_decode(peer, TINY, given))


def test_a_prefix_gives_the_same_bits() -> None:
    vae, frames, given = tiny(), clip(17), latents(5)
    assert torch.equal(vae.encode(frames[:, :9]), vae.encode(frames)[:, :3])
    assert torch.equal(vae.decode(given[:, :3]), vae.decode(given)[:, :9])


@pytest.mark.parametrize("strips", [1, 2])
def test_a_stream_gives_the_bits_of_the_whole(strips: int) -> None:
    vae, frames, given = tiny(), clip(13), latents(4)
    pieces = iter(frames.split([2, 1, 6, 4], dim=1))
    assert torch.equal(torch.cat(list(vae.encode_stream(pieces, strips)), dim=1), vae.encode(frames, strips))
    assert torch.equal(torch.cat(list(vae.decode_stream(given, strips)), dim=1), vae.decode(given, strips))


def test_a_stream_gives_what_it_knows_at_once() -> None:
    vae = tiny()
    assert [piece.shape[1] for piece in vae.decode_stream(latents(3))] == [1, 4, 4]
    given = iter(clip(9).split(1, dim=1))
    next(vae.encode_stream(given))
    assert len(list(given)) == 8


@pytest.mark.parametrize("frames", [0, 2, 4, 8])
def test_a_length_that_the_vae_can_not_have_is_refused(frames: int) -> None:
    with pytest.raises(ValueError, match="4n"):
        tiny().encode(clip(frames))


@pytest.mark.parametrize("strips", [1, 2])
def test_a_stream_of_any_length_takes_the_same_memory(strips: int) -> None:
    """Every storage that any op makes is counted from its making to its end."""
    vae = tiny()

    def encoding(groups: int) -> int:
        with Footprint() as footprint:
            pieces = (clip(4 if index else 1, 16, 16, seed=index) for index in range(groups))
            for _ in vae.encode_stream(pieces, strips):
                pass
        return footprint.peak_bytes

    def decoding(groups: int) -> int:
        given = latents(groups, 2, 2)
        with Footprint() as footprint:
            for _ in vae.decode_stream(given, strips):
                pass
        return footprint.peak_bytes

    assert encoding(4) == encoding(6) == encoding(9)
    assert decoding(4) == decoding(6) == decoding(9)


@pytest.mark.parametrize("strips", [2, 5])
def test_strips_are_exact_where_arithmetic_is(strips: int) -> None:
    """In float64 what is left is the last bit of the float32 result: a halo that lacked a row would show."""
    vae, frames, given = tiny().double(), clip(5, height=208, width=8), latents(2, height=26, width=1)
    torch.testing.assert_close(vae.encode(frames, strips), vae.encode(frames), rtol=2e-7, atol=1e-10)
    torch.testing.assert_close(vae.decode(given, strips), vae.decode(given), rtol=2e-7, atol=1e-10)


def test_a_halo_that_lacks_a_row_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    vae, frames, given = tiny().double(), clip(5, height=208, width=8), latents(2, height=26, width=1)
    encoded, decoded = vae.encode(frames), vae.decode(given)
    monkeypatch.setattr(ResidualBlock, "reach", 1)
    assert (vae.encode(frames, 2) - encoded).abs().max() > 1e-3
    assert (vae.decode(given, 2) - decoded).abs().max() > 1e-3


def test_strips_differ_by_rounding_in_float32() -> None:
    """Not always equal to the bit: oneDNN's convolutions sum in an order that depends on the picture's size."""
    vae, frames, given = tiny(), clip(9, height=208, width=16), latents(3, height=26, width=2)
    assert close(vae.encode(frames, 3), vae.encode(frames))
    assert close(vae.decode(given, 3), vae.decode(given))


@pytest.mark.parametrize("strips", [1, 2, 4])
def test_the_plan_is_what_is_held(strips: int) -> None:
    vae, frames = tiny(), clip(21, height=256, width=32)
    with Footprint() as encoding:
        given = vae.encode(frames, strips)
    with Footprint() as decoding:
        result = vae.decode(given, strips)
    held = max(encoding.peak_bytes, decoding.peak_bytes - result.nbytes)
    planned = peak_bytes(ClipSize(frames=21, height_px=256, width_px=32), torch.float32, strips, TINY)
    assert held <= planned <= 1.15 * held


def test_a_budget_is_met_by_as_few_strips_as_can_be() -> None:
    size = ClipSize(frames=77, height_px=464, width_px=832)
    needs = [peak_bytes(size, torch.bfloat16, strips) for strips in (1, 2, 3)]
    assert all(fewer > more for fewer, more in pairwise(needs))
    assert [strips_within(need, size, torch.bfloat16) for need in needs] == [1, 2, 3]


def test_tall_frames_are_cut_in_two_where_memory_would_not_ask_for_it() -> None:
    assert strips_within(100 * GB, ClipSize(frames=5, height_px=480, width_px=832), torch.float32) == 2
    assert strips_within(100 * GB, ClipSize(frames=5, height_px=720, width_px=1280), torch.float32) == 2


@pytest.mark.parametrize("strips", [1, 2])
def test_it_holds_less_than_diffusers(strips: int) -> None:
    """Counted on tensors without data, results included; in the two strips of a tall frame, 0.6 at most."""
    with torch.device("meta"):
        vae, frames, given = Vae(), torch.empty(3, 9, 480, 832), torch.empty(16, 3, 60, 104)
        peers: Any = AutoencoderKLWan  # has no types
        peer = peers().eval()

    def held(work: Callable[..., object], *given: object) -> int:
        with torch.inference_mode(), Footprint() as footprint:
            work(*given)
        return footprint.peak_bytes

    share = 0.6 if strips > 1 else 1
    assert held(vae.encode, frames, strips) <= share * held(peer.encode, frames[None])
    assert held(vae.decode, given, strips) <= share * held(peer.decode, given[None])


def test_a_budget_that_can_not_be_met_is_said() -> None:
    with pytest.raises(VideoTooLargeError, match="GB"):
        strips_within(1, ClipSize(frames=5, height_px=32, width_px=32), torch.float32, TINY)


def test_it_computes_in_the_dtype_of_its_weights_and_gives_float32() -> None:
    vae = tiny().to(torch.bfloat16)
    seen: set[torch.dtype] = set()
    for module in vae.modules():
        if not list(module.children()):
            module.register_forward_hook(lambda _module, _given, result: seen.add(result.dtype))
    encoded, decoded = vae.encode(clip(5)), vae.decode(10 * latents(2))
    assert seen == {torch.bfloat16}
    assert encoded.dtype == decoded.dtype == torch.float32
    assert decoded.abs().max() == 1


def test_bfloat16_is_no_further_off_than_that_of_diffusers() -> None:
    """By the median over ten seeds of the mean difference from the peer in float32, at most 1.2 times the peer's."""

    def ratio(seed: int) -> tuple[float, float]:
        vae = Vae(TINY)
        peer = peer_vae(TINY, draw(vae, seed))
        frames, given = clip(5, 16, 16, seed=seed), latents(2, 2, 2, seed=seed)
        encoded, decoded = peer_encode(peer, TINY, frames), peer_decode(peer, TINY, given)
        vae, peer = vae.to(torch.bfloat16), peer.to(torch.bfloat16)
        return (
            off(vae.encode(frames), encoded) / off(peer_encode(peer, TINY, frames), encoded),
            off(vae.decode(given), decoded) / off(peer_decode(peer, TINY, given), decoded),
        )

    def off(result: Tensor, truth: Tensor) -> float:
        return float((result - truth).abs().mean())

    for ratios in zip(*(ratio(seed) for seed in range(10)), strict=True):
        assert median(ratios) <= 1.2


def test_the_real_one_has_the_published_keys_shapes_and_size() -> None:
    with torch.device("meta"):
        table = {key: list(value.shape) for key, value in Vae().state_dict().items()}
    official = json.loads((vectors.FOLDER / "models" / "vae_full.json").read_text("utf-8"))["shapes"]
    assert table == official
    assert len(table) == 194
    assert sum(torch.Size(shape).numel() for shape in table.values()) == 126_892_531
