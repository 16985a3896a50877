# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion encoder, face encoder and face blocks, each against that of diffusers with the same weights."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from backend.engines.wan.attention import KeysValues
from backend.engines.wan.face import Blur, FaceConfig, MotionEncoder, with_reference

from .peer_transformer import TINY, peer, relative_error, tiny_weights, transformer

TOLERANCE = 1e-5


def drawn(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("seed", range(3))
@torch.inference_mode()
def test_a_face_has_the_motion_that_diffusers_sees(seed: int) -> None:
    weights, faces = tiny_weights(seed), drawn(3, 3, TINY.face.picture_size_px, TINY.face.picture_size_px)
    ours, theirs = transformer(weights).motion_encoder(faces), peer(weights).motion_encoder(faces)
    assert relative_error(ours, theirs) <= TOLERANCE


@pytest.mark.parametrize("frames", [1, 5, 13])
@torch.inference_mode()
def test_motion_becomes_the_face_tokens_of_diffusers(frames: int) -> None:
    weights, motion = tiny_weights(1), drawn(frames, TINY.face.motion_dim)
    ours, theirs = transformer(weights).face_encoder(motion), peer(weights).face_encoder(motion[None])[0]
    assert ours.shape == ((frames - 1) // 4 + 1, TINY.face.local_tokens + 1, TINY.dim)
    assert relative_error(ours, theirs) <= TOLERANCE


@torch.inference_mode()
def test_a_face_block_adds_what_that_of_diffusers_adds() -> None:
    weights, tokens, faces = tiny_weights(2), drawn(3 * 8, TINY.dim), drawn(3, 5, TINY.dim)
    ours, theirs = transformer(weights).face_adapter.blocks[1], peer(weights).face_adapter[1]
    assert relative_error(ours(tokens, ours.keys_values(faces)), theirs(tokens[None], faces[None])[0]) <= TOLERANCE


@torch.inference_mode()
def test_tokens_look_only_at_the_faces_of_their_own_latent_frame() -> None:
    block = transformer(tiny_weights(2)).face_adapter.blocks[0]
    tokens, faces = drawn(3 * 8, TINY.dim), drawn(3, 5, TINY.dim)
    others = faces.clone()
    others[1] += 1
    before, after = (block(tokens, block.keys_values(x)) for x in (faces, others))
    unlike = (before != after).any(dim=-1)
    assert unlike.tolist() == [False] * 8 + [True] * 8 + [False] * 8


@torch.inference_mode()
def test_the_reference_gets_a_constant_of_the_face_blocks() -> None:
    block = transformer(tiny_weights(2)).face_adapter.blocks[0]
    offered = block.keys_values(with_reference(drawn(2, 5, TINY.dim)))
    added = block(drawn(8, TINY.dim), KeysValues(offered.keys[:1], offered.values[:1]))
    constant = block.linear2(block.linear1_kv.bias[TINY.dim :])
    assert relative_error(added, constant.expand_as(added)) <= TOLERANCE
    assert float(constant.abs().max()) > 0.1


def test_the_blurs_kernel_is_made_whatever_a_file_says_of_it() -> None:
    with torch.device("meta"):
        blur = Blur((2, 2))
    blur.load_state_dict({"kernel": torch.zeros(4, 4)}, assign=True)
    assert float(blur.kernel.sum()) == 1
    assert blur.kernel[0].tolist() == [x / 64 for x in (1, 3, 3, 1)]


def test_the_motion_encoder_takes_faces_of_512_px() -> None:
    with torch.device("meta"):
        assert MotionEncoder(FaceConfig())(torch.empty(2, 3, 512, 512)).shape == (2, 512)
