# SPDX-License-Identifier: GPL-3.0-or-later
"""What a shot would take: operations against the arithmetic of the shapes, bytes against what the weights weigh."""

from __future__ import annotations

import pytest
import torch

from backend.engines.wan import budget
from backend.engines.wan.budget import Work, estimate, weight_bytes
from backend.engines.wan.transformer import TransformerConfig
from backend.engines.wan.vae import VaeConfig

WORK = Work(windows=(77,), width_px=832, height_px=480, steps=20, ways=1)


def test_a_step_of_the_real_model_has_the_operations_that_its_shapes_say() -> None:
    counted, _ = budget._step(TransformerConfig(), 21, WORK, torch.bfloat16)
    tokens, dim, ffn, layers = 32_760, 5120, 13_824, 40
    attention = 4 * tokens**2 * dim * layers
    looking = 4 * tokens * (512 + 257) * dim * layers
    linears = 2 * tokens * (6 * dim**2 + 2 * dim * ffn) * layers
    faces = 8 * 2 * tokens * 2 * dim**2
    assert counted == pytest.approx(attention + looking + linears + faces, rel=0.01)


def test_the_real_weights_weigh_what_the_released_file_does() -> None:
    assert weight_bytes(TransformerConfig(), torch.bfloat16) == pytest.approx(34.55e9, rel=0.001)


def test_time_follows_steps_ways_and_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "operations_per_second", lambda dtype, device: 1e12)
    monkeypatch.setattr(budget, "_vae_operations", lambda config, work: 0.0)
    small, vae = TransformerConfig(dim=256, ffn_dim=512, heads=2, layers=10, text_dim=64), VaeConfig(dim=16)

    def seconds(**changes: object) -> float:
        work = Work(**{"windows": (9,), "width_px": 64, "height_px": 64, "steps": 4, "ways": 1} | changes)  # type: ignore[arg-type]
        return estimate(work, small, vae, torch.float32, torch.device("cpu")).seconds

    assert seconds(steps=8) == pytest.approx(2 * seconds())
    assert seconds(ways=2) == pytest.approx(2 * seconds())
    assert seconds(windows=(9, 9, 9)) == pytest.approx(3 * seconds())
