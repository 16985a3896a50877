# SPDX-License-Identifier: GPL-3.0-or-later
"""The count of live bytes, by hand."""

from __future__ import annotations

import pytest
import torch

from backend.engines.wan.footprint import Footprint


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_what_is_made_counts_until_nobody_holds_it(device: str) -> None:
    before = torch.zeros(1000, device=device)
    with Footprint() as footprint:
        made = before + 1
        assert footprint.live_bytes == 4000
        view = made[:500]
        made.mul_(2)
        before.mul_(2)
        assert footprint.live_bytes == 4000
        del made
        assert footprint.live_bytes == 4000
        del view
        assert footprint.live_bytes == 0
        _ = torch.ones(250, device=device, dtype=torch.float64)
    assert footprint.peak_bytes == 4000
