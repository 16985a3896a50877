# SPDX-License-Identifier: GPL-3.0-or-later
"""Unpacking against the `gguf` package, on random bytes: every pattern of bits is a block."""

from __future__ import annotations

import gguf
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from backend.engines.wan import quantised
from backend.engines.wan.quantised import unpack

HALVES = {"Q4_0": (0,), "Q8_0": (0,), "Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,), "Q5_0": (0,), "Q3_K": (108,)}
"""Where a block's half-precision numbers lie: they are made finite."""


def random_blocks(kind: str, rows: int, columns: int) -> NDArray[np.uint8]:
    size, width = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[kind]]
    random = np.random.default_rng(7)
    blocks = random.integers(0, 256, (rows * columns // size, width), dtype=np.uint8)
    for first in HALVES[kind]:
        scales = random.normal(size=len(blocks)).astype(np.float16)
        blocks[:, first : first + 2] = scales[:, None].view(np.uint8)
    return blocks.reshape(rows, columns // size * width)


@pytest.mark.parametrize("slab", [1 << 20, 512])
@pytest.mark.parametrize("kind", HALVES)
def test_packed_numbers_come_out_as_the_gguf_package_unpacks_them(
    kind: str, slab: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantised, "SLAB_NUMBERS", slab)
    packed = random_blocks(kind, rows=3, columns=512)
    ours = unpack(torch.from_numpy(packed), gguf.GGMLQuantizationType[kind], (3, 512), torch.float32)
    assert np.array_equal(ours.numpy(), gguf.dequantize(packed, gguf.GGMLQuantizationType[kind]))
