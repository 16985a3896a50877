# SPDX-License-Identifier: GPL-3.0-or-later
"""Notches are closed near a fold and nowhere else: the truth is what was cut out of a plain colour."""

import numpy as np

from backend.engines.draft.notches import closed_near
from backend.engines.draft.raster import Patch


def test_a_narrow_notch_near_the_fold_is_filled_with_the_cloth_and_a_far_one_stays() -> None:
    cloth = np.zeros((80, 120, 4), np.float32)
    cloth[10:70, 10:110] = (0.6, 0.2, 0.1, 1)
    notched = cloth.copy()
    notched[10:40, 28:32] = notched[10:40, 88:92] = 0
    closed = closed_near(Patch(5, 7, notched), np.array((35, 37)), 30, 8).rgba
    assert np.allclose(closed[15:45, :35], cloth[15:45, :35], atol=0.03)
    assert np.array_equal(closed[:, 70:], notched[:, 70:])
