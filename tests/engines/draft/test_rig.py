# SPDX-License-Identifier: GPL-3.0-or-later
"""How a limb bends: it never folds over itself at a joint, and its pieces cover it whole."""

from dataclasses import replace

import numpy as np
import pytest

from backend.engines.draft.character import Character, build_character
from backend.engines.draft.mesh import Mesh, grid_mesh
from backend.engines.draft.rig import Bend, Stance, Trunk, bent, limb_rigs, trunk_rig
from backend.performer.still import Still

from .conftest import HEIGHT, painted_figure


def doubled_areas(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    return np.asarray((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0])


@pytest.mark.parametrize("turn_deg", [-140, -100, 100, 140])
def test_a_bent_elbow_creases(turn_deg: float) -> None:
    mesh = grid_mesh(np.ones((200, 70), np.float32), 10)
    own = np.array(((35, 0), (35, 100), (35, 200), (35, 230)), np.float32)
    outer = np.clip((mesh.points[:, 1] - 70) / 60, 0, 1)
    weights = np.stack([0 * outer, 1 - outer, outer, 0 * outer])
    turn = np.radians(turn_deg)
    rotation = np.array(((np.cos(turn), -np.sin(turn)), (np.sin(turn), np.cos(turn))))
    target = own.copy()
    target[2:] = own[1] + (own[2:] - own[1]) @ rotation.T
    points = bent(mesh.points, mesh.points, weights, Bend(own=own, target=target, scale=1, lean=0))
    assert (doubled_areas(points, mesh.triangles) < -1).mean() < 0.02


def test_a_limbs_pieces_cover_all_that_it_shows(figure: Character) -> None:
    rig, alpha = limb_rigs(figure)[0], figure.layers[1].picture[..., 3]
    pieces = rig.pieces(alpha)
    found = {frozenset(triangle) for piece in pieces for triangle in piece.mesh.triangles.tolist()}
    assert found == {frozenset(triangle) for triangle in rig.mesh.over(alpha).triangles.tolist()}
    assert np.maximum(pieces[0].cover, pieces[1].cover)[alpha > 0].min() == 1


def test_cloth_over_crossed_legs_does_not_fold() -> None:
    own = np.zeros((33, 2), np.float32)
    own[[11, 12, 23, 24]] = (120, 50), (80, 50), (115, 150), (85, 150)
    own[[25, 26, 27, 28]] = (118, 230), (82, 230), (120, 310), (80, 310)
    crossed = own.copy()
    crossed[[25, 26, 27, 28]] = (80, 230), (120, 230), (70, 310), (130, 310)
    mesh = grid_mesh(np.ones((300, 200), np.float32), 10)
    points = Trunk(own, Stance(joints=crossed, scale=1, facing=1))(mesh.points)
    assert doubled_areas(points, mesh.triangles).min() > 0


def test_a_mesh_over_an_alpha_has_no_clear_triangles_far_from_it() -> None:
    alpha = np.zeros((100, 100), np.float32)
    alpha[30:60, 40:70] = 1
    mesh = grid_mesh(np.ones_like(alpha), 10)
    kept: Mesh = mesh.over(alpha)
    corners = kept.points[kept.triangles]
    assert (corners[..., 0].max(1) > 36).all()
    assert (corners[..., 0].min(1) < 74).all()
    centres = mesh.points[mesh.triangles].mean(1)
    inside = (np.abs(centres - (54.5, 44.5)) < 15).all(1).sum()
    assert len(kept.triangles) >= inside


def test_a_head_bent_over_the_chest_is_parted_from_it_below_the_chin(figure: Character) -> None:
    points = figure.points
    chin = points.face[152, :2]
    joints = points.joints.copy()
    joints[[11, 12]] += chin + np.array((-20, 2)) - joints[[11, 12]].mean(0)
    rig = trunk_rig(replace(figure, points=replace(points, joints=joints)))

    def share(x: float, y: float) -> float:
        return float(rig.head[np.linalg.norm(rig.mesh.points - (x, y), axis=1).argmin()])

    assert min(share(chin[0] + aside, chin[1] - 30) for aside in (-15, 0, 15)) > 0.95
    assert max(share(chin[0] + aside, chin[1] + 40) for aside in (-15, 0, 15)) < 0.05


def test_a_lying_figure_without_a_face_has_its_head_at_the_neck(figure: Character, standing: Still) -> None:
    rgb, matte = painted_figure()

    def lying(places: np.ndarray) -> np.ndarray:
        turned = places.copy()
        turned[..., 0], turned[..., 1] = HEIGHT - 1 - places[..., 1], places[..., 0]
        return turned

    still = replace(standing, body=lying(standing.body), face=lying(standing.face))
    lain = build_character(np.rot90(rgb, -1).copy(), np.rot90(matte, -1).copy(), still, has_background=True)
    assert np.allclose(lain.points.face, lying(figure.points.face), atol=1e-3)
    rig = trunk_rig(lain)
    x, y = rig.mesh.points.T
    assert rig.head[(x < HEIGHT - 85)].max() < 0.05
    assert rig.head[(x > HEIGHT - 50) & (np.abs(y - 80) < 10)].min() > 0.95


def test_body_and_head_are_all_of_the_trunk(figure: Character) -> None:
    rig = trunk_rig(figure)
    found = {tuple(triangle) for piece in rig.pieces() for triangle in piece.triangles.tolist()}
    assert found == {tuple(triangle) for triangle in rig.mesh.triangles.tolist()}
