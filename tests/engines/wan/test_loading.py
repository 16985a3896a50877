# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks are loaded within the memory that they may use, and what can't be is refused before anything is."""

from __future__ import annotations

from math import prod
from pathlib import Path

import pytest
import torch

from backend.contract.job import Mode
from backend.engines.wan import loading
from backend.engines.wan.attention import AttentionKernel, AttentionKernelMissingError
from backend.engines.wan.budget import Work, living_bytes
from backend.engines.wan.keys import Kind
from backend.engines.wan.loading import Networks, Shares, decoded_bytes
from backend.engines.wan.memory import BudgetTooSmallError
from backend.engines.wan.settings import WanSettings
from backend.engines.wan.vae import ClipSize, VaeConfig, VideoTooLargeError, peak_bytes
from backend.engines.wan.weights import open_checkpoint

from .checkpoints import TINY, relighting, write_models_folder

WORK = Work(windows=(9,), width_px=320, height_px=192, steps=1, ways=1)
SIZE = ClipSize(frames=9, height_px=192, width_px=320)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_models_folder(tmp_path_factory.mktemp("models"))


def networks(models: Path, **settings: object) -> Networks:
    given = WanSettings(models=models, **settings)  # type: ignore[arg-type]
    return Networks(given, Mode.REPLACE)


def test_what_a_network_takes_is_the_sum_of_its_numbers(models: Path) -> None:
    checkpoint = open_checkpoint(models / "Wan2.1_VAE.pth", Kind.VAE)
    numbers = sum(prod(shape) for shape in TINY[Kind.VAE].table().values())
    assert decoded_bytes(checkpoint, torch.bfloat16) == 2 * numbers


def test_with_room_the_vae_works_in_one_piece(models: Path) -> None:
    assert networks(models, memory_gb=4.0).models(WORK).strips == 1


def test_with_less_it_is_cut_so_that_weights_keep_the_rest(models: Path) -> None:
    whole = peak_bytes(SIZE, torch.float32, 1, VaeConfig(dim=16))
    living = living_bytes(WORK, networks(models).transformer_config, torch.float32)
    assert living < whole
    strips = networks(models, memory_gb=3.0 * whole / 1e9).models(WORK).strips
    assert strips > 1
    assert peak_bytes(SIZE, torch.float32, strips, VaeConfig(dim=16)) <= max(living, 0.75 * whole)


def test_memory_is_said_as_the_file_lies_there_and_no_more_than_there_is(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "_VAE_SHARE", 1)  # so small, the VAE is the larger part
    small = Work(windows=(5,), width_px=64, height_px=64, steps=1, ways=1)

    def shares(memory_bytes: int) -> Shares:
        return networks(models, memory_gb=memory_bytes / 1e9).shares(small)

    whole = shares(1 << 30)
    checkpoint = open_checkpoint(models / "diffusion_pytorch_model.safetensors.index.json", Kind.DIT)
    decoded = 4 * sum(prod(shape) for key, shape in TINY[Kind.DIT].table().items() if key.startswith("blocks.0."))
    lora_bytes = sum(value.nbytes for value in relighting().values())
    # bfloat16 in the file, decoded a part at a time; what is used once a job or a window is not there with the blocks
    assert 0.5 * checkpoint.nbytes < whole.needs.whole_bytes < checkpoint.nbytes + lora_bytes + 3 * decoded
    assert whole.peak_bytes == whole.other_bytes + whole.needs.whole_bytes
    streamed = shares(whole.other_bytes + (whole.needs.least_bytes + whole.needs.whole_bytes) // 2)
    streamed.require()
    assert streamed.peak_bytes == streamed.other_bytes + streamed.left_bytes < whole.peak_bytes
    little = shares(whole.other_bytes + whole.needs.least_bytes - 1000)
    assert little.peak_bytes == little.other_bytes + little.needs.least_bytes
    with pytest.raises(BudgetTooSmallError):
        little.require()


def test_with_too_little_it_is_said_how_much_is_needed(models: Path) -> None:
    with pytest.raises((BudgetTooSmallError, VideoTooLargeError), match="GB"):
        networks(models, memory_gb=0.02).models(WORK)


@pytest.mark.parametrize("kernel", [AttentionKernel.SAGE, AttentionKernel.FLASH])
def test_a_package_for_attention_that_is_not_there_is_refused_at_once(models: Path, kernel: AttentionKernel) -> None:
    with pytest.raises(AttentionKernelMissingError, match=kernel):
        networks(models, attention=kernel)
