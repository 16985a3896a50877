# SPDX-License-Identifier: GPL-3.0-or-later
"""The character's skin, sampled where the picture shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from . import face
from .character import Character
from .layers import Layer
from .raster import Floats

_CHEEKS: Final = (50, 280, 205, 425, 117, 346)
_HAIRLINE = 1.12
_SAME_HUE = 0.08
"""Difference of a channel's share of the light within which two parts wear the same skin."""
_LIT_PERCENTILES = (50, 90)
_FEWEST_PX = 20


def face_tone(character: Character) -> Floats:
    """Median colour of the cheeks, display RGB 0..1."""
    return _median(character.layers[0], character.points.face[list(_CHEEKS), :2])


def hand_tones(character: Character) -> tuple[Floats, Floats]:
    """Colour of left and right hand in good light, as the picture shows them, display RGB 0..1.

    A hand that the picture does not show takes the other's colour, or the face's. Skin of one hue takes the tone of
    that which is best lit: a hand in the shade of a sleeve is not darker than its face.
    """
    face_ = _Tone(face_tone(character))
    hands = [_tone_in(character, side) for side in range(2)]
    known = [hand for hand in hands if hand is not None] or [face_]
    left, right = (_best_lit(hand or known[0], (*known, face_)) for hand in hands)
    return left.colour, right.colour


def _best_lit(tone: _Tone, others: tuple[_Tone, ...]) -> _Tone:
    """Choose the brightest of those that have a tone's hue."""
    alike = [other for other in others if np.abs(other.hue - tone.hue).max() <= _SAME_HUE]
    return max(alike, key=lambda other: float(other.colour.sum()))


@dataclass(frozen=True, slots=True)
class _Tone:
    """Display RGB 0..1, `3`."""

    colour: Floats

    @property
    def hue(self) -> Floats:
        """Each channel's share of the light."""
        return np.asarray(self.colour / self.colour.sum(), np.float32)


def _tone_in(character: Character, side: int) -> _Tone | None:
    """Measure a hand inside the hull of its points; None where the picture shows too little of it."""
    picture = character.layers[1 + side].picture
    hand = (character.points.left_hand, character.points.right_hand)[side]
    inside = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillConvexPoly(inside, np.round(cv2.convexHull(hand.astype(np.float32))).astype(np.int32), 1)
    seen = picture[(inside > 0) & (picture[..., 3] > 0.9)][:, :3]
    if not character.points.hand_score[side] or len(seen) < _FEWEST_PX:
        return None
    low, high = np.percentile(seen.sum(1), _LIT_PERCENTILES)
    lit = seen[(seen.sum(1) >= low) & (seen.sum(1) <= high)]
    return _Tone(np.asarray(np.median(lit, axis=0) + 1e-3, np.float32))


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
