# SPDX-License-Identifier: GPL-3.0-or-later
"""Half covered patches become what their colour says: skin or wall, as painted."""

import numpy as np

from backend.engines.draft.halfway import decided

SKIN, WALL = (220, 160, 130), (90, 110, 100)


def test_a_patch_of_skin_becomes_solid_one_of_wall_clear_and_edges_stay() -> None:
    rgb = np.full((120, 160, 3), WALL, np.uint8)
    matte = np.zeros((120, 160), np.float32)
    rgb[20:110, 40:100], matte[20:110, 40:100] = SKIN, 1
    rgb[50:70, 100:112], matte[50:70, 100:112] = SKIN, 0.4
    matte[30:45, 26:40] = 0.5
    matte[20:110, 99] = 0.5
    found = decided(matte, rgb, 100)
    assert found[52:68, 101:110].min() > 0.95
    assert found[32:43, 28:38].max() < 0.05
    assert np.array_equal(found[75:105, 99], matte[75:105, 99])
