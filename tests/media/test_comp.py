# SPDX-License-Identifier: GPL-3.0-or-later
"""Against the formulas of IEC 61966-2-1 and of Porter and Duff, written out anew in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backend.media.colour import decode_srgb, encode_srgb, to_depth
from backend.media.comp import change_matte_of, comp_over, merge_layers

DEPTHS = {8: np.uint8, 16: np.uint16}


def to_light(code: float) -> float:
    return code / 12.92 if code <= 0.04045 else math.pow((code + 0.055) / 1.055, 2.4)


def to_code(light: float) -> float:
    return light * 12.92 if light <= 0.0031308 else 1.055 * math.pow(light, 1 / 2.4) - 0.055


def over_by_hand(plate: np.ndarray, rgba: np.ndarray, top: int) -> np.ndarray:
    matte = rgba[..., 3:] / top
    light = np.vectorize(to_light)
    return np.vectorize(to_code)(light(rgba[..., :3] / top) * matte + light(plate / top) * (1 - matte)) * top


def draw(bits: int, channels: int, seed: int) -> np.ndarray:
    """Random codes, of which half are at the ends, where transfer and coverage have their special cases."""
    random = np.random.default_rng(seed)
    codes = random.integers(0, 2**bits, (3, 4, channels))
    ends = random.choice([0, 1, 2**bits - 2, 2**bits - 1], codes.shape)
    return np.where(random.random(codes.shape) < 0.5, codes, ends).astype(DEPTHS[bits])


def layers_of(*channels: int) -> st.SearchStrategy[tuple[np.ndarray, ...]]:
    """Pictures of one depth, 8 or 16 bits, with so many channels each."""

    def build(bits: int, seed: int) -> tuple[np.ndarray, ...]:
        return tuple(draw(bits, count, seed + place) for place, count in enumerate(channels))

    return st.builds(build, st.sampled_from([8, 16]), st.integers(0, 2**31))


@given(layers_of(3, 4))
def test_the_comp_is_over_in_linear_light_to_the_nearest_code(layers: tuple[np.ndarray, ...]) -> None:
    plate, rgba = layers
    expected = over_by_hand(plate, rgba, np.iinfo(plate.dtype).max)
    assert np.abs(comp_over(plate, rgba) - expected).max() <= 0.5 + 1e-6


@given(layers_of(3, 4))
def test_the_plate_stays_to_the_bit_where_nothing_covers_it(layers: tuple[np.ndarray, ...]) -> None:
    plate, rgba = layers
    comp = comp_over(plate, rgba)
    bare, full = rgba[..., 3] == 0, rgba[..., 3] == np.iinfo(rgba.dtype).max
    np.testing.assert_array_equal(comp[bare], plate[bare])
    np.testing.assert_array_equal(comp[full], rgba[full][:, :3])


@given(layers_of(3, 4, 4))
def test_merged_layers_look_like_one_laid_after_the_other(layers: tuple[np.ndarray, ...]) -> None:
    """In light, to what three roundings can do: of the merged colour, of its coverage and of the comp."""
    plate, back, front = layers
    top = np.iinfo(plate.dtype).max
    merged = merge_layers([back, front])
    step_by_step = over_by_hand(over_by_hand(plate, back, top), front, top)
    light = np.vectorize(to_light)
    assert np.abs(light(comp_over(plate, merged) / top) - light(step_by_step / top)).max() <= 3.5 / top * 2.28


@given(layers_of(4, 4))
def test_merged_coverage_is_what_either_covers_to_the_nearest_code(layers: tuple[np.ndarray, ...]) -> None:
    back, front = layers
    top = np.iinfo(back.dtype).max
    a, b = front[..., 3] / top, back[..., 3] / top
    assert np.abs(merge_layers([back, front])[..., 3] - (a + b * (1 - a)) * top).max() <= 0.5 + 1e-6


@given(layers_of(4))
def test_one_layer_is_merged_to_itself(layers: tuple[np.ndarray, ...]) -> None:
    [layer] = layers
    np.testing.assert_array_equal(merge_layers([layer]), layer)


@given(arrays(np.bool_, (3, 4)), arrays(np.uint8, (3, 4)))
def test_the_change_matte_is_hole_or_matte_and_nothing_else(hole: np.ndarray, matte: np.ndarray) -> None:
    change = change_matte_of(hole, matte)
    np.testing.assert_array_equal(change[hole], 255)
    np.testing.assert_array_equal(change[~hole], matte[~hole])


@pytest.mark.parametrize("bits", [8, 16])
def test_every_code_value_survives_the_way_to_light_and_back(bits: int) -> None:
    codes = np.arange(2**bits).astype(DEPTHS[bits])
    np.testing.assert_array_equal(encode_srgb(decode_srgb(codes), 2**bits - 1), codes)
    expected = [to_light(code / (2**bits - 1)) for code in range(0, 2**bits, 97)]
    np.testing.assert_allclose(decode_srgb(codes)[::97], expected, rtol=1e-12)


@given(arrays(np.uint16, 64))
def test_depths_change_to_the_nearest_code(codes: np.ndarray) -> None:
    assert np.abs(to_depth(codes, 8) - codes / 65535 * 255).max() <= 0.5
    np.testing.assert_array_equal(to_depth(to_depth(to_depth(codes, 8), 16), 8), to_depth(codes, 8))


def test_layers_that_do_not_fit_are_refused() -> None:
    plate = np.zeros((4, 4, 3), np.uint8)
    for wrong in (np.zeros((4, 5, 4), np.uint8), np.zeros((4, 4, 4), np.uint16)):
        with pytest.raises(ValueError, match="layers differ"):
            comp_over(plate, wrong)
