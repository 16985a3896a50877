# SPDX-License-Identifier: GPL-3.0-or-later
"""A cast shadow on a plain lit floor, where every pixel of it is known."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.plate.shadow import LitSet, enlarged, shadow_of

LIT = (180.0, 170.0, 160.0)
SHAPE = (120, 200)
PERFORMER = np.zeros(SHAPE, np.bool_)
PERFORMER[30:90, 90:110] = True
CORE = np.zeros(SHAPE, np.bool_)
CORE[84:96, 111:150] = True


class Floor:
    """A lit set of one colour."""

    def behind(self, index: int, size: tuple[int, int]) -> NDArray[np.float32]:
        return np.broadcast_to(np.array(LIT, np.float32), (size[1], size[0], 3))


def filmed(light: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Film the floor under so much light, `h w` or `h w 3`, 1 is all of it, with a performer in green."""
    light = light if light.ndim == 3 else light[..., None]
    return np.where(PERFORMER[..., None], (20, 180, 60), np.array(LIT) * light).astype(np.uint8)


def found(frame: NDArray[Any], hole: NDArray[np.bool_] = PERFORMER) -> NDArray[np.bool_]:
    return shadow_of(frame, hole, cast(LitSet, Floor()), 0)


def light_of(core: float) -> NDArray[np.float64]:
    light = np.ones(SHAPE)
    light[CORE] = core
    return light


@pytest.mark.parametrize("depth_bits", [8, 16])
def test_a_shadow_at_the_feet_is_found_at_either_depth(depth_bits: int) -> None:
    frame = filmed(light_of(0.6))
    shadow = found(frame if depth_bits == 8 else frame.astype(np.uint16) * np.uint16(257))
    assert shadow[CORE].mean() > 0.95
    assert not shadow[:, :80].any() and not shadow[:70].any()
    assert not shadow[PERFORMER].any()


def test_its_soft_edge_goes_with_it_and_a_shade_elsewhere_stays() -> None:
    light = light_of(0.6)
    light[84:96, 150:153] = light[96:99, 111:153] = 0.9
    light[84:96, 20:30] = 0.9
    shadow = found(filmed(light))
    assert shadow[96, 115:148].all() and shadow[86:94, 151].all()
    assert not shadow[84:96, 20:30].any()


def test_a_shadow_reaches_no_farther_than_shadows_do() -> None:
    light = np.ones(SHAPE)
    light[84:96, 111:] = 0.6
    shadow = found(filmed(light))
    assert shadow[85:95, 112:175].all()  # 1.2 heights of 60 from the feet are 72
    assert not shadow[:, 190:].any()


def test_a_dark_thing_of_another_colour_is_no_shadow() -> None:
    coloured = np.ones((*SHAPE, 3))
    coloured[CORE] = 0.9, 0.5, 0.3
    assert not found(filmed(coloured)).any()


def test_what_is_dark_but_hangs_on_nobodys_feet_is_the_sets() -> None:
    light = np.ones(SHAPE)
    light[10:24, 150:190] = 0.6
    assert not found(filmed(light)).any()


def test_who_goes_out_at_a_side_may_have_feet_beyond_it_and_who_is_gone_a_shadow_that_comes_in() -> None:
    light = np.ones(SHAPE)
    light[60:80, :40] = 0.6
    nobody = np.zeros(SHAPE, np.bool_)
    frame = (np.array(LIT) * light[..., None]).astype(np.uint8)
    assert found(frame, nobody)[60:80, :38].mean() > 0.95
    light[60:80, :40], light[60:80, 60:100] = 1, 0.6
    assert not found((np.array(LIT) * light[..., None]).astype(np.uint8), nobody).any()


def test_a_region_is_brought_to_the_holes_size_and_nothing_to_nothing() -> None:
    hole = np.zeros((240, 400), np.uint8)
    assert not enlarged(np.zeros(SHAPE, np.bool_), hole).any()
    large = enlarged(CORE, hole)
    assert large[168:192, 222:300].all()
    assert large.sum() < 1.6 * 4 * CORE.sum()
