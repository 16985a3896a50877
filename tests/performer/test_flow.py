# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion between frames, on textures whose shift is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from backend.performer.flow import Motion, motion_both_ways, warp

INNER = slice(24, -24)


def texture(shift_x: float = 0, shift_y: float = 0) -> NDArray[np.uint8]:
    """Smooth noise of 120x160, moved by a sub-pixel shift in the frequency domain."""
    noise = cv2.GaussianBlur(np.random.default_rng(3).random((120, 160)), (0, 0), 2.5)
    wave_y, wave_x = np.fft.fftfreq(120)[:, None], np.fft.fftfreq(160)
    moved = np.fft.ifft2(np.fft.fft2(noise) * np.exp(-2j * np.pi * (wave_x * shift_x + wave_y * shift_y))).real
    return np.clip((moved - noise.min()) / np.ptp(noise) * 255, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("shift", [(3.0, 0.0), (-4.5, 2.25), (0.0, -6.0)], ids=str)
def test_motion_is_the_shift_and_is_trusted(shift: tuple[float, float]) -> None:
    onward, back = motion_both_ways(texture(), texture(*shift))
    assert np.abs(onward.field[INNER, INNER] - shift).mean() < 0.2
    assert np.abs(back.field[INNER, INNER] + shift).mean() < 0.2
    assert onward.trusted[INNER, INNER].mean() > 0.98


def test_two_motions_lead_on_to_the_third_frame() -> None:
    first, _ = motion_both_ways(texture(), texture(3, 1))
    second, _ = motion_both_ways(texture(3, 1), texture(5, -2))
    assert np.abs(first.then(second).field[INNER, INNER] - (5, -2)).mean() < 0.3


def test_warp_fetches_from_where_the_motion_leads() -> None:
    field = np.broadcast_to(np.array((2, -3), np.float32), (20, 30, 2)).copy()
    image = np.random.default_rng(4).integers(0, 256, (20, 30)).astype(np.uint8)
    np.testing.assert_array_equal(warp(image, field)[3:, :-2], image[:-3, 2:])


def test_what_is_covered_in_one_of_the_frames_is_not_trusted() -> None:
    covered = texture()
    covered[50:70, 70:100] = 0
    onward, _ = motion_both_ways(texture(), covered)
    assert onward.trusted[54:66, 74:96].mean() < 0.1


def test_a_motion_is_trusted_only_where_every_step_is() -> None:
    still = np.zeros((8, 8, 2), np.float32)
    half = np.zeros((8, 8), np.bool_)
    half[:, :4] = True
    np.testing.assert_array_equal(Motion(still, np.ones_like(half)).then(Motion(still, half)).trusted, half)
