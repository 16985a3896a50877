# SPDX-License-Identifier: GPL-3.0-or-later
"""How the parts of the character hang on its bones: a mesh for each layer, with weights, and their transforms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import face
from .character import Character, Points
from .head import HeadPose, Relief
from .layers import distance_to_segment
from .mesh import Mesh, grid_mesh
from .raster import Floats, backward_map
from .series import eased
from .skeleton import ARMS, HIPS, LEGS, SHOULDERS, Limb

_CELLS_PER_SHOULDERS = 18
_ARM_THICKNESS, _LEG_THICKNESS = 0.2, 0.3
_ROOT_REACH = 1.6
_HELD_BY_TRUNK = 0.3
_OUTER_BEGINS, _INNER_ENDS = (0.2, 0.35), (0.8, 0.95)
"""Shares of the outer bones over which either piece of a limb fades: between them both are whole."""
_CREASE = (0.5, 0.8)
"""Distances from a joint between which its crease ends, of the shorter bone."""
_FLAT_FOLD = 0.1
"""Length of the sum of two bones' unit vectors, below which they lie on one another."""
_NARROWEST, _WIDEST = 0.55, 1.3
_MOST_CROSSED = 0.4
"""How much nearer than the hips the legs may come for what hangs over them, widths of the hips: it stays unfolded."""
_STEEPEST_RAD = np.radians(35)
_NECK = (0.3, 0.7)
"""Shares of the head between which both pieces of the trunk's mesh show the neck."""
_SHORTEST_NECK = 0.5
"""Least length over which the head goes over into the trunk, face heights."""


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
        self.lean = float(np.arctan2(self._down[1], self._down[0]) - np.arctan2(own_axis[1], own_axis[0]))
        self._shoulders = self._across(own, SHOULDERS, stance)
        self._hips = self._across(own, HIPS, stance)
        self._own_legs = [max(float(np.linalg.norm(part)), 1e-3) for part in np.mean([_leg(own, i) for i in (0, 1)], 0)]
        self._own_hips = max(float(np.linalg.norm(own[HIPS[0]] - own[HIPS[1]])), 1e-3)
        self._legs = _uncrossed(np.stack([_leg(stance.joints, i) for i in (0, 1)]), self._hips * self._own_hips)

    def __call__(self, points: Floats) -> Floats:
        """`v 2` of the picture to `v 2` of the frame."""
        local = points - self._own_neck
        along = local @ self._own_axis / self._own_length
        across = local @ self._own_across
        inside = np.clip(along, 0, 1)
        above = np.minimum(along, 0) * self._own_length * self._scale
        blend = (inside * inside * (3 - 2 * inside))[:, None]
        sideways = self._shoulders + blend * (self._hips - self._shoulders)
        spine = self._neck + (above + inside * self._length)[:, None] * self._down
        return np.asarray(spine + self._skirt(along, across) + across[:, None] * sideways, np.float32)

    def _skirt(self, along: Floats, across: Floats) -> Floats:
        """Hang what lies below the hips over the legs: each side follows its own leg, the middle both."""
        past = np.maximum(along - 1, 0) * self._own_length
        thigh = np.clip(past / self._own_legs[0], 0, 1)[:, None]
        shin = (np.maximum(past - self._own_legs[0], 0) / self._own_legs[1])[:, None]
        left = np.clip(0.5 + across / self._own_hips, 0, 1)
        left = (left * left * (3 - 2 * left))[:, None]
        sides = [thigh * leg[0] + shin * leg[1] for leg in self._legs]
        return np.asarray(left * sides[0] + (1 - left) * sides[1], np.float32)

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Bend:
    """One frame of a limb. own, target: root, middle, end and tip in the picture and in the frame, `4 2`.

    own must be mirrored already where the figure is seen from behind. lean: what the trunk turns by, radians.
    """

    own: Floats
    target: Floats
    scale: float
    lean: float


def bent(points: Floats, on_trunk: Floats, weights: Floats, bend: Bend) -> Floats:
    """Carry points `v 2` of a limb into the frame; on_trunk: where they would go as part of the trunk, `v 2`.

    Each point is a place along the bones and an offset from it. The places are mixed, and so are the angles by which
    the offsets turn: mixing transforms instead would thin a sharply bent limb to nothing.
    """
    angles = _turns(bend)
    base, goal = weights[0][:, None] * points, weights[0][:, None] * on_trunk
    for i in range(3):
        a, b = bend.own[i], bend.own[i + 1]
        along = np.clip((points - a) @ (b - a) / max(float((b - a) @ (b - a)), 1e-6), 0, 1)[:, None]
        base = base + weights[i + 1][:, None] * (a + along * (b - a))
        goal = goal + weights[i + 1][:, None] * (bend.target[i] + along * (bend.target[i + 1] - bend.target[i]))
    turn = angles @ weights
    offset = bend.scale * (points - base)
    c, s = np.cos(turn), np.sin(turn)
    turned = np.stack([c * offset[:, 0] - s * offset[:, 1], s * offset[:, 0] + c * offset[:, 1]], -1)
    placed = goal + turned
    for joint in (1, 2):
        _crease(placed, points, bend, joint)
    return np.asarray(placed, np.float32)


def _crease(placed: Floats, points: Floats, bend: Bend, joint: int) -> None:
    """Keep, in place, either bone's points on its own side of a joint: they meet in a crease and never fold over.

    The sides are parted by the line that halves the angle between the bones.
    """
    before = _halving(bend.own, joint)
    now = _halving(bend.target, joint)
    if before is None or now is None:
        return
    offset = points - bend.own[joint]
    across = (placed - bend.target[joint]) @ now
    shorter = min(float(np.linalg.norm(bend.own[i + 1] - bend.own[i])) for i in (joint - 1, joint))
    far = np.linalg.norm(offset, axis=1) / max(shorter, 1e-3)
    share = np.clip((_CREASE[1] - far) / (_CREASE[1] - _CREASE[0]), 0, 1) * ((offset @ before) * across < 0)
    placed -= (share * across)[:, None] * now


def _halving(joints: Floats, joint: int) -> Floats | None:
    """Give the unit vector along a chain `4 2` at a joint, square to the line that halves the angle; None at a fold."""
    along = sum(_unit(joints[i + 1] - joints[i])[0] for i in (joint - 1, joint))
    length = float(np.linalg.norm(along))
    return np.asarray(along / length, np.float32) if length > _FLAT_FOLD else None


def mirrored(points: Floats, a: Floats, b: Floats) -> Floats:
    """Mirror points `v 2` at the line through a and b: an arm turned about itself, its elbow on the other side."""
    along, _ = _unit(b - a)
    local = points - a
    return np.asarray(a + 2 * (local @ along)[:, None] * along - local, np.float32)


def _turns(bend: Bend) -> Floats:
    """Angles by which trunk and bones turn, `4`, each the nearer way round from the one before."""
    own, target = np.diff(bend.own, axis=0), np.diff(bend.target, axis=0)
    each = np.arctan2(target[:, 1], target[:, 0]) - np.arctan2(own[:, 1], own[:, 0])
    return np.unwrap(np.concatenate([[bend.lean], each]))


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a limb's mesh, and how much of the picture it shows, `h w` 0..1: it ends softly."""

    mesh: Mesh
    cover: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class LimbRig:
    """A limb's mesh. weights: `4 v` over trunk, upper bone, lower bone, hand or foot."""

    limb: Limb
    mesh: Mesh
    weights: Floats

    def pieces(self, alpha: Floats) -> tuple[Piece, Piece]:
        """Part what `alpha` shows of the limb at the middle joint, with an overlap: the outer piece is laid over.

        In one mesh, a clear corner of a folded sleeve would hide the solid cloth behind it.
        """
        outer = self.weights[2:].sum(0)
        share = backward_map(self.mesh.points, np.stack([outer, outer], 1), self.mesh.triangles, alpha.shape)[..., 0]
        shown = self.mesh.over(alpha).triangles
        shown = shown[np.argsort(outer[shown].mean(1), kind="stable")]
        inner_piece = shown[outer[shown].min(1) < _INNER_ENDS[1]][::-1]
        outer_piece = shown[outer[shown].max(1) > _OUTER_BEGINS[0]]
        return (
            Piece(Mesh(self.mesh.points, inner_piece), 1 - eased(share, _INNER_ENDS)),
            Piece(Mesh(self.mesh.points, outer_piece), eased(share, _OUTER_BEGINS)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkRig:
    """Trunk and head in one mesh, head triangles last. head: `v`, 0..1, how far a point belongs to the head."""

    mesh: Mesh
    head: Floats
    relief: Relief

    def pieces(self) -> tuple[Mesh, Mesh]:
        """Part it into body and head, with an overlap at the neck: the head is laid over.

        In one mesh, the clear room beside a chin would hide the collar behind it.
        """
        share = self.head[self.mesh.triangles]
        body, head = share.min(1) < _NECK[1], share.max(1) > _NECK[0]
        return Mesh(self.mesh.points, self.mesh.triangles[body]), Mesh(self.mesh.points, self.mesh.triangles[head])

    def placed(self, trunk: Trunk, pose: HeadPose) -> Floats:
        """Place the mesh in the frame, `v 2`."""
        body = trunk(self.mesh.points)
        return np.asarray(body + self.head[:, None] * (self.relief.placed(pose)[0] - body), np.float32)


def trunk_rig(character: Character) -> TrunkRig:
    """Mesh and weights of the trunk, and of the cape that goes with it."""
    points = character.points
    whole = np.maximum(character.layers[0].picture[..., 3], character.layers[-1].picture[..., 3])
    mesh = grid_mesh(whole, _cell_px(points))
    head = _head_share(mesh.points, points)
    order = np.argsort(head[mesh.triangles].mean(1), kind="stable")
    relief = Relief.around_face(mesh.points, points)
    return TrunkRig(mesh=Mesh(mesh.points, mesh.triangles[order]), head=head, relief=relief)


def _head_share(places: Floats, points: Points) -> Floats:
    """How far places `v 2` belong to the head, `v` 0..1: all above the chin, and less and less down to the neck.

    Above and below are along the line from forehead to chin, not the picture's: a chin that is bent over the chest lies
    beside the neck or below it.
    """
    forehead, chin = points.face[[face.FOREHEAD, face.CHIN], :2]
    axis, height = _unit(chin - forehead)
    length = max(float((points.joints[list(SHOULDERS)].mean(0) - chin) @ axis), _SHORTEST_NECK * height)
    past = (places - chin) @ axis
    down = np.clip(past / (0.9 * length), 0, 1)
    across = _right_of(axis)
    aside = np.abs((places - chin) @ across)
    half = max(float(np.ptp(points.face[:, :2] @ across)) / 2, 1.0)
    # shoulders raised to the chin's height are no part of the head
    beside = np.clip((aside - 1.1 * half) / (0.5 * half), 0, 1)
    below = np.clip((past + 0.3 * length) / (0.3 * length), 0, 1)
    return np.asarray((1 - down * down * (3 - 2 * down)) * (1 - beside * below), np.float32)


def limb_rigs(character: Character) -> tuple[LimbRig, ...]:
    """Meshes and weights of the arms and legs, in the order of the layers."""
    points = character.points
    unit = float(np.linalg.norm(points.joints[SHOULDERS[0]] - points.joints[SHOULDERS[1]]))
    rigs = []
    for limb, layer in zip(ARMS + LEGS, character.layers[1:-1], strict=True):
        mesh = grid_mesh(layer.picture[..., 3], _cell_px(points))
        thickness = unit * (_ARM_THICKNESS if limb in ARMS else _LEG_THICKNESS)
        rigs.append(LimbRig(limb=limb, mesh=mesh, weights=_weights(mesh.points, chain(points, limb), thickness)))
    return tuple(rigs)


def chain(points: Points, limb: Limb) -> Floats:
    """Root, middle, end and tip of a limb of the character, `4 2`: the tip is the palm's far end or the toes."""
    root, middle, end = (points.joints[joint] for joint in limb.joints)
    if limb in ARMS:
        hand = (points.left_hand, points.right_hand)[ARMS.index(limb)]
        return np.stack([root, middle, end, end + (hand[9] - hand[0])])
    return np.stack([root, middle, end, points.joints[limb.tips[1]]])


def _weights(places: Floats, joints: Floats, thickness: float) -> Floats:
    """Nearness to each bone, `4 v`, summing to 1; the trunk holds what is near the root."""
    if not len(places):
        return np.zeros((4, 0), np.float32)
    from_root = np.linalg.norm(places - joints[0], axis=1) / (1.5 * thickness)
    distance = [from_root] + [distance_to_segment(places, joints[i], joints[i + 1]) / thickness for i in range(3)]
    weights = 1 / (np.stack(distance) ** 3 + 0.02)
    weights[0] *= np.where(from_root * 1.5 < _ROOT_REACH, _HELD_BY_TRUNK, 0)
    return np.asarray(weights / weights.sum(0), np.float32)


def _cell_px(points: Points) -> int:
    width = np.linalg.norm(points.joints[SHOULDERS[0]] - points.joints[SHOULDERS[1]])
    return max(4, round(float(width) / _CELLS_PER_SHOULDERS))


def _axis(joints: Floats) -> tuple[Floats, Floats, float]:
    """Neck, unit vector to the hips, and the distance."""
    neck, hips = joints[list(SHOULDERS)].mean(0), joints[list(HIPS)].mean(0)
    down, length = _unit(hips - neck)
    return neck, down, length


def _leg(joints: Floats, side: int) -> Floats:
    """From hip to knee and from knee to ankle of the left (0) or right (1) leg, `2 2`."""
    return np.diff(joints[list(LEGS[side].joints)], axis=0)


def _uncrossed(legs: Floats, across: Floats) -> Floats:
    """Keep the left leg on its side of the right one, for cloth that hangs over both would fold. legs: steps `2 2 2`.

    across: from the right hip to the left one. What is too much is shared.
    """
    ends = np.cumsum(legs, axis=1)
    apart = (ends[0] - ends[1]) @ across / max(float(across @ across), 1e-6)
    too_much = np.minimum(apart + _MOST_CROSSED, 0)[:, None] * across / 2
    return np.diff(np.stack([ends[0] - too_much, ends[1] + too_much]), axis=1, prepend=0)


def _right_of(down: NDArray[np.floating]) -> Floats:
    """Give the unit vector to screen right of one that points down."""
    return np.array((down[1], -down[0]), np.float32)


def _unit(vector: Floats) -> tuple[Floats, float]:
    length = max(float(np.linalg.norm(vector)), 1e-3)
    return (vector / length).astype(np.float32), length
