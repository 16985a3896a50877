# SPDX-License-Identifier: GPL-3.0-or-later
"""The text encoder, streamed: the same bits as resident, within the budget; and how much memory there is to use."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from backend.contract.job import Mode
from backend.engines.wan import loading, residence
from backend.engines.wan.budget import text_living_bytes
from backend.engines.wan.footprint import Footprint
from backend.engines.wan.keys import Kind, TextSizes
from backend.engines.wan.loading import Networks
from backend.engines.wan.memory import BudgetTooSmallError, Weights, cargo, least_bytes, text_parts
from backend.engines.wan.networks import unfilled_text_encoder
from backend.engines.wan.residence import Residence, needs
from backend.engines.wan.settings import WanSettings
from backend.engines.wan.text import TextConfig
from backend.engines.wan.weights import Checkpoint, open_checkpoint

from . import checkpoints as small
from .simulated import SimulatedDevice

SIZES = TextSizes(vocab=320, dim=64, dim_attn=64, ffn_dim=128, heads=4, layers=6)
FORMS = {
    "bfloat16": lambda tensors: {key: value.bfloat16() for key, value in tensors.items()},
    "fp8, scaled": small.in_scaled_fp8,
}
COUNT = 9


@pytest.fixture(scope="module", params=FORMS)
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    content = small.in_diffusers_names(Kind.TEXT, small.tensors(Kind.TEXT, SIZES))
    path = tmp_path_factory.mktemp("model") / "text.safetensors"
    return open_checkpoint(small.write_safetensors(path, FORMS[request.param](content)), Kind.TEXT)


def asked() -> tuple[Tensor, Tensor]:
    ids = torch.zeros(512, dtype=torch.int64)
    ids[:COUNT] = torch.arange(5, 5 + COUNT)
    return ids, (torch.arange(512) < COUNT).long()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("times", "streams"), [(1.0, True), (1.3, True), (20.0, False)])
def test_a_streamed_text_encoder_says_the_same_to_the_bit(
    times: float, streams: bool, dtype: torch.dtype, opened: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = unfilled_text_encoder(SIZES)
    opened.load_into(whole, dtype)
    encoder = unfilled_text_encoder(SIZES)
    key = "token_embedding.weight"
    Weights(encoder).attach({key: opened.tensor(key, dtype)})
    parts = [cargo(part, opened.tensors, dtype) for part in text_parts(SIZES)]
    device = SimulatedDevice(1e9, int(times * least_bytes(parts)))
    monkeypatch.setattr(residence, "transport_to", lambda _: device)
    kept = SIZES.dim * dtype.itemsize
    with Residence(encoder, opened, dtype, torch.device("cpu"), device.budget_bytes + kept) as fed:
        encoder.before = fed.before
        for _ in range(2):  # for the prompt, and for what guidance leads away from
            assert torch.equal(encoder(*asked()), whole(*asked()))
    assert (device.copies > SIZES.layers) is streams
    assert 0 < device.peak_bytes <= device.budget_bytes
    assert (device.closed, device.live_bytes) == (True, 0)


def test_each_tensor_of_the_text_encoder_is_kept_or_travels(opened: Checkpoint) -> None:
    travels = [key for part in text_parts(SIZES) for key in part.keys]
    assert sorted([*travels, "token_embedding.weight", "norm.weight"]) == sorted(opened.tensors)


def test_at_the_real_size_the_text_encoder_runs_within_two_gigabytes() -> None:
    numbers = {key: torch.Size(shape).numel() for key, shape in TextSizes().table().items()}
    block = sum(numbers[key] for key in text_parts(TextSizes())[0].keys)
    assert 2 * 2 * block + text_living_bytes(TextConfig(), torch.bfloat16) < 2e9


def test_one_block_of_the_text_encoder_stands_for_all() -> None:
    config = TextConfig(vocabulary=SIZES.vocab, dim=64, dim_attention=64, dim_ffn=128, heads=4, layers=6)
    encoder, ids = unfilled_text_encoder(SIZES), torch.zeros(512, dtype=torch.int64, device="meta")
    with Footprint() as footprint:
        encoder(ids, torch.ones(512))
    assert text_living_bytes(config, torch.float32) == footprint.peak_bytes


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_always_stays_is_counted_as_it_is_decoded(dtype: torch.dtype, opened: Checkpoint) -> None:
    parts = [cargo(part, opened.tensors, dtype) for part in text_parts(SIZES)]
    assert needs(opened, dtype).least_bytes == least_bytes(parts) + SIZES.dim * dtype.itemsize


def test_half_of_the_machines_memory_is_used_unless_the_artist_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(residence, "machine_bytes", lambda: 32_000_000_000)
    assert residence.memory_bytes(torch.device("cpu"), 0.0) == 16_000_000_000
    assert residence.memory_bytes(torch.device("cpu"), 3.5) == 3_500_000_000


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.write_models_folder(tmp_path_factory.mktemp("models"))


def texts(models: Path, budget_bytes: int, monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    monkeypatch.setattr(loading, "memory_bytes", lambda device, wish_gb: budget_bytes)
    return Networks(WanSettings(models=models), Mode.ANIMATE).texts(with_negative=True)


def test_where_there_is_no_room_the_engine_streams_it(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = open_checkpoint(models / small.FILES[Kind.TEXT], Kind.TEXT)
    assert isinstance(checkpoint.sizes, TextSizes)
    living = text_living_bytes(unfilled_text_encoder(checkpoint.sizes).config, torch.float32)
    least = least_bytes([cargo(part, checkpoint.tensors, torch.float32) for part in text_parts(checkpoint.sizes)])
    kept = 4 * checkpoint.sizes.dim
    device = SimulatedDevice(1e9, least)
    monkeypatch.setattr(residence, "transport_to", lambda _: device)
    resident = texts(models, 1 << 30, monkeypatch)
    assert device.copies == 0
    streamed = texts(models, living + least + kept, monkeypatch)
    assert device.copies > 0
    assert all(torch.equal(*pair) for pair in zip(streamed, resident, strict=True))
    with pytest.raises(BudgetTooSmallError):
        texts(models, living + least + kept - 1, monkeypatch)
