# SPDX-License-Identifier: GPL-3.0-or-later
"""Animate mode: the driving performer's motion brought into the character's own picture, where it stands."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ...media.images import read_picture
from ...performer.tracks import Presence, Tracks
from .background import fill_background
from .character import Points, kept_picture, load_matte, load_points
from .motion import body_scale
from .raster import Floats
from .series import smooth
from .skeleton import HIPS, LEGS, SEEN, SHOULDERS, figure_height

CANVAS_SIDE_PX = 1280
_SLOW_FRAMES = 16.0
_ROOM = 0.15
"""How far the character may wander from its place, of its height."""


def canvas_size(width_px: int, height_px: int) -> tuple[int, int]:
    """Size of animate mode's frames: the picture's, at most CANVAS_SIDE_PX on the longer side, even numbers."""
    scale = min(1.0, CANVAS_SIDE_PX / max(width_px, height_px))
    return max(2, round(width_px * scale / 2) * 2), max(2, round(height_px * scale / 2) * 2)


def picture_plate(picture: Path, mirror: bool, character: Path) -> NDArray[np.uint8]:
    """Make the character picture's background without the character, `h w 3` RGB of canvas size.

    character: the folder that `DraftEngine.prepare` filled. A picture with alpha stands before mid grey.
    """
    rgb, alpha = kept_picture(read_picture(picture), mirror)
    points = load_points(character)
    size = canvas_size(int(points.size[0]), int(points.size[1]))
    resized = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    if alpha is not None:
        return np.full_like(resized, 119)
    matte = load_matte(character)
    return np.asarray(fill_background(resized, cv2.resize(matte, size, interpolation=cv2.INTER_AREA)), np.uint8)


def retarget(tracks: Tracks, points: Points) -> Tracks:
    """Bring a performer's tracks to the character's size and place on its canvas.

    The character keeps its size and its place: what changes slowly in the driver's size and height in the frame is
    taken for the camera's doing, and a walk across it is reined in. Steps, leans and turns keep their measure.
    """
    there = tracks.presence != Presence.ABSENT
    canvas = np.array(canvas_size(int(points.size[0]), int(points.size[1])), np.float32)
    kept = canvas / points.size
    scale = (kept.mean() / smooth(body_scale(tracks, points), _SLOW_FRAMES)).astype(np.float32)
    joints = list(_anchor(points, tracks.body_score[there]))
    usual = _usual(
        tracks.body[:, joints, :2].mean(1) * scale[:, None], there, _ROOM * figure_height(points.joints) * kept[0]
    )
    own = points.joints[joints].mean(0) * kept + (kept - 1) / 2
    return tracks.placed(scale, own - usual)


def _usual(places: Floats, there: NDArray[np.bool_], room_px: float) -> Floats:
    """Follow where the driver usually is, `f 2`: a slow walk through the frame is kept within `room_px` to a side."""
    slow = smooth(places, _SLOW_FRAMES)
    aside = slow[:, 0] - (np.median(slow[there, 0]) if there.any() else 0.0)
    return np.stack([slow[:, 0] - room_px * np.tanh(aside / room_px), slow[:, 1]], 1)


def _anchor(points: Points, score: Floats) -> tuple[int, ...]:
    """Choose the lowest joints that both figures show: ankles, else hips, else shoulders."""
    seen = np.median(score, axis=0) if len(score) else points.joint_score
    for joints in (tuple(leg.end for leg in LEGS), HIPS):
        if min(seen[list(joints)].min(), points.joint_score[list(joints)].min()) > SEEN:
            return joints
    return SHOULDERS
