# SPDX-License-Identifier: GPL-3.0-or-later
"""What a shot is said to take, held against arithmetic by hand and against runs that are counted whole."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from backend.engines.wan import budget
from backend.engines.wan.budget import Work, seconds_of, step, vae_operations
from backend.engines.wan.transformer import Transformer, TransformerConfig
from backend.engines.wan.vae import Vae, VaeConfig

from .peer_transformer import TINY, inputs

SMALL_VAE = VaeConfig(dim=16)


@pytest.mark.parametrize(("width_px", "height_px", "frames"), [(832, 480, 77), (1280, 720, 41)])
def test_a_step_of_the_released_model_takes_what_its_matrices_take(width_px: int, height_px: int, frames: int) -> None:
    dim, ffn_dim, layers, context = 5120, 13824, 40, 512 + 257
    face_blocks, faces_seen, patch, latent_frames = 8, 5, 4, (frames - 1) // 4 + 2
    n = latent_frames * (width_px // 16) * (height_px // 16)
    blocks = 8 * n * dim**2 + 4 * n**2 * dim  # self-attention
    blocks += 4 * n * dim**2 + 4 * n * context * dim  # cross-attention
    blocks += 4 * n * dim * ffn_dim
    faces = 4 * n * dim**2 + 4 * n * faces_seen * dim
    rest = 2 * n * dim * patch * (36 + 16) + 2 * dim * (256 + dim + 6 * dim)
    counted = step(TransformerConfig(), frames, width_px, height_px, torch.bfloat16).operations
    assert counted == pytest.approx(layers * blocks + face_blocks * faces + rest, rel=1e-6)


def test_one_block_stands_for_all() -> None:
    given = inputs(1)
    x, condition, pose, faces, text, image = (
        each.to("meta") for each in (given.x, given.condition, given.pose, given.faces, given.text, given.image)
    )
    with torch.device("meta"):
        model = Transformer(TINY)
    with torch.inference_mode():
        context = model.encode_context(text, image)
        window = model.encode_window(pose, condition, model.encode_faces(faces))
        with FlopCounterMode(display=False) as counter:
            model(x, 0, context, window)
    _, latent_frames, height, width = x.shape
    counted = step(TINY, 4 * (latent_frames - 2) + 1, 8 * width, 8 * height, torch.float32)
    assert counted.operations == counter.get_total_flops()


def test_a_latent_frame_is_encoded_twice_and_decoded_once() -> None:
    def whole(latent_frames: int) -> int:
        with torch.device("meta"), FlopCounterMode(display=False) as counter:
            vae = Vae(SMALL_VAE)
            for _ in range(2):
                vae.encode(torch.empty(3, 4 * latent_frames - 3, 64, 96))
            vae.decode(torch.empty(16, latent_frames, 8, 12))
        return counter.get_total_flops()

    assert vae_operations(SMALL_VAE, 96, 64) == pytest.approx(whole(5) - whole(4), rel=1e-3)


def test_more_windows_and_both_ways_take_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "operations_per_second", lambda dtype, device: 1e12)

    def of(windows: tuple[int, ...], ways: int) -> float:
        work = Work(windows=windows, width_px=96, height_px=64, steps=400, ways=ways)
        return seconds_of(work, TINY, SMALL_VAE, torch.float32, torch.device("cpu"))

    once_s, often_s, both_s = of((9,), 1), of((9,) * 8, 1), of((9,), 2)
    assert often_s == pytest.approx(8 * once_s)
    assert once_s < both_s <= 2 * once_s
