# SPDX-License-Identifier: GPL-3.0-or-later
"""The character as the puppet needs it: found in one picture, cut out, taken apart, kept in a folder."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from ...media.images import Pixels, read_picture, write_picture
from ...performer.still import NobodyInPictureError, Still, find_in_picture
from . import face
from .cutout import clean_colour, cut_out
from .layers import Layer, take_apart
from .raster import Floats
from .skeleton import ARMS, LEGS, SEEN, Limb, complete

LONGEST_SIDE_PX = 2048
"""Pictures are kept no larger: more than any frame the draft is made for can show."""

LAYER_NAMES = ("trunk", *(limb.name for limb in ARMS + LEGS), "cape")
_POINTS, _MATTE = "points.safetensors", "matte.png"
_FADE_OF_TORSO, _SOLID_PART = 0.5, 0.15
"""Least length of what fades out below a cropped figure, trunks; and the part of it that stays solid."""
_SURROUNDINGS_PART = 0.05
_CUT_WIDTH = 0.2
"""Width of a figure at the picture's lower border, of its own, from which it is cut there."""
_SHORTEST_BONE = 0.35
"""Least drop from hip to knee and from knee to ankle in a standing figure, trunks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """What is known of the character, in pixels of its kept picture.

    joints: `33 2`, completed where the picture shows none; joint_score: `33`, as found. face: `468 3`.
    left_hand, right_hand: `21 2`. skin, mouth: triangles of the face, `t 3`. surroundings: mean light round the
    character, linear RGB, zeros where the picture had no background. size: width and height of the picture, pixels.
    cropped: 1 where the picture's lower border cuts the character.
    """

    joints: Floats
    joint_score: Floats
    face: Floats
    face_score: Floats
    left_hand: Floats
    right_hand: Floats
    hand_score: Floats
    skin: NDArray[np.int32]
    mouth: NDArray[np.int32]
    surroundings: Floats
    size: NDArray[np.int32]
    cropped: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Character:
    """Points, layers, and the whole figure's matte, `h w` 0..1, as large as the picture.

    The layers may be taller than the picture: a cropped figure fades out below it.
    """

    points: Points
    layers: tuple[Layer, ...]
    matte: Floats

    def save(self, folder: Path) -> None:
        """Write safetensors and one PNG a layer."""
        folder.mkdir(parents=True, exist_ok=True)
        save_file(
            {f.name: np.ascontiguousarray(getattr(self.points, f.name)) for f in fields(Points)}, folder / _POINTS
        )
        for layer in self.layers:
            write_picture(folder / f"{layer.name}.png", _quantised(layer.picture))
        write_picture(folder / _MATTE, _quantised(self.matte))

    @classmethod
    def load(cls, folder: Path) -> Character:
        """Read what `save` wrote."""
        layers = tuple(Layer(name=name, picture=_unit(read_picture(folder / f"{name}.png"))) for name in LAYER_NAMES)
        return cls(points=load_points(folder), layers=layers, matte=load_matte(folder))


def load_points(folder: Path) -> Points:
    """Read the points alone of what `Character.save` wrote."""
    return Points(**load_file(folder / _POINTS))


def load_matte(folder: Path) -> Floats:
    """Read the matte alone of what `Character.save` wrote, `h w` 0..1."""
    return _unit(read_picture(folder / _MATTE))


def find_character(picture: Pixels, mirror: bool) -> Character:
    """Find, cut out and take apart the figure of a picture (grey, RGB or RGBA, 8 or 16 bit).

    Raises NobodyInPictureError.
    """
    rgb, own_alpha = kept_picture(picture, mirror)
    if own_alpha is not None:
        return build_character(rgb, own_alpha, find_in_picture(_before_grey(rgb, own_alpha)), has_background=False)
    still = find_in_picture(rgb)
    alpha = cut_out(rgb, still)
    return build_character(rgb, alpha, _seen_whole(rgb, alpha, still), has_background=True)


def _seen_whole(rgb: NDArray[np.uint8], alpha: Floats, still: Still) -> Still:
    """Look again, before plain grey, for a figure whose feet were not found though the picture does not cut it."""
    ankles = [leg.end for leg in LEGS]
    if _is_cut(alpha) or still.body_score[ankles].min() >= SEEN:
        return still
    try:
        again = find_in_picture(_before_grey(rgb, alpha))
    except NobodyInPictureError:
        return still
    return again if again.body_score[ankles].min() >= SEEN else still


def _before_grey(rgb: NDArray[np.uint8], alpha: Floats) -> NDArray[np.uint8]:
    """Set a cut-out before plain grey, so that the network sees its outline."""
    part = alpha[..., None]
    return np.asarray(rgb * part + 128 * (1 - part) + 0.5, np.uint8)


def kept_picture(picture: Pixels, mirror: bool) -> tuple[NDArray[np.uint8], Floats | None]:
    """Bring a picture to 8-bit RGB of at most LONGEST_SIDE_PX, and its alpha (`h w`, 0..1) if it uses one."""
    unit = _unit(picture)
    unit = unit[..., None].repeat(3, 2) if unit.ndim == 2 else unit
    alpha = unit[..., 3] if unit.shape[2] == 4 and unit[..., 3].min() < 1 else None
    colour = unit[..., :3] if alpha is None else clean_colour(unit[..., :3], alpha)
    scale = min(1.0, LONGEST_SIDE_PX / max(unit.shape[:2]))
    if scale < 1:
        size = (max(1, round(unit.shape[1] * scale)), max(1, round(unit.shape[0] * scale)))
        colour = cv2.resize(colour, size, interpolation=cv2.INTER_AREA)
        alpha = None if alpha is None else cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    if mirror:
        colour, alpha = colour[:, ::-1], None if alpha is None else np.ascontiguousarray(alpha[:, ::-1])
    return np.ascontiguousarray(cast(NDArray[np.uint8], _quantised(colour))), alpha


def build_character(rgb: NDArray[np.uint8], alpha: Floats, still: Still, has_background: bool) -> Character:
    """Put the record together from a picture, its matte (`h w`, 0..1) and what was found in it."""
    colour = clean_colour(rgb.astype(np.float32) / 255, alpha)
    cropped = _is_cut(alpha)
    score = _plausible(still.body, still.body_score) if cropped else np.asarray(still.body_score, np.float32)
    joints = complete(still.body, score)
    mesh = still.face if still.face_score > SEEN else _stand_in_face(still.face, joints)
    hands = _hands(still, joints)
    tips = tuple(hand[list(_FINGER_TIPS)] if found else joints[list(arm.tips)] for hand, found, arm in hands)
    layers = take_apart(colour, alpha, joints, score, (tips[0], tips[1]))
    torso = float(np.linalg.norm(joints[[23, 24]].mean(0) - joints[[11, 12]].mean(0)))
    if cropped:
        ankles = float(joints[[27, 28], 1].max()) - len(alpha)
        rows = round(np.clip(ankles, _FADE_OF_TORSO * torso, 2 * torso))
        layers = tuple(_faded_out(layer, rows) for layer in layers)
    skin, mouth = face.triangles(mesh)
    points = Points(
        joints=joints,
        joint_score=score,
        face=mesh,
        face_score=np.asarray([still.face_score], np.float32),
        left_hand=hands[0][0],
        right_hand=hands[1][0],
        hand_score=np.asarray([hands[0][1], hands[1][1]], np.float32),
        skin=skin,
        mouth=mouth,
        surroundings=_surroundings(rgb, alpha) if has_background else np.zeros(3, np.float32),
        size=np.array([rgb.shape[1], rgb.shape[0]], np.int32),
        cropped=np.array([cropped], np.int32),
    )
    return Character(points=points, layers=layers, matte=alpha)


_FINGER_TIPS = (4, 8, 12, 16, 20)
_HAND_REACH = np.array((0, 0.3, 0.5, 0.7, 0.85, *(0.6, 0.85, 1.0, 1.15) * 4), np.float32)


def _hands(still: Still, joints: Floats) -> list[tuple[Floats, bool, Limb]]:
    """Both hands' points `21 2`; where none was found they lie on a line from the wrist to the pose's own fingers."""
    found = []
    for arm, hand, score in (
        (ARMS[0], still.left_hand, still.left_hand_score),
        (ARMS[1], still.right_hand, still.right_hand_score),
    ):
        if score > SEEN:
            found.append((np.asarray(hand[:, :2], np.float32), True, arm))
            continue
        wrist = joints[arm.end]
        reach = joints[list(arm.tips)].mean(0) - wrist
        found.append((wrist + _HAND_REACH[:, None] * reach, False, arm))
    return found


def _is_cut(alpha: Floats) -> bool:
    """Say whether the picture's lower border cuts the figure: it is wide there."""
    return bool(alpha[-2:].max(0).sum() > _CUT_WIDTH * max((alpha > 0.5).any(0).sum(), 1))


def _plausible(body: Floats, score: Floats) -> Floats:
    """Doubt the legs of a cropped figure that are folded up: the network puts what it can't see inside the picture."""
    score = np.array(score, np.float32)
    torso = float(np.linalg.norm(body[[23, 24], :2].mean(0) - body[[11, 12], :2].mean(0)))
    for leg in LEGS:
        hip, knee, ankle = (body[joint, 1] for joint in leg.joints)
        if knee - hip < _SHORTEST_BONE * torso:
            score[leg.middle] = 0
        if score[leg.middle] < SEEN or ankle - knee < _SHORTEST_BONE * torso:
            score[[leg.end, *leg.tips]] = 0
    return score


def _stand_in_face(points: Floats, joints: Floats) -> Floats:
    """Lay an oval where the head must be, for a picture without a face: it carries the head, it expresses nothing.

    It stands on the neck: a head that leans or lies does so along the line from neck to ears.
    """
    centre = joints[[7, 8]].mean(0)
    x, y = centre - joints[[11, 12]].mean(0)
    height, lean = 1.1 * max(float(np.hypot(x, y)), 1.0), np.arctan2(x, -y)
    turns = np.linspace(0, 2 * np.pi, len(face.OVAL), endpoint=False)
    upright = height * np.stack([0.35 * np.sin(turns), -0.5 * np.cos(turns)], 1)
    c, s = np.cos(lean), np.sin(lean)
    result = np.zeros_like(points)
    result[:, :2] = centre
    result[list(face.OVAL), :2] += upright @ np.array(((c, s), (-s, c)))
    return result


def _faded_out(layer: Layer, rows: int) -> Layer:
    """Let a trunk that the picture's lower border cuts go on below it, softening and fading to nothing in `rows`.

    Other parts only get the same room.
    """
    picture = layer.picture
    if layer.name != "trunk":
        room = np.zeros((rows, *picture.shape[1:]), np.float32)
        return Layer(name=layer.name, picture=np.concatenate([picture, room]).astype(np.float32))
    below = picture[np.arange(len(picture) - 1, len(picture) - 1 - rows, -1) % len(picture), :, :3]
    depth = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    for part, sigma in ((0.15, rows / 40), (0.5, rows / 14)):
        share = np.clip(depth / part, 0, 1)[..., None]
        below = below * (1 - share) + cv2.GaussianBlur(below, (0, 0), max(1.0, sigma)) * share
    fade = 1 - np.clip((depth - _SOLID_PART) / (1 - _SOLID_PART), 0, 1)
    alpha = _longest_run(picture[-3, :, 3])[None] * fade * fade * (3 - 2 * fade)
    return Layer(name=layer.name, picture=np.concatenate([picture, np.dstack([below, alpha])]).astype(np.float32))


def _longest_run(row: Floats) -> Floats:
    """Keep the widest stretch of a row of alpha: the trunk, without what hangs beside it."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], row > 0.02, [0]]).astype(int)))
    if not len(edges):
        return row
    widest = int(np.argmax(edges[1::2] - edges[::2]))
    kept = np.zeros_like(row)
    kept[edges[2 * widest] : edges[2 * widest + 1]] = row[edges[2 * widest] : edges[2 * widest + 1]]
    return np.asarray(cv2.GaussianBlur(kept[None], (0, 0), 1.5)[0], np.float32)


def _surroundings(rgb: NDArray[np.uint8], alpha: Floats) -> Floats:
    """Mean light of the picture where the character is not, linear RGB (power 2.2); zeros if there is too little."""
    away = alpha < 0.02
    if away.mean() < _SURROUNDINGS_PART:
        return np.zeros(3, np.float32)
    return np.asarray(((rgb[away] / 255.0) ** 2.2).mean(0), np.float32)


def _quantised(unit: Floats) -> Pixels:
    return np.asarray(np.clip(unit, 0, 1) * 255 + 0.5, np.uint8)


def _unit(pixels: Pixels) -> Floats:
    return np.asarray(pixels, np.float32) / np.iinfo(pixels.dtype).max
