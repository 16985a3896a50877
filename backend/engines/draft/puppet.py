# SPDX-License-Identifier: GPL-3.0-or-later
"""The puppet: layers drawn back to front in one frame of the motion."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from . import face
from .character import Character
from .eyelids import Eyelids
from .hands import draw_hand
from .head import HeadPose, Relief
from .mesh import Mesh
from .motion import Motion, enlarged
from .mouth import Mouth
from .notches import closed_near
from .raster import Floats, Frame, merged
from .rig import Bend, LimbRig, Stance, Trunk, bent, chain, limb_rigs, mirrored, trunk_rig
from .skeleton import ARMS, SHOULDERS
from .skin import back_of_head, hand_tones
from .texture import Texture

_FACE_FEATHER = 0.035
_WRIST_FADE = 0.12
"""Length over which a sleeve ends past the wrist, forearms."""
_HAND_ROOM = 0.15
"""How far a hand reaches round its points, palms."""
_SMALL_FIGURE_PX, _FINER = 480, 2
_FOLD = 0.05
"""Width of the notches that a sharp fold leaves, shoulders."""
_TRUNK, _CAPE = -1, -2
_FOOT_TURN_RAD = np.radians(40)


@dataclass(frozen=True, slots=True)
class _Scene:
    """One frame of the motion, as the parts are drawn into it."""

    motion: Motion
    index: int
    frame: Frame
    stance: Stance
    trunk: Trunk


class Puppet:
    """A character ready to be drawn in frames of one size."""

    def __init__(self, character: Character) -> None:
        points = character.points
        self._points = points
        self._trunk = trunk_rig(character)
        self._body_and_head = self._trunk.pieces()
        self._limbs = limb_rigs(character)
        self._face = Relief.of_face(points)
        self._front = Texture(character.layers[0].picture)
        self._back = Texture(back_of_head(character))
        height, width = character.layers[0].picture.shape[:2]
        skin = character.layers[0].picture.copy()
        skin[..., 3] *= _oval_matte(points.face, (height, width))
        self._skin = Texture(skin)
        self._mouth, self._eyelids = Mouth(character), Eyelids(character)
        layers, cape = character.layers[1:-1], character.layers[-1].picture
        self._cape = _Piece(Texture(cape), self._trunk.mesh.over(cape[..., 3])) if cape[..., 3].any() else None
        self._pieces = [_pieces(rig, layer.picture) for rig, layer in zip(self._limbs, layers, strict=True)]
        self._sleeves = [_pieces(rig, _without_hand(character, side)) for side, rig in enumerate(self._limbs[:2])]
        self._fold_px = _FOLD * float(np.linalg.norm(points.joints[SHOULDERS[0]] - points.joints[SHOULDERS[1]]))
        self._tones = hand_tones(character)

    def draw(self, motion: Motion, index: int, width_px: int, height_px: int) -> Floats:
        """Draw one frame: premultiplied RGBA `h w 4` float32, display-referred, the picture's own colours.

        A small figure is drawn larger and reduced: folds and rims would show their steps.
        """
        canvas = np.zeros((height_px, width_px, 4), np.float32)
        if not motion.drawn[index]:
            return canvas
        if float(np.median(motion.height[motion.drawn])) >= _SMALL_FIGURE_PX:
            self._draw(canvas, motion, index)
            return canvas
        large = np.zeros((_FINER * height_px, _FINER * width_px, 4), np.float32)
        self._draw(large, enlarged(motion, _FINER), index)
        return cv2.resize(large, (width_px, height_px), dst=canvas, interpolation=cv2.INTER_AREA)

    def _draw(self, canvas: Floats, motion: Motion, index: int) -> None:
        """Draw one frame over a clear canvas, in place."""
        frame = Frame(canvas.shape[1], canvas.shape[0])
        stance = Stance(
            joints=motion.joints[index], scale=float(motion.scale[index]), facing=float(motion.facing[index])
        )
        scene = _Scene(motion, index, frame, stance, Trunk(self._points.joints, stance))
        for part in self._order(motion, index):
            if part == _TRUNK:
                self._draw_trunk(canvas, scene)
            elif part == _CAPE:
                self._draw_cape(canvas, scene)
            else:
                self._draw_limb(canvas, part, scene)

    def _order(self, motion: Motion, index: int) -> list[int]:
        """Parts from back to front: trunk, cape, 0 and 1 the arms, 2 and 3 the legs."""
        legs = [3, 2] if motion.left_leg_front[index] else [2, 3]
        arms = [1, 0] if motion.left_arm_front[index] else [0, 1]
        behind = [arm for arm in arms if motion.arm_behind[index, arm]]
        middle = [_CAPE, *legs, _TRUNK] if motion.facing[index] > 0 else [*legs, _TRUNK, _CAPE]
        return [*behind, *middle, *(arm for arm in arms if arm not in behind)]

    def _draw_cape(self, canvas: Floats, scene: _Scene) -> None:
        if self._cape is not None:
            points = scene.trunk(self._cape.mesh.points)
            self._cape.texture.draw(points, self._cape.mesh, scene.stance.scale, scene.frame).lay_over(canvas)

    def _draw_trunk(self, canvas: Floats, scene: _Scene) -> None:
        motion, index, frame = scene.motion, scene.index, scene.frame
        pose = HeadPose(
            pivot=motion.pivot[index],
            scale=float(motion.head_scale[index]),
            roll=float(motion.roll[index]),
            tilt=motion.tilt[index],
            expression=motion.expression[index],
            eyes_open=motion.eyes_open[index],
            facing=float(motion.facing[index]),
        )
        rig = self._trunk
        texture = self._front if pose.facing > 0 else self._back
        placed = rig.placed(scene.trunk, pose)
        scale = float(motion.scale[index])
        merged([texture.draw(placed, piece, scale, frame) for piece in self._body_and_head]).lay_over(canvas)
        if pose.facing < 0 or not self._points.face_score[0]:
            return
        points, depth = self._face.placed(pose)
        self._mouth.draw(points, frame).lay_over(canvas)
        exact = Frame(frame.width_px, frame.height_px, coarse=1)
        own = self._mouth.own_share(points)
        if own > 0:
            inside = Mesh(self._points.face[:, :2], self._points.mouth)
            self._skin.draw(points, inside, pose.scale, exact).faded(own).lay_over(canvas)
        skin = self._points.skin
        skin = skin[np.argsort(-depth[skin].mean(1), kind="stable")]
        self._skin.draw(points, Mesh(self._points.face[:, :2], skin), pose.scale, exact).lay_over(canvas)
        for lid in self._eyelids.draw(points, pose, frame):
            lid.lay_over(canvas)

    def _draw_limb(self, canvas: Floats, part: int, scene: _Scene) -> None:
        motion, index, stance = scene.motion, scene.index, scene.stance
        frame = replace(scene.frame, two_sided=True)
        rig = self._limbs[part]
        if not len(rig.mesh.triangles):
            return
        side = np.array((stance.facing, 1), np.float32)
        own = chain(self._points, rig.limb)
        target = self._arm(rig, scene) if part < 2 else self._leg(rig, scene)
        places = rig.mesh.points * side
        own = own * side
        weights = rig.weights
        if part < 2 and motion.bent_other_way[index, part]:
            places, own = (mirrored(values, own[0], own[2]) for values in (places, own))
            weights = np.concatenate([np.zeros_like(weights[:1]), weights[:1] + weights[1:2], weights[2:]])
        bend = Bend(own=own, target=target, scale=stance.scale, lean=scene.trunk.lean)
        points = bent(places, scene.trunk(rig.mesh.points), weights, bend)
        is_modelled = part < 2 and motion.hand_modelled[part]
        pieces = self._sleeves[part] if is_modelled else self._pieces[part]
        drawn = merged([piece.texture.draw(points, piece.mesh, stance.scale, frame) for piece in pieces])
        reach = float(np.linalg.norm(own[2] - own[1])) * stance.scale
        closed_near(drawn, target[1], reach, self._fold_px * stance.scale).lay_over(canvas)
        if is_modelled:
            hand = motion.hands[index, part].copy()
            hand[:, :2] += target[2] - hand[0, :2]
            draw_hand(hand, self._tones[part], frame).lay_over(canvas)

    def _arm(self, rig: LimbRig, scene: _Scene) -> Floats:
        """Find where shoulder, elbow, wrist and the palm's far end go in the frame, `4 2`."""
        motion, index, stance = scene.motion, scene.index, scene.stance
        own = chain(self._points, rig.limb)
        _, middle, end = (stance.joints[joint] for joint in rig.limb.joints)
        side = ARMS.index(rig.limb)
        hand = motion.hands[index, side, :, :2]
        reach = hand[9] - hand[0] if motion.hand_modelled[side] else stance.joints[list(rig.limb.tips)].mean(0) - end
        length = np.linalg.norm(own[3] - own[2]) * stance.scale
        now = max(float(np.linalg.norm(reach)), 1e-3)
        tip = end + reach / now * np.clip(now, 0.5 * length, 1.2 * length)
        return np.stack([scene.trunk(own[:1])[0], middle, end, tip])

    def _leg(self, rig: LimbRig, scene: _Scene) -> Floats:
        """Find where hip, knee, ankle and toes go, `4 2`.

        The foot keeps its shape; the middle of its heel and toe falls on theirs, so that the sole does not slip.
        """
        stance = scene.stance
        side = np.array((stance.facing, 1), np.float32)
        own = chain(self._points, rig.limb)
        own_heel, own_toe = self._points.joints[list(rig.limb.tips)] * side
        heel, toe = stance.joints[list(rig.limb.tips)]
        before, now = own_toe - own_heel, toe - heel
        angle = np.arctan2(now[1], now[0]) - np.arctan2(before[1], before[0])
        angle = np.clip(np.arctan2(np.sin(angle), np.cos(angle)), -_FOOT_TURN_RAD, _FOOT_TURN_RAD)
        c, s = np.cos(angle), np.sin(angle)
        turn = stance.scale * np.array(((c, -s), (s, c)))
        ankle, toes = (own[2:] * side - (own_heel + own_toe) / 2) @ turn.T + (heel + toe) / 2
        return np.stack([scene.trunk(own[:1])[0], stance.joints[rig.limb.middle], ankle, toes])


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a limb as it is drawn."""

    texture: Texture
    mesh: Mesh


def _pieces(rig: LimbRig, picture: Floats) -> list[_Piece]:
    """Part a limb's straight picture at its middle joint."""
    found = []
    for piece in rig.pieces(picture[..., 3]):
        shown = picture.copy()
        shown[..., 3] *= piece.cover
        found.append(_Piece(Texture(shown), piece.mesh))
    return found


def _without_hand(character: Character, side: int) -> Floats:
    """End an arm's straight picture at the wrist."""
    picture = character.layers[1 + side].picture.copy()
    _, elbow, wrist, _ = chain(character.points, ARMS[side])
    forearm = wrist - elbow
    length = max(float(np.linalg.norm(forearm)), 1.0)
    height, width = picture.shape[:2]
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(np.float32)
    beyond = ((grid - wrist) @ forearm) / length**2
    picture[..., 3] *= 1 - np.clip(beyond / _WRIST_FADE, 0, 1)
    if character.points.hand_score[side]:
        hand = (character.points.left_hand, character.points.right_hand)[side]
        blank = np.full((height, width), 255, np.uint8)
        cv2.fillPoly(blank, [np.round(cv2.convexHull(hand)).astype(np.int32)], 0)
        apart = cv2.distanceTransform(blank, cv2.DIST_L2, 5) / max(float(np.linalg.norm(hand[9] - hand[0])), 1.0)
        picture[..., 3] *= np.clip((apart - _HAND_ROOM) / _HAND_ROOM, 0, 1)
    return picture


def _oval_matte(points: Floats, shape: tuple[int, int]) -> Floats:
    """1 inside the face, falling to 0 towards its oval, so that it melts into the head below it."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(points[list(face.OVAL), :2]).astype(np.int32)], 1)
    inside = cv2.distanceTransform(np.pad(mask, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    feather = _FACE_FEATHER * face.face_height(points)
    t = np.clip(inside / max(feather, 1.0), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
