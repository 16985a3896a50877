# SPDX-License-Identifier: GPL-3.0-or-later
"""Faces as 468 points: their pose in space, what they express, and the triangles between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ...performer.networks import mediapipe
from .raster import Floats

STEADY: Final = (
    10,
    9,
    8,
    168,
    6,
    197,
    195,
    5,
    4,
    33,
    133,
    362,
    263,
    127,
    356,
    234,
    454,
    93,
    323,
    103,
    332,
    67,
    297,
    54,
    284,
    50,
    280,
    101,
    330,
    117,
    346,
)
"""Points that hardly move when a face speaks, blinks or laughs."""

OVAL: Final = (
    10,
    338,
    297,
    332,
    284,
    251,
    389,
    356,
    454,
    323,
    361,
    288,
    397,
    365,
    379,
    378,
    400,
    377,
    152,
    148,
    176,
    149,
    150,
    136,
    172,
    58,
    132,
    93,
    234,
    127,
    162,
    21,
    54,
    103,
    67,
    109,
)
EARS: Final = (234, 454)
INNER_UPPER: Final = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
INNER_LOWER: Final = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
"""The inner rim of the lips, from the right corner to the left one."""
EYES: Final = (
    ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133)),
    ((263, 466, 388, 387, 386, 385, 384, 398, 362), (263, 249, 390, 373, 374, 380, 381, 382, 362)),
)
"""Rims of the right and the left eye: upper lid, lower lid, from the outer corner to the inner one."""

FOREHEAD, CHIN = 10, 152
_NOSE_BASE = 2
_YAW_LIMIT_RAD, _PITCH_LIMIT_RAD = np.radians(50), np.radians(35)
_WIDEST = 1.25
_SHUT, _OPEN = 0.3, 0.9
"""Shares of its usual opening up to which an eye is shut, and from which it is open."""
_CLEARLY, _MOST_CLEARLY = 1.3, 1.9
"""A drawn mouth moves more than the performer's, to be read at its size: so much on a large face, on a small one."""
_BLIND_PX, _TOLD_PX = 35, 60
"""Of a face's height: at the less an eye has two rows of pixels, and what the tracker says of lids is noise."""
_LARGE_PX, _SMALL_PX = 90, 30
"""Heights of those in the frame: on a small one the lips' soft edges take a pixel or so of every opening."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FacePoses:
    """How a face's points are got from a reference's: turn, then size, then place. `f 3 3`, `f`, `f 3`."""

    rotation: Floats
    scale: Floats
    translation: Floats


def face_poses(reference: Floats, faces: Floats) -> FacePoses:
    """Fit `reference` (`468 3`) to each of `faces` (`f 468 3`) by its steady points. Umeyama 1991."""
    source = reference[list(STEADY)].astype(np.float64)
    target = faces[:, list(STEADY)].astype(np.float64)
    middle, middles = source.mean(0), target.mean(1)
    a, b = source - middle, target - middles[:, None]
    u, stretch, vt = np.linalg.svd(np.einsum("fpi,pj->fij", b, a))
    sign = np.sign(np.linalg.det(u @ vt))
    stretch[:, 2] *= sign
    u[:, :, 2] *= sign[:, None]
    rotation = u @ vt
    scale = np.maximum(stretch.sum(1) / max((a**2).sum(), 1e-9), 1e-6)
    translation = middles - scale[:, None] * np.einsum("fij,j->fi", rotation, middle)
    return FacePoses(
        rotation=rotation.astype(np.float32), scale=scale.astype(np.float32), translation=translation.astype(np.float32)
    )


def angles(rotation: Floats) -> tuple[Floats, Floats, Floats]:
    """Roll, yaw and pitch in radians of `f 3 3`: rotation = roll about z after yaw about y after pitch about x."""
    yaw = np.arcsin(np.clip(-rotation[:, 2, 0], -1, 1))
    roll = np.arctan2(rotation[:, 1, 0], rotation[:, 0, 0])
    pitch = np.arctan2(rotation[:, 2, 1], rotation[:, 2, 2])
    return roll, yaw, pitch


def tilts(yaw: Floats, pitch: Floats) -> Floats:
    """Turn out of the picture's plane, `f 3 3`, eased towards what one picture can show of a head."""
    yaw = _YAW_LIMIT_RAD * np.tanh(yaw / _YAW_LIMIT_RAD)
    pitch = _PITCH_LIMIT_RAD * np.tanh(pitch / _PITCH_LIMIT_RAD)
    zero, one = np.zeros_like(yaw), np.ones_like(yaw)
    about_y = np.stack([np.cos(yaw), zero, np.sin(yaw), zero, one, zero, -np.sin(yaw), zero, np.cos(yaw)], -1)
    about_x = np.stack([one, zero, zero, zero, np.cos(pitch), -np.sin(pitch), zero, np.sin(pitch), np.cos(pitch)], -1)
    return np.asarray(about_y.reshape(-1, 3, 3) @ about_x.reshape(-1, 3, 3), np.float32)


def expressions(reference: Floats, faces: Floats, poses: FacePoses, seen: Floats) -> Floats:
    """Tell what each face does beyond its own calm look, as shifts of `reference`'s points, `f 468 2` in its pixels.

    seen: `f` 0..1. The calm look is the median of the frames with the mouth most closed. The rims of the eyes only move
    to open them wider than usual: what closes them is drawn over them.
    """
    local = _in_place(faces, poses)
    known = np.flatnonzero(seen > 0.5)
    if not len(known):
        return np.zeros((len(faces), 468, 2), np.float32)
    opening = _gap(local, 13, 14)
    calm = known[opening[known] <= np.quantile(opening[known], 0.3)]
    shift = (local - np.median(local[calm], axis=0))[..., :2]
    for eye, share in zip(EYES, _openings(local, known), strict=True):
        _widen(shift, reference, eye, np.maximum(share, 1))
    size_px = float(np.median(poses.scale[known])) * face_height(reference)
    clearly = np.interp(size_px, (_SMALL_PX, _LARGE_PX), (_MOST_CLEARLY, _CLEARLY))
    shift[:, reference[:, 1] > reference[_NOSE_BASE, 1]] *= clearly
    _keep_lips_apart(shift, reference)
    limit = 0.25 * face_height(reference)
    return np.asarray(np.clip(shift, -limit, limit) * seen[:, None, None], np.float32)


def eyes_open(faces: Floats, poses: FacePoses, seen: Floats) -> Floats:
    """How far the right and the left eye are open, `f 2`: 1 as usual or wider, 0 closed. seen: `f` 0..1.

    An eye goes by how far it is open beside how far it usually is, so that a closed one closes whatever its shape.
    Those of a small face stay open.
    """
    known = np.flatnonzero(seen > 0.5)
    if not len(known):
        return np.ones((len(faces), 2), np.float32)
    share = _firmly(_openings(_in_place(faces, poses), known)).T
    height_px = np.linalg.norm(faces[:, FOREHEAD] - faces[:, CHIN], axis=-1)
    told = seen * np.interp(height_px, (_BLIND_PX, _TOLD_PX), (0, 1))
    return np.asarray(1 + told[:, None] * (share - 1), np.float32)


def face_height(face: Floats) -> float:
    """Forehead to chin, in pixels."""
    return float(np.linalg.norm(face[FOREHEAD] - face[CHIN]))


def triangles(face: Floats) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Triangles of skin and eyes, and of the closed mouth's inside, `t 3`, all clockwise on `face` (`468 3`)."""
    edges = mediapipe().tasks.vision.FaceLandmarksConnections.FACE_LANDMARKS_TESSELATION
    skin = np.array([[edge.start for edge in edges[i : i + 3]] for i in range(0, len(edges), 3)], np.int32)
    eyes = [_strip(upper, lower) for upper, lower in EYES]
    return _clockwise(np.concatenate([skin, *eyes]), face), _clockwise(_strip(INNER_UPPER, INNER_LOWER), face)


def _gap(faces: Floats, upper: int, lower: int) -> Floats:
    """Distance of two points, in face heights."""
    height = np.linalg.norm(faces[:, FOREHEAD] - faces[:, CHIN], axis=-1)
    return np.asarray(
        np.linalg.norm(faces[:, upper, :2] - faces[:, lower, :2], axis=-1) / np.maximum(height, 1e-6), np.float32
    )


def _in_place(faces: Floats, poses: FacePoses) -> Floats:
    """Bring faces `f 468 3` back to the reference's turn, size and place."""
    moved = faces - poses.translation[:, None]
    return np.asarray(np.einsum("fji,fpj->fpi", poses.rotation, moved) / poses.scale[:, None, None], np.float32)


def _openings(local: Floats, known: NDArray[np.intp]) -> Floats:
    """How far both eyes are open beside how far they usually are, `2 f`."""
    middles = [(upper[len(upper) // 2], lower[len(lower) // 2]) for upper, lower in EYES]
    now = np.stack([_gap(local, upper, lower) for upper, lower in middles])
    usual = np.maximum(np.quantile(now[:, known], 0.7, axis=1), 1e-6)
    return np.asarray(np.clip(now / usual[:, None], 0, _WIDEST), np.float32)


def _firmly(share: Floats) -> Floats:
    """Trackers leave a closed eye a little open, and open ones tremble: bring those to closed and to open."""
    return np.clip((share - _SHUT) / (_OPEN - _SHUT), 0, 1)


def _widen(shift: Floats, face: Floats, eye: tuple[tuple[int, ...], tuple[int, ...]], share: Floats) -> None:
    """Bring the rims of one eye to `share` (`f`) of their own distance; the upper lid goes most of the way."""
    upper, lower = (list(rim) for rim in eye)
    across = (face[lower, :2] - face[upper, :2])[None] * (1 - share)[:, None, None]
    shift[:, upper[1:-1]] = 0.9 * across[:, 1:-1]
    shift[:, lower[1:-1]] = -0.1 * across[:, 1:-1]


def _keep_lips_apart(shift: Floats, face: Floats) -> None:
    """Never let the inner rims of the lips pass through each other."""
    upper, lower = list(INNER_UPPER[1:-1]), list(INNER_LOWER[1:-1])
    overlap = np.maximum(0, (face[upper, 1] + shift[:, upper, 1]) - (face[lower, 1] + shift[:, lower, 1]))
    shift[:, upper, 1] -= overlap / 2
    shift[:, lower, 1] += overlap / 2


def _strip(upper: tuple[int, ...], lower: tuple[int, ...]) -> NDArray[np.int32]:
    """Triangles between two rows of points that share their ends."""
    found = []
    for i in range(len(upper) - 1):
        found += [(upper[i], upper[i + 1], lower[i]), (upper[i + 1], lower[i + 1], lower[i])]
    return np.array([t for t in found if len(set(t)) == 3], np.int32)


def _clockwise(indices: NDArray[np.int32], face: Floats) -> NDArray[np.int32]:
    a, b, c = (face[indices[:, corner], :2] for corner in range(3))
    area = (b - a)[:, 0] * (c - a)[:, 1] - (c - a)[:, 0] * (b - a)[:, 1]
    return np.where((area < 0)[:, None], indices[:, ::-1], indices)
