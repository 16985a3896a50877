# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's benchmarks run: the one for a graphics card with small networks, and those that only count."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import gpu, wan_counts
from benchmarks.bench import Bench


def test_what_is_for_a_graphics_card_runs_with_small_networks(capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu.main(["--tiny"]) == 0
    said = capsys.readouterr().out
    assert "mean nothing" in said
    for row in (
        "step at 720p",
        "step with fp8 products, beside bf16, 720p",
        "streamed step",
        "peak memory of a step at 480p",
        "VAE encode at 720p",
    ):
        assert f"| {row}" in said
    differences = [float(part.split()[0]) for part in said.split("they differ by ")[1:]]
    assert len(differences) == 4
    assert max(differences[:2]) < 0.02  # bfloat16
    assert 0.001 < max(differences[2:]) < 0.1  # eight bits


def test_every_number_that_is_counted_meets_its_goal(tmp_path: Path) -> None:
    rows = list(wan_counts.rows(Bench(tmp_path, is_quick=True)))
    assert [row.what for row in rows if not row.met] == []
