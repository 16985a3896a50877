# SPDX-License-Identifier: GPL-3.0-or-later
"""The character's skin, sampled where the picture shows it."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from . import face
from .character import Character
from .layers import Layer
from .raster import Floats

_CHEEKS: Final = (50, 280, 205, 425, 117, 346)
_BACK_OF_HAND: Final = (1, 5, 9, 13, 17)
_HAIRLINE = 1.12
_SAME_HUE = 0.2
"""Difference of a channel's share of the light within which a hand is skin, not glove."""


def face_tone(character: Character) -> Floats:
    """Median colour of the cheeks, display RGB 0..1."""
    return _median(character.layers[0], character.points.face[list(_CHEEKS), :2])


def hand_tone(character: Character, side: int) -> Floats:
    """Colour of the left (0) or right (1) hand if it wears a glove that the picture shows, else of the face.

    A bare hand takes the face's tone: it is often in shadow, and it is the face that it must go with.
    """
    points = character.points
    hand = (points.left_hand, points.right_hand)[side]
    if not points.hand_score[side]:
        return face_tone(character)
    knuckles = hand[list(_BACK_OF_HAND)]
    hand_colour, bare = _median(character.layers[1 + side], 0.7 * knuckles + 0.3 * hand[0]), face_tone(character)
    is_bare = np.abs(hand_colour / hand_colour.sum() - bare / bare.sum()).max() < _SAME_HUE
    return bare if is_bare else hand_colour


def back_of_head(character: Character) -> Floats:
    """Give the trunk's straight picture with hair or hat in the place of the face: what is above it, reflected."""
    picture = character.layers[0].picture
    oval = character.points.face[list(face.OVAL), :2]
    (left, top), (right, bottom) = oval.min(0), oval.max(0)
    column = picture[: max(int(top), 1), int(np.clip((left + right) / 2, 0, picture.shape[1] - 1)), 3]
    above = float(np.count_nonzero(column > 0.5))
    x, y = np.meshgrid(np.arange(picture.shape[1]), np.arange(picture.shape[0]))
    reflected = top - np.clip((y - top) / max(bottom - top, 1.0), 0, 1) * 0.8 * above
    lookup = (x.astype(np.float32), np.where(y > top, reflected, y).astype(np.float32))
    cover: Floats = np.zeros(picture.shape[:2], np.float32)
    middle = oval.mean(0)
    cv2.fillPoly(cover, [np.round(middle + (oval - middle) * _HAIRLINE).astype(np.int32)], 1.0)
    cover = cv2.GaussianBlur(cover, (0, 0), max(1.0, 0.03 * float(bottom - top)))[..., None]
    hair = cv2.remap(np.ascontiguousarray(picture[..., :3]), *lookup, cv2.INTER_LINEAR)
    colour = picture[..., :3] * (1 - cover) + hair * cover
    return np.dstack([colour, picture[..., 3]]).astype(np.float32)


def _median(layer: Layer, spots: Floats) -> Floats:
    height, width = layer.picture.shape[:2]
    x, y = np.round(np.clip(spots, 0, (width - 1, height - 1))).astype(int).T
    return np.asarray(np.median(layer.picture[y, x, :3], axis=0) + 1e-3, np.float32)
