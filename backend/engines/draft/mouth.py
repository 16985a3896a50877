# SPDX-License-Identifier: GPL-3.0-or-later
"""What is seen between the lips when they part."""

from __future__ import annotations

import cv2
import numpy as np

from . import face
from .character import Character
from .raster import Floats, Frame, Patch
from .skin import face_tone

_FINE = 4
_OPEN = (0.015, 0.03)
"""Gap between the lips over which the character's own picture comes to show the mouth's inside, face heights."""
_OWN_UNTIL = 0.07
"""Further opening by which what the picture shows of it has given way to the modelled inside."""
_TEETH_FROM, _TEETH_PART, _SOFT = 0.025, 0.38, 0.03
"""Gap from which teeth show, face heights; how far down they reach; how softly they end, mouths."""


class Mouth:
    """A dark inside with a hint of upper teeth, in the tones of the character's own skin."""

    def __init__(self, character: Character) -> None:
        points = character.points
        self._own_gap = _gap(points.face)
        tone = face_tone(character)
        self._dark = tone * np.array((0.2, 0.11, 0.1), np.float32)
        # as bright as skin of any colour is where it shines most
        self._teeth = np.clip(float(tone.max()) * np.array((1.0, 0.96, 0.9), np.float32), 0, 0.85)

    def own_share(self, points: Floats) -> float:
        """How much of the picture's own teeth and tongue shows with the face at `points` (`468 2`), 0..1."""
        low, high = _OPEN
        shows = np.clip((self._own_gap - low) / (high - low), 0, 1)
        return float(shows * np.clip(1 - (_gap(points) - self._own_gap) / _OWN_UNTIL, 0, 1))

    def draw(self, points: Floats, frame: Frame) -> Patch:
        """points: the face in the frame, `468 2`. A premultiplied patch, to lie under the lips."""
        upper, lower = points[list(face.INNER_UPPER)], points[list(face.INNER_LOWER)]
        rim = np.concatenate([upper, lower[-2:0:-1]])
        low = np.maximum(np.floor(rim.min(0)).astype(int) - 2, 0)
        high = np.minimum(np.ceil(rim.max(0)).astype(int) + 3, (frame.width_px, frame.height_px))
        if np.any(high <= low):
            return Patch(0, 0, np.zeros((0, 0, 4), np.float32))
        width, height = (int(side) for side in high - low)
        inside = _filled(rim - low, width, height)
        teeth = _filled(np.concatenate([upper, (upper + _TEETH_PART * (lower - upper))[-2:0:-1]]) - low, width, height)
        teeth = cv2.GaussianBlur(teeth, (0, 0), max(0.5, _SOFT * float(np.linalg.norm(upper[-1] - upper[0]))))
        teeth = teeth * np.clip((_gap(points) - _TEETH_FROM) / 0.03, 0, 1) * _round(upper - low, width, height)
        colour = self._dark + teeth[..., None] * (self._teeth - self._dark)
        return Patch(int(low[0]), int(low[1]), np.dstack([colour * inside[..., None], inside]).astype(np.float32))


def _round(upper: Floats, width: int, height: int) -> Floats:
    """How much light falls on a row of teeth, `h w` 0..1: it is round, and its ends lie in the cheeks' shade."""
    across = upper[-1] - upper[0]
    x, y = np.meshgrid(np.arange(width) - upper[0, 0], np.arange(height) - upper[0, 1])
    along = (x * across[0] + y * across[1]) / max(float(across @ across), 1e-3)
    return np.asarray(np.sin(np.pi * np.clip(along, 0, 1)), np.float32)


def _gap(points: Floats) -> float:
    """Distance of the lips' inner rims in face heights."""
    return float(np.linalg.norm(points[13, :2] - points[14, :2]) / max(face.face_height(points[:, :2]), 1e-3))


def _filled(outline: Floats, width: int, height: int) -> Floats:
    """Coverage of a polygon, `h w` 0..1, by filling it at four times the size."""
    mask = np.zeros((height * _FINE, width * _FINE), np.uint8)
    cv2.fillPoly(mask, [np.round((outline + 0.5) * _FINE - 0.5).astype(np.int32)], 255)
    return cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
