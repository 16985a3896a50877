# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks are loaded within the memory that they may use, and what can't be is refused before anything is."""

from __future__ import annotations

from math import prod
from pathlib import Path

import pytest
import torch

from backend.contract.job import Mode
from backend.engines.wan.attention import AttentionKernel, AttentionKernelMissingError
from backend.engines.wan.budget import Work, living_bytes
from backend.engines.wan.keys import Kind
from backend.engines.wan.loading import Networks, whole_bytes
from backend.engines.wan.memory import BudgetTooSmallError
from backend.engines.wan.settings import WanSettings
from backend.engines.wan.vae import ClipSize, VaeConfig, VideoTooLargeError, peak_bytes
from backend.engines.wan.weights import open_checkpoint

from .checkpoints import TINY, write_models_folder

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
    assert whole_bytes(checkpoint, torch.bfloat16) == 2 * numbers


def test_with_room_the_vae_works_in_one_piece(models: Path) -> None:
    assert networks(models, memory_gb=4.0).models(WORK).strips == 1


def test_with_less_it_is_cut_so_that_weights_keep_the_rest(models: Path) -> None:
    whole = peak_bytes(SIZE, torch.float32, 1, VaeConfig(dim=16))
    living = living_bytes(WORK, networks(models).transformer_config, torch.float32)
    assert living < whole
    strips = networks(models, memory_gb=3.0 * whole / 1e9).models(WORK).strips
    assert strips > 1
    assert peak_bytes(SIZE, torch.float32, strips, VaeConfig(dim=16)) <= max(living, 0.75 * whole)


def test_with_too_little_it_is_said_how_much_is_needed(models: Path) -> None:
    with pytest.raises((BudgetTooSmallError, VideoTooLargeError), match="GB"):
        networks(models, memory_gb=0.02).models(WORK)


@pytest.mark.parametrize("kernel", [AttentionKernel.SAGE, AttentionKernel.FLASH])
def test_a_package_for_attention_that_is_not_there_is_refused_at_once(models: Path, kernel: AttentionKernel) -> None:
    with pytest.raises(AttentionKernelMissingError, match=kernel):
        networks(models, attention=kernel)
