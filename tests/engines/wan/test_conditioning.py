# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks, known frames and the reference as the official system hands them to the model."""

import numpy as np
import pytest
import torch
from torch import Tensor

from backend.engines.wan.conditioning import Plate, WindowFrames, conditions, packed, signed
from backend.engines.wan.reference import letterboxed
from backend.engines.wan.vae import Vae, VaeConfig

from .vectors import cases, load, weights

TOLERANCE = 2e-5


@pytest.fixture(scope="module")
def vae() -> Vae:
    small = Vae(VaeConfig(dim=16))
    small.load_state_dict(weights("vae_tiny", 1))
    return small


@pytest.mark.parametrize("mode", ["animate", "replace"])
@pytest.mark.parametrize("case", cases("conditioning/*"))
def test_what_the_model_sees_is_what_the_official_system_shows_it(case: str, mode: str, vae: Vae) -> None:
    tensors, facts = load(case)
    size = facts["width"], facts["height"]
    fitted = letterboxed(tensors["in.reference"].numpy(), *size)
    assert np.array_equal(fitted, tensors["mid.reference_letterboxed"])
    reference = vae.encode(signed(fitted[None]))
    stride = facts["window"] - facts["overlap"]
    for index, carried in enumerate([None, tensors[f"in.{mode}_previous"]]):
        frames = slice(index * stride, index * stride + facts["window"])
        pose = tensors["in.pose"][frames].numpy()
        plate = Plate(frames=tensors["in.background"][frames].numpy(), region=tensors["in.mask"][frames].numpy())
        given = WindowFrames(pose=pose, faces=pose, plate=plate if mode == "replace" else None)
        y = conditions(reference, given, carried, vae.encode, torch.float32)
        assert (y - tensors[f"out.{mode}_y_{index}"]).abs().max() <= TOLERANCE
        assert (vae.encode(signed(pose)) - tensors[f"out.pose_latents_{index}"]).abs().max() <= TOLERANCE
        seen = torch.cat([tensors[f"in.{mode}_x_{index}"], y])
        assert (seen - tensors[f"out.{mode}_model_input_{index}"]).abs().max() <= TOLERANCE


def test_the_first_frame_fills_its_channels_and_each_later_one_has_its_own() -> None:
    numbered: Tensor = torch.arange(5.0)[:, None, None]
    assert packed(numbered)[:, :, 0, 0].tolist() == [[0, 1], [0, 2], [0, 3], [0, 4]]


@pytest.mark.parametrize(("carried", "whole_latents"), [(1, 1), (5, 2)])
def test_carried_frames_make_whole_latent_frames_known_and_no_part_of_another(carried: int, whole_latents: int) -> None:
    known = torch.zeros(13, 2, 2)
    known[:carried] = 1
    assert packed(known)[:, :whole_latents].eq(1).all()
    assert packed(known)[:, whole_latents:].eq(0).all()
