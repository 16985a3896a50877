# SPDX-License-Identifier: GPL-3.0-or-later
"""bpy: what the camera can see of each performer, joint by joint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mathutils.bvhtree import BVHTree

from .acting import Performance
from .anatomy import FINGERS, SIDES, Skeleton
from .face import LANDMARKS, head_of
from .figure import Figure
from .solid import Points
from .truth import JOINTS, Camera

_FACE_SLACK, _LIMB_SLACK = 0.015, 0.02
_PRESENT_SHARE = 0.01

_BODY = {"shoulder": "upper_arm", "elbow": "forearm", "wrist": "hand", "hip": "thigh", "knee": "shin", "ankle": "foot"}
_DEPTH = {
    "shoulder": 0.07,
    "elbow": 0.055,
    "wrist": 0.035,
    "hip": 0.125,
    "knee": 0.07,
    "ankle": 0.06,
    "heel": 0.05,
    "foot_index": 0.05,
}
"""How deep below the surface of a grown-up a joint may lie."""
_KNUCKLE = {"pinky": "pinky0", "index": "index0", "thumb": "thumb2"}


def witness_frame(
    figures: Sequence[Figure],
    performances: Sequence[Performance],
    posed: Sequence[Points],
    camera: Camera,
    size: tuple[int, int],
) -> dict[str, Any]:
    """One frame's truth as JSON: camera and performers."""
    sight = _Sight(figures, posed, camera, size)
    performers = [
        _performer(figure, performance, points, sight)
        for figure, performance, points in zip(figures, performances, posed, strict=True)
    ]
    where = {"location": camera.location.tolist(), "axes": camera.axes.tolist(), "focal_widths": camera.focal_widths}
    return {"camera": where, "performers": performers}


class _Sight:
    """Lines from the camera to points among the figures of one frame."""

    def __init__(
        self, figures: Sequence[Figure], posed: Sequence[Points], camera: Camera, size: tuple[int, int]
    ) -> None:
        starts = np.cumsum([0] + [len(points) for points in posed[:-1]])
        faces = np.concatenate([figure.faces + start for figure, start in zip(figures, starts, strict=True)])
        self._tree: Any = BVHTree.FromPolygons(np.concatenate(posed).tolist(), faces.tolist())
        self._camera, self.size = camera, size

    def pixels(self, points: Points) -> Points:
        return self._camera.project(points, *self.size)

    def inside(self, points: Points) -> list[bool]:
        """Whether points fall into the picture and lie before the camera."""
        pixels = self.pixels(points)
        ahead = (points - self._camera.location) @ self._camera.axes[2] > 0
        limit = np.array(self.size) - 0.5
        return [bool(b) for b in ahead & (pixels > -0.5).all(axis=1) & (pixels < limit).all(axis=1)]

    def clear(self, point: Points, depth: float) -> bool:
        """Whether nothing lies more than `depth` metres before a point."""
        way = point - self._camera.location
        far = float(np.linalg.norm(way))
        _, _, _, hit = self._tree.ray_cast(self._camera.location.tolist(), (way / far).tolist(), far)
        return hit is None or hit > far - depth

    def yaw_deg(self, at: Points, facing: Points) -> float:
        """Angle of a direction from straight into the camera, seen from above; positive to the picture's right."""
        back = self._camera.location - at
        cross = facing[0] * back[1] - facing[1] * back[0]
        return float(np.degrees(np.arctan2(-cross, facing[0] * back[0] + facing[1] * back[1])))


def _performer(figure: Figure, performance: Performance, posed: Points, sight: _Sight) -> dict[str, Any]:
    joints, depths = _joints(figure.skeleton, performance)
    hands = _hands(figure.skeleton, performance)
    head = performance.pose.place("head", head_of(figure.skeleton).origin)
    facing = performance.pose.turn[figure.skeleton.index["head"]] @ np.array([0.0, -1.0, 0.0])
    finger = [0.022 * figure.skeleton.build.hand] * 21
    return {
        "joints": sight.pixels(joints).round(3).tolist(),
        "visible": _visible(sight, joints, depths),
        "hands": [sight.pixels(hand).round(3).tolist() for hand in hands],
        "hands_visible": [_visible(sight, hand, finger) for hand in hands],
        "present": bool(np.mean(sight.inside(posed[::7])) > _PRESENT_SHARE),
        "head_yaw_deg": round(sight.yaw_deg(head, facing), 3),
        "mouth_open": round(performance.mouth_open, 4),
        "eyes_shut": round(performance.eyes_shut, 4),
        "planted": [performance.planted[side] for side in SIDES],
    }


def _visible(sight: _Sight, points: Points, depths: Sequence[float]) -> list[bool]:
    inside = sight.inside(points)
    return [ok and sight.clear(point, depth) for ok, point, depth in zip(inside, points, depths, strict=True)]


def _joints(skeleton: Skeleton, performance: Performance) -> tuple[Points, list[float]]:
    """Places of the 33 joints in the world, and how deep each may lie below the surface."""
    places = _face(skeleton, performance)
    depths = dict.fromkeys(places, _FACE_SLACK * skeleton.build.head)
    for side in SIDES:
        limbs = _limbs(skeleton, performance, side)
        places |= limbs
        girth = max(1.0, skeleton.build.girth)
        depths |= {name: _DEPTH.get(name.split("_", 1)[1], 0.02) * girth + _LIMB_SLACK for name in limbs}
    return np.stack([places[name] for name in JOINTS]), [depths[name] for name in JOINTS]


def _face(skeleton: Skeleton, performance: Performance) -> dict[str, Points]:
    head = head_of(skeleton)
    places = {}
    for side, sign in SIDES.items():
        names = {
            "eye_inner": f"{side}_eye_inner",
            "eye": f"{side}_eye",
            "eye_outer": f"{side}_eye_outer",
            "ear": f"{side}_ear",
        }
        for mark, name in {**names, "mouth": f"mouth_{side}", "nose": "nose"}.items():
            local = np.array(LANDMARKS[mark].at) * [sign, 1, 1]
            places[name] = performance.pose.place("head", head.place(local))
    return places


def _limbs(skeleton: Skeleton, performance: Performance, side: str) -> dict[str, Points]:
    pose, size = performance.pose, skeleton.build.foot
    places = {f"{side}_{joint}": pose.head[skeleton.index[f"{bone}.{side}"]] for joint, bone in _BODY.items()}
    places |= {f"{side}_{joint}": pose.head[skeleton.index[f"{bone}.{side}"]] for joint, bone in _KNUCKLE.items()}
    foot = skeleton[f"foot.{side}"]
    heel = foot.head * [1, 1, 0] + np.array([0.0, 0.062, 0.028]) * size
    return {
        **places,
        f"{side}_heel": pose.place(foot.name, heel),
        f"{side}_foot_index": pose.place(foot.name, foot.tail),
    }


def _hands(skeleton: Skeleton, performance: Performance) -> list[Points]:
    """Both hands' 21 points: wrist, then four of each finger from the palm to the tip."""
    pose = performance.pose
    hands = []
    for side in SIDES:
        points = [pose.head[skeleton.index[f"hand.{side}"]]]
        for finger in FINGERS:
            points += [pose.head[skeleton.index[f"{finger}{n}.{side}"]] for n in range(3)] + [
                pose.tail(f"{finger}2.{side}")
            ]
        hands.append(np.stack(points))
    return hands
