# SPDX-License-Identifier: GPL-3.0-or-later
"""The rasteriser against OpenCV's own warp and against barycentric coordinates by hand."""

import cv2
import numpy as np

from backend.engines.draft.mesh import grid_mesh
from backend.engines.draft.raster import OUTSIDE, Frame, Patch, backward_map, draw_mesh, merged


def smooth_picture(width: int = 96, height: int = 72) -> np.ndarray:
    noise = np.random.default_rng(1).random((height, width, 4)).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 4), np.float32)


def test_an_affine_mesh_draws_what_warpaffine_draws() -> None:
    picture = smooth_picture()
    mesh = grid_mesh(np.ones(picture.shape[:2], np.float32), 8)
    matrix = np.array(((1.2, 0.3, 5.0), (-0.25, 0.9, 40.0)), np.float32)
    points = mesh.points @ matrix[:, :2].T + matrix[:, 2]
    frame = Frame(150, 120, coarse=1)
    patch = draw_mesh(picture, points.astype(np.float32), mesh.triangles, mesh.points, frame)
    canvas = np.zeros((120, 150, 4), np.float32)
    patch.lay_over(canvas)
    inside = cv2.erode(cv2.warpAffine(np.ones((72, 96), np.float32), matrix, (150, 120)), np.ones((5, 5))) > 0.99
    wanted = cv2.warpAffine(picture, matrix, (150, 120), flags=cv2.INTER_LINEAR)
    assert np.abs(canvas - wanted)[inside].max() < 0.02


def test_a_triangles_pixels_lie_where_barycentric_coordinates_say() -> None:
    corners = np.array(((2, 2), (12, 3), (4, 11)), np.float32)
    places = np.array(((10, 20), (50, 20), (10, 80)), np.float32)
    lookup = backward_map(corners, places, np.array([[0, 1, 2]], np.int32), (14, 14))
    system = np.vstack([corners.T, np.ones(3)])
    shares = np.linalg.solve(system, (5, 6, 1))
    assert np.allclose(lookup[6, 5], shares @ places, atol=1e-3)
    assert lookup[13, 13, 0] == OUTSIDE


def test_the_later_triangle_is_in_front_whatever_its_size() -> None:
    points = np.array(((0, 0), (40, 0), (0, 40), (4, 4), (9, 4), (4, 9)), np.float32)
    places = np.array(((1, 1),) * 3 + ((2, 2),) * 3, np.float32)
    behind, ahead = np.array((0, 1, 2)), np.array((3, 4, 5))
    first = backward_map(points, places, np.array((behind, ahead), np.int32), (40, 40))
    second = backward_map(points, places, np.array((ahead, behind), np.int32), (40, 40))
    assert first[5, 5, 0] == 2 and second[5, 5, 0] == 1


def test_the_back_of_a_fold_shows_where_nothing_is_before_it() -> None:
    picture = np.zeros((40, 80, 4), np.float32)
    picture[:, :40] = (1, 0, 0, 1)
    picture[:, 40:] = (0, 0, 1, 1)
    texture = np.array(((4, 4), (40, 4), (40, 36), (4, 36), (76, 4), (76, 36)), np.float32)
    folded = np.array(((20, 4), (56, 4), (56, 36), (20, 36), (8, 14), (8, 26)), np.float32)
    folded_back = np.array(((1, 4, 5), (1, 5, 2), (0, 1, 2), (0, 2, 3)), np.int32)
    canvas = np.zeros((40, 80, 4), np.float32)
    draw_mesh(picture, folded, folded_back, texture, Frame(80, 40, two_sided=True)).lay_over(canvas)
    assert canvas[20, 12:18, 2].min() > 0.9
    assert canvas[20, 24:48, 0].min() > 0.9


def test_the_border_of_a_mesh_shows_no_steps() -> None:
    turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    disc = (40.3 + 25 * np.stack([np.cos(turns), np.sin(turns)], 1)).astype(np.float32)
    fan = np.array([(0, i, i + 1) for i in range(1, 23)], np.int32)
    picture, canvas = np.ones((80, 80, 4), np.float32), np.zeros((80, 80, 4), np.float32)
    draw_mesh(picture, disc, fan, disc, Frame(80, 80, coarse=1)).lay_over(canvas)
    fine = np.zeros((1280, 1280), np.uint8)
    cv2.fillPoly(fine, [np.round((disc + 0.5) * 16 - 0.5).astype(np.int32)], 255)
    covered = cv2.resize(fine, (80, 80), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    assert (canvas[..., 3] - covered).max() < 0.1
    assert np.abs(canvas[..., 3].sum() - covered.sum()) < 1.2 * np.pi * 50
    steps = [np.abs(np.diff(canvas[..., 3], axis=axis)).max() for axis in (0, 1)]
    assert max(steps) < 0.6


def test_what_two_patches_show_of_one_place_counts_once() -> None:
    half = np.full((4, 6, 4), 0.5, np.float32)
    places = np.stack(np.meshgrid(np.arange(6.0), np.arange(4.0)), -1).astype(np.float32)
    same = merged([Patch(2, 1, half, places), Patch(4, 2, half, places + np.array((2, 1)))])
    assert np.allclose(same.rgba[1:4, 2:6], 0.5) and np.allclose(same.rgba[3:4, 6:8], 0.5)
    others = merged([Patch(2, 1, half, places), Patch(4, 2, half, places + 30)])
    assert np.allclose(others.rgba[1:4, 2:6], 0.75)
