# SPDX-License-Identifier: GPL-3.0-or-later
"""The puppet: layers drawn back to front in one frame of the motion."""

from __future__ import annotations

import cv2
import numpy as np

from . import face
from .character import Character
from .head import HeadPose, Relief
from .mesh import Mesh
from .motion import Motion
from .mouth import Mouth
from .raster import Floats, Frame, Patch, draw_mesh
from .rig import Bone, LimbRig, Stance, Trunk, bone, chain, limb_rigs, trunk_rig
from .skeleton import ARMS, LEGS

_FACE_FEATHER = 0.035
_SMALLEST_SCALE = 0.6
_FOOT_TURN_RAD = np.radians(40)


class Puppet:
    """A character ready to be drawn in frames of one size."""

    def __init__(self, character: Character) -> None:
        points = character.points
        self._points = points
        self._trunk = trunk_rig(character)
        self._limbs = limb_rigs(character)
        self._face = Relief.of_face(points)
        self._textures = [_Texture(layer.picture) for layer in character.layers]
        height, width = character.layers[0].picture.shape[:2]
        skin = character.layers[0].picture.copy()
        skin[..., 3] *= _oval_matte(points.face, (height, width))
        self._skin = _Texture(skin)
        self._mouth = Mouth(character)

    def draw(self, motion: Motion, index: int, width_px: int, height_px: int) -> Floats:
        """Draw one frame: premultiplied RGBA `h w 4` float32, display-referred, the picture's own colours."""
        canvas = np.zeros((height_px, width_px, 4), np.float32)
        if not motion.drawn[index]:
            return canvas
        frame = Frame(width_px, height_px)
        stance = Stance(
            joints=motion.joints[index], scale=float(motion.scale[index]), facing=float(motion.facing[index])
        )
        trunk = Trunk(self._points.joints, stance)
        for part in self._order(motion, index):
            if part < 0:
                self._draw_trunk(canvas, trunk, motion, index, frame)
            else:
                self._draw_limb(canvas, part, trunk, stance, motion, index, frame)
        return canvas

    def _order(self, motion: Motion, index: int) -> list[int]:
        """Parts from back to front: -1 the trunk, 0 and 1 the arms, 2 and 3 the legs."""
        legs = [3, 2] if motion.left_leg_front[index] else [2, 3]
        arms = [1, 0] if motion.left_arm_front[index] else [0, 1]
        behind = [arm for arm in arms if motion.arm_behind[index, arm]]
        return [*behind, *legs, -1, *(arm for arm in arms if arm not in behind)]

    def _draw_trunk(self, canvas: Floats, trunk: Trunk, motion: Motion, index: int, frame: Frame) -> None:
        pose = HeadPose(
            pivot=motion.pivot[index],
            scale=float(motion.head_scale[index]),
            roll=float(motion.roll[index]),
            tilt=motion.tilt[index],
            expression=motion.expression[index],
        )
        rig = self._trunk
        self._textures[0].draw(rig.placed(trunk, pose), rig.mesh, float(motion.scale[index]), frame).lay_over(canvas)
        if motion.facing[index] < 0:
            return
        points, depth = self._face.placed(pose)
        self._mouth.draw(points, frame).lay_over(canvas)
        exact = Frame(frame.width_px, frame.height_px, coarse=1)
        skin = self._points.skin
        skin = skin[np.argsort(-depth[skin].mean(1), kind="stable")]
        self._skin.draw(points, Mesh(self._points.face[:, :2], skin), pose.scale, exact).lay_over(canvas)

    def _draw_limb(
        self, canvas: Floats, part: int, trunk: Trunk, stance: Stance, motion: Motion, index: int, frame: Frame
    ) -> None:
        rig = self._limbs[part]
        if not len(rig.mesh.triangles):
            return
        own = chain(self._points, rig.limb)
        target = self._limb_target(rig, trunk, stance, motion, index)
        bones = [bone((own[i], own[i + 1]), (target[i], target[i + 1]), stance.scale, stance.facing) for i in range(3)]
        if rig.limb in LEGS:
            bones[2] = self._foot(rig, stance)
        placed = [trunk(rig.mesh.points), *(each(rig.mesh.points) for each in bones)]
        points = (rig.weights[..., None] * np.stack(placed)).sum(0)
        self._textures[1 + part].draw(points, rig.mesh, stance.scale, frame).lay_over(canvas)

    def _limb_target(
        self, rig: LimbRig, trunk: Trunk, stance: Stance, motion: Motion, index: int
    ) -> tuple[Floats, Floats, Floats, Floats]:
        """Where the limb's root, middle, end and tip go in the frame."""
        own = chain(self._points, rig.limb)
        root = trunk(own[0][None])[0]
        _, middle, end = (stance.joints[joint] for joint in rig.limb.joints)
        if rig.limb in LEGS:
            foot = self._foot(rig, stance)
            return root, middle, foot(own[2][None])[0], foot(own[3][None])[0]
        side = ARMS.index(rig.limb)
        pose_reach = stance.joints[list(rig.limb.tips)].mean(0) - end
        hand = motion.hands[index, side]
        share = motion.hand_score[index, side]
        reach = pose_reach + share * ((hand[9] - hand[0]) - pose_reach)
        length = np.linalg.norm(own[3] - own[2]) * stance.scale
        now = max(float(np.linalg.norm(reach)), 1e-3)
        return root, middle, end, end + reach / now * np.clip(now, 0.5 * length, 1.2 * length)

    def _foot(self, rig: LimbRig, stance: Stance) -> Bone:
        """Stand the foot, its shape kept, where the performer's stands: middle of heel and toe on theirs."""
        own_heel, own_toe = self._points.joints[list(rig.limb.tips)]
        heel, toe = stance.joints[list(rig.limb.tips)]
        own, target = own_toe - own_heel, toe - heel
        angle = np.arctan2(target[1], target[0] * stance.facing) - np.arctan2(own[1], own[0])
        angle = np.arctan2(np.sin(angle), np.cos(angle))
        angle = float(np.clip(angle, -_FOOT_TURN_RAD, _FOOT_TURN_RAD))
        c, s = np.cos(angle), np.sin(angle)
        matrix = stance.scale * np.diag((stance.facing, 1.0)) @ np.array(((c, -s), (s, c)))
        shift = (heel + toe) / 2 - matrix @ ((own_heel + own_toe) / 2)
        return Bone(matrix.astype(np.float32), shift.astype(np.float32))


class _Texture:
    """A premultiplied picture at several sizes, so that a small figure does not shimmer."""

    def __init__(self, straight: Floats) -> None:
        level = straight.copy()
        level[..., :3] *= level[..., 3:]
        self._levels = [level]
        while min(level.shape[:2]) > 64:
            size = (level.shape[1] // 2, level.shape[0] // 2)
            level = cv2.resize(level, size, interpolation=cv2.INTER_AREA)
            self._levels.append(level)

    def draw(self, points: Floats, mesh: Mesh, scale: float, frame: Frame) -> Patch:
        """Draw the mesh with the level that fits `scale` (frame pixels per picture pixel)."""
        depth = 0
        while depth + 1 < len(self._levels) and scale * 2**depth < _SMALLEST_SCALE:
            depth += 1
        level = self._levels[depth]
        shrink = np.array(level.shape[1::-1]) / np.array(self._levels[0].shape[1::-1])
        texture = ((mesh.points + 0.5) * shrink - 0.5).astype(np.float32)
        return draw_mesh(level, points.astype(np.float32), mesh.triangles, texture, frame)


def _oval_matte(points: Floats, shape: tuple[int, int]) -> Floats:
    """1 inside the face, falling to 0 towards its oval, so that it melts into the head below it."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(points[list(face.OVAL), :2]).astype(np.int32)], 1)
    inside = cv2.distanceTransform(np.pad(mask, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    feather = _FACE_FEATHER * face.face_height(points)
    t = np.clip(inside / max(feather, 1.0), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
