# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest

from backend.performer.prepare import as_rgb8, noise_levels
from backend.performer.window import Window, overlap, share_within


@pytest.mark.parametrize("most_px", [1000, 50])
@pytest.mark.parametrize("box", [(10, 20, 110, 120), (-40.3, -30.7, 80, 90), (150, 100, 300, 260)])
def test_a_point_found_in_a_window_is_the_frames(box: tuple[float, ...], most_px: int) -> None:
    frame = np.zeros((180, 240, 3), np.uint8)
    x, y = (round(min(max((box[i] + box[i + 2]) / 2, 5), limit)) for i, limit in ((0, 234), (1, 174)))
    frame[y - 3 : y + 4, x - 3 : x + 4] = 255
    window = Window.cut(frame, np.array(box, np.float32), most_px)
    weight = window.picture[..., 0].astype(float)
    rows, columns = np.indices(weight.shape)
    centre = [
        float((axis * weight).sum() / weight.sum() + 0.5) / n
        for axis, n in ((columns, weight.shape[1]), (rows, weight.shape[0]))
    ]
    found = window.to_frame(np.array([[*centre, 0]], np.float32))
    np.testing.assert_allclose(found[0, :2], (x, y), atol=0.2 * max(window.size_px) / max(weight.shape))


@pytest.mark.parametrize("box", [(10, 20, 110, 120), (-40, -30, 80, 60), (150, 100, 300, 260), (500, 500, 600, 600)])
def test_a_window_ends_where_the_frame_ends(box: tuple[int, ...]) -> None:
    frame = np.random.default_rng(1).integers(1, 256, (180, 240, 3), np.uint8)
    window = Window.cut(frame, np.array(box, np.float32), 1000)
    pasted = window.paste(window.picture[..., 1])
    x0, y0, x1, y1 = window.box.astype(int)
    assert 0 <= x0 < x1 <= 240 and 0 <= y0 < y1 <= 180
    np.testing.assert_array_equal(pasted[y0:y1, x0:x1], frame[y0:y1, x0:x1, 1])
    assert np.count_nonzero(pasted) == (x1 - x0) * (y1 - y0)


def test_sides_that_cut_are_told_but_not_those_of_the_frame() -> None:
    window = Window.cut(np.zeros((180, 240, 3), np.uint8), np.array([-20, 20, 110, 120], np.float32), 1000)
    covered = np.zeros(window.picture.shape[:2], np.uint8)
    covered[40:, :30] = 255
    assert window.cut_sides(covered).tolist() == [False, False, False, True]
    assert not window.cut_sides(covered // 4).any()


def test_boxes_are_compared_by_area() -> None:
    a, b = np.array([0, 0, 10, 10], np.float32), np.array([5, 0, 15, 20], np.float32)
    assert overlap(a, b) == pytest.approx(50 / 250)
    assert share_within(a, b) == pytest.approx(0.5)


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 3), (4, 5, 4)])
def test_any_depth_and_channels_become_rgb8(shape: tuple[int, ...]) -> None:
    deep = np.random.default_rng(1).integers(0, 65536, shape, np.uint16)
    rgb = as_rgb8(deep)
    assert rgb.shape == (4, 5, 3) and rgb.dtype == np.uint8
    np.testing.assert_array_equal(rgb[..., 0], (deep if deep.ndim == 2 else deep[..., 0]) // 256)


@pytest.mark.parametrize("sigma", [5, 15, 30])
def test_noise_is_measured_beside_edges(sigma: float) -> None:
    picture = np.full((200, 200, 3), 120.0)
    picture[:, 100:] = 180
    noisy = picture + np.random.default_rng(1).normal(0, sigma, picture.shape)
    assert noise_levels(np.clip(noisy, 1, 255).astype(np.uint8)) == pytest.approx(sigma, rel=0.15)
