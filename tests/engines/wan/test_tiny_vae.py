# SPDX-License-Identifier: GPL-3.0-or-later
"""The tiny VAE against its published figure, written out here over whole clips by torch's functions."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from backend.engines.wan.budget import Work, living_bytes
from backend.engines.wan.containers import CheckpointDamagedError
from backend.engines.wan.footprint import Footprint
from backend.engines.wan.keys import Kind, TinyVaeSizes
from backend.engines.wan.models import Role, check_models
from backend.engines.wan.networks import unfilled_tiny_vae
from backend.engines.wan.tiny_vae import TinyVae
from backend.engines.wan.transformer import TransformerConfig
from backend.engines.wan.weights import WrongModelError, open_checkpoint

from .checkpoints import tiny_vae, write_pth, write_safetensors


def clip(frames: int) -> Tensor:
    return 2 * torch.randn(16, frames, 3, 5, generator=torch.Generator().manual_seed(7))


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    return tiny_vae()


@pytest.fixture(scope="module")
def network(weights: dict[str, Tensor]) -> TinyVae:
    network = TinyVae()
    network.load_state_dict({key: value for key, value in weights.items() if key.startswith("decoder.")})
    return network.eval()


def decoded(weights: dict[str, Tensor], latents: Tensor) -> Tensor:
    """Decode a whole clip at once: `3 4f-3 8h 8w` of 0..1. Of the frames, the first three are not to be shown."""

    def conv(name: str, x: Tensor) -> Tensor:
        weight = weights[f"decoder.{name}.weight"]
        return F.conv2d(x, weight, weights.get(f"decoder.{name}.bias"), padding=weight.shape[-1] // 2)

    def block(index: int, x: Tensor) -> Tensor:
        y = torch.cat([x, F.pad(x, (0, 0, 0, 0, 0, 0, 1, 0))[:-1]], dim=1)
        for part in (0, 2):
            y = F.relu(conv(f"{index}.conv.{part}", y))
        return F.relu(conv(f"{index}.conv.4", y) + x)

    x = F.relu(conv("1", torch.tanh(latents.movedim(1, 0) / 3) * 3))
    for first in (3, 9, 15):
        for index in range(first, first + 3):
            x = block(index, x)
        x = x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
        grown = conv(f"{first + 4}.conv", x)
        x = conv(str(first + 5), grown.reshape(-1, *x.shape[1:]))
    return conv("22", F.relu(x)).clamp(0, 1)[3:].movedim(0, 1)


def test_the_table_is_that_of_the_module_and_has_the_published_layers() -> None:
    table = TinyVaeSizes().table()
    assert {key: tuple(value.shape) for key, value in unfilled_tiny_vae().state_dict().items()} == table
    numbered = {1, 3, 4, 5, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 19, 20, 22}
    assert {int(key.split(".")[1]) for key in table} == numbered


@pytest.mark.parametrize("frames", [1, 2, 5, 11])
def test_the_last_frame_is_that_of_the_whole_clip(frames: int, weights: dict[str, Tensor], network: TinyVae) -> None:
    latents = clip(11)[:, :frames]
    whole = 2 * decoded(weights, latents) - 1
    assert whole.shape == (3, 4 * frames - 3, 24, 40)
    assert whole.std() > 0.1
    torch.testing.assert_close(network.last_frame(latents), whole[:, -1], atol=1e-5, rtol=0)


def test_as_far_back_as_is_read_everything_matters(network: TinyVae) -> None:
    latents = clip(11)
    shown = network.last_frame(latents)
    for back, matters in ((7, True), (8, False)):
        changed = latents.clone()
        changed[:, -1 - back] += 1
        assert torch.equal(network.last_frame(changed), shown) is not matters


@pytest.mark.parametrize("size", [(832, 480), (1280, 720)])
def test_a_frame_takes_less_memory_than_a_step(size: tuple[int, int]) -> None:
    """So the memory that is kept free for steps is enough for it, even in windows of five frames."""
    width, height = size
    work = Work(windows=(5,), width_px=width, height_px=height, steps=1, ways=1)
    with torch.device("meta"):
        given = torch.empty(16, 9, height // 8, width // 8)
    with Footprint() as footprint:
        unfilled_tiny_vae().last_frame(given)
    assert footprint.peak_bytes < living_bytes(work, TransformerConfig(), torch.float32)


@pytest.mark.parametrize("name", ["taew2_1.pth", "vae_approx/taew2_1.safetensors"])
def test_the_file_is_known_by_its_tensors_and_its_name(name: str, weights: dict[str, Tensor], tmp_path: Path) -> None:
    half = {key: value.half() for key, value in weights.items()}
    path = tmp_path / name
    (write_pth if path.suffix == ".pth" else write_safetensors)(path, half)
    [file] = check_models(tmp_path).files
    assert (file.role, file.detail, file.fault) == (Role.TINY_VAE, "float16", "")
    assert "MIT" in file.licence
    opened = open_checkpoint(path, Kind.TINY_VAE)
    assert set(opened.tensors) == set(TinyVaeSizes().table())


@pytest.mark.parametrize("name", ["taehv.pth", "lighttaew2_1.pth", "taew2_2.pth"])
def test_one_for_other_latents_is_not_taken(name: str, weights: dict[str, Tensor], tmp_path: Path) -> None:
    path = write_pth(tmp_path / name, weights)
    found = check_models(tmp_path)
    assert Role.TINY_VAE not in found.chosen
    assert "another model's latents" in found.files[0].detail
    with pytest.raises(WrongModelError, match="tiny VAE"):
        open_checkpoint(path, Kind.TINY_VAE)


def test_a_tensor_that_is_missing_is_named(weights: dict[str, Tensor], tmp_path: Path) -> None:
    lacking = {key: value for key, value in weights.items() if key != "decoder.16.conv.2.bias"}
    with pytest.raises(CheckpointDamagedError, match=r"decoder\.16\.conv\.2\.bias"):
        open_checkpoint(write_pth(tmp_path / "taew2_1.pth", lacking), Kind.TINY_VAE)
