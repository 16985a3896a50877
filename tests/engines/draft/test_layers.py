# SPDX-License-Identifier: GPL-3.0-or-later
"""A figure taken apart: the truth is what was painted where."""

from dataclasses import replace

import numpy as np
import pytest

from backend.engines.draft.character import build_character
from backend.performer.still import Still

from .conftest import painted_figure


@pytest.mark.parametrize("arms_seen", [True, False])
@pytest.mark.parametrize(("x", "y"), [(80, 9), (110, 40)])
def test_loose_hair_stays_with_the_head(standing: Still, arms_seen: bool, x: int, y: int) -> None:
    rgb, matte = painted_figure()
    tuft = np.s_[y - 6 : y + 6, x - 6 : x + 6]
    rgb[tuft], matte[tuft] = (90, 60, 30), 1
    score = standing.body_score.copy()
    score[13:23] *= arms_seen
    layers = build_character(rgb, matte, replace(standing, body_score=score), has_background=True).layers
    trunk, *arms = (layer.picture[y - 4 : y + 4, x - 4 : x + 4, 3] for layer in layers[:3])
    assert trunk.min() > 0.95
    assert not any(arm.any() for arm in arms)
