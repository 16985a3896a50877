# SPDX-License-Identifier: GPL-3.0-or-later
"""How the parts of the character hang on its bones: a mesh for each layer, with weights, and their transforms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .character import Character, Points
from .head import HeadPose, Relief
from .layers import distance_to_segment
from .mesh import Mesh, grid_mesh
from .raster import Floats
from .skeleton import ARMS, HIPS, LEGS, SHOULDERS, Limb

_CELLS_PER_SHOULDERS = 18
_ARM_THICKNESS, _LEG_THICKNESS = 0.2, 0.3
_ROOT_REACH = 2.2
_NARROWEST, _WIDEST = 0.55, 1.3
_STEEPEST_RAD = np.radians(35)
_SHORTEST_BONE = 0.12


@dataclass(frozen=True, slots=True, kw_only=True)
class Stance:
    """One frame's body. joints: `33 2`; scale: frame pixels per picture pixel; facing: 1 front, -1 back."""

    joints: Floats
    scale: float
    facing: float


class Trunk:
    """Maps the picture's trunk to a frame: lengthwise from neck to hips, across by shoulders and hips."""

    def __init__(self, own: Floats, stance: Stance) -> None:
        """own: the character's joints, `33 2`."""
        self._own_neck, own_axis, self._own_length = _axis(own)
        self._own_axis, self._own_across = own_axis, _right_of(own_axis)
        self._neck, self._down, self._length = _axis(stance.joints)
        self._scale = stance.scale
        self._shoulders = self._across(own, SHOULDERS, stance)
        self._hips = self._across(own, HIPS, stance)

    def __call__(self, points: Floats) -> Floats:
        """`v 2` of the picture to `v 2` of the frame."""
        local = points - self._own_neck
        along = local @ self._own_axis / self._own_length
        across = local @ self._own_across
        inside = np.clip(along, 0, 1)
        distance = inside * self._length + (along - inside) * self._own_length * self._scale
        blend = (inside * inside * (3 - 2 * inside))[:, None]
        sideways = self._shoulders + blend * (self._hips - self._shoulders)
        return np.asarray(self._neck + distance[:, None] * self._down + across[:, None] * sideways, np.float32)

    def _across(self, own: Floats, pair: tuple[int, int], stance: Stance) -> Floats:
        """Tell what one picture pixel to the right becomes at the height of a pair of joints."""
        mine, theirs = own[pair[0]] - own[pair[1]], stance.joints[pair[0]] - stance.joints[pair[1]]
        right = _right_of(self._down) * stance.facing
        width = np.linalg.norm(theirs) / max(float(np.linalg.norm(mine)), 1e-6)
        low, high = _NARROWEST * stance.scale, _WIDEST * stance.scale
        own_tilt = np.arctan2(mine @ self._own_axis, abs(mine @ self._own_across))
        tilt = np.arctan2(theirs @ self._down, abs(theirs @ right)) - own_tilt
        # a narrow pair of joints says little of how the trunk leans
        tilt *= np.clip((width / stance.scale - 0.3) / 0.4, 0, 1)
        tilt = np.clip(tilt, -_STEEPEST_RAD, _STEEPEST_RAD)
        direction = np.cos(tilt) * right + np.sin(tilt) * self._down
        return np.asarray(np.clip(width, low, high) * direction, np.float32)


@dataclass(frozen=True, slots=True)
class Bone:
    """An affine transform of the plane: `matrix` 2 2 and `shift` 2."""

    matrix: Floats
    shift: Floats

    def __call__(self, points: Floats) -> Floats:
        """Transform `v 2`."""
        return points @ self.matrix.T + self.shift


def bone(own: tuple[Floats, Floats], target: tuple[Floats, Floats], width: float, facing: float = 1.0) -> Bone:
    """Lay a segment of the picture on one of the frame: stretched along, `width` frame pixels a pixel across."""
    (a, b), (p, q) = own, target
    u, length = _unit(b - a)
    v, reach = _unit(q - p)
    stretch = max(reach, _SHORTEST_BONE * length * width) / length
    matrix = stretch * np.outer(v, u) + facing * width * np.outer(_right_of(v), _right_of(u))
    return Bone(matrix.astype(np.float32), (p - matrix @ a).astype(np.float32))


@dataclass(frozen=True, slots=True, kw_only=True)
class LimbRig:
    """A limb's mesh. weights: `4 v` over trunk, upper bone, lower bone, hand or foot."""

    limb: Limb
    mesh: Mesh
    weights: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkRig:
    """Trunk and head in one mesh, head triangles last. head: `v`, 0..1, how far a point belongs to the head."""

    mesh: Mesh
    head: Floats
    relief: Relief

    def placed(self, trunk: Trunk, pose: HeadPose) -> Floats:
        """Place the mesh in the frame, `v 2`."""
        body = trunk(self.mesh.points)
        return np.asarray(body + self.head[:, None] * (self.relief.placed(pose)[0] - body), np.float32)


def trunk_rig(character: Character) -> TrunkRig:
    """Mesh and weights of the first layer."""
    points = character.points
    mesh = grid_mesh(character.layers[0].picture[..., 3], _cell_px(points))
    neck = points.joints[list(SHOULDERS)].mean(0)
    chin = points.face[152, :2]
    axis, length = _unit(neck - chin)
    down = np.clip((mesh.points - chin) @ axis / (0.9 * length), 0, 1)
    aside = np.abs((mesh.points - chin) @ _right_of(axis))
    # shoulders raised to the chin's height are no part of the head
    beside = np.clip((aside - 1.1 * _half_head(points)) / (0.5 * _half_head(points)), 0, 1)
    below = np.clip(((mesh.points - chin) @ axis + 0.3 * length) / (0.3 * length), 0, 1)
    head = (1 - down * down * (3 - 2 * down)) * (1 - beside * below)
    order = np.argsort(head[mesh.triangles].mean(1) > 0.5, kind="stable")
    relief = Relief.around_face(mesh.points, points)
    return TrunkRig(mesh=Mesh(mesh.points, mesh.triangles[order]), head=head.astype(np.float32), relief=relief)


def limb_rigs(character: Character) -> tuple[LimbRig, ...]:
    """Meshes and weights of the arms and legs, in the order of the layers."""
    points = character.points
    unit = float(np.linalg.norm(points.joints[SHOULDERS[0]] - points.joints[SHOULDERS[1]]))
    rigs = []
    for limb, layer in zip(ARMS + LEGS, character.layers[1:], strict=True):
        mesh = grid_mesh(layer.picture[..., 3], _cell_px(points))
        thickness = unit * (_ARM_THICKNESS if limb in ARMS else _LEG_THICKNESS)
        rigs.append(LimbRig(limb=limb, mesh=mesh, weights=_weights(mesh.points, chain(points, limb), thickness)))
    return tuple(rigs)


def chain(points: Points, limb: Limb) -> tuple[Floats, Floats, Floats, Floats]:
    """Root, middle, end and tip of a limb of the character: the tip is the palm's far end or the toes."""
    root, middle, end = (points.joints[joint] for joint in limb.joints)
    if limb in ARMS:
        hand = (points.left_hand, points.right_hand)[ARMS.index(limb)]
        return root, middle, end, end + (hand[9] - hand[0])
    return root, middle, end, points.joints[limb.tips[1]]


def _weights(places: Floats, joints: tuple[Floats, ...], thickness: float) -> Floats:
    """Nearness to each bone, `4 v`, summing to 1; the trunk holds what is near the root."""
    if not len(places):
        return np.zeros((4, 0), np.float32)
    from_root = np.linalg.norm(places - joints[0], axis=1) / (1.5 * thickness)
    distance = [from_root] + [distance_to_segment(places, joints[i], joints[i + 1]) / thickness for i in range(3)]
    weights = 1 / (np.stack(distance) ** 3 + 0.02)
    weights[0] *= np.where(from_root * 1.5 < _ROOT_REACH, 0.8, 0)
    return np.asarray(weights / weights.sum(0), np.float32)


def _cell_px(points: Points) -> int:
    width = np.linalg.norm(points.joints[SHOULDERS[0]] - points.joints[SHOULDERS[1]])
    return max(4, round(float(width) / _CELLS_PER_SHOULDERS))


def _half_head(points: Points) -> float:
    return max(float(np.ptp(points.face[:, 0])) / 2, 1.0)


def _axis(joints: Floats) -> tuple[Floats, Floats, float]:
    """Neck, unit vector to the hips, and the distance."""
    neck, hips = joints[list(SHOULDERS)].mean(0), joints[list(HIPS)].mean(0)
    down, length = _unit(hips - neck)
    return neck, down, length


def _right_of(down: NDArray[np.floating]) -> Floats:
    """Give the unit vector to screen right of one that points down."""
    return np.array((down[1], -down[0]), np.float32)


def _unit(vector: Floats) -> tuple[Floats, float]:
    length = max(float(np.linalg.norm(vector)), 1e-3)
    return (vector / length).astype(np.float32), length
