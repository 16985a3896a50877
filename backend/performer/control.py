# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tracker believes, to look at: body, hands and face drawn over the dimmed plate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ..media.colour import to_depth
from ..media.images import Pixels
from .points import FACE_CHIN, FACE_TOP, LEFT_SHOULDER, NOSE, RIGHT_SHOULDER
from .tracks import Presence, Tracks

_PLATE_SHARE = 0.5
"""How bright the plate stays, so that the lines stand out on a bright one too."""
_OUTLINE = 0.7
_BRIDGED_OPACITY = 0.5
_LEAST_SCORE = 0.05
_PICTURE_PER_LINE = 300
"""Half a body line is a 300th of the picture's shorter side wide, and never thinner than a pixel."""
_HEAD_PER_LINE = 60
"""Lines of face and hands are at most a 60th of the face's height wide, so that a small face stays legible."""
_SHIFT_BITS = 4

_Rgb = tuple[int, int, int]
_Lines = tuple[_Rgb, tuple[tuple[int, ...], ...]]
"""A colour and the lines drawn in it, by numbers of points."""

# The performer's left is cold, the right warm: a swap of sides is seen at a glance.
_TRUNK, _LEFT_ARM, _RIGHT_ARM = (240, 240, 240), (60, 190, 255), (255, 140, 60)
_LEFT_LEG, _RIGHT_LEG, _FACE, _EYES, _LIPS = (
    (90, 120, 255),
    (255, 90, 110),
    (190, 190, 190),
    (120, 255, 200),
    (255, 120, 170),
)

_BODY: tuple[tuple[_Rgb, tuple[tuple[int, int], ...]], ...] = (
    (_TRUNK, ((11, 12), (11, 23), (12, 24), (23, 24))),
    (_LEFT_LEG, ((23, 25), (25, 27), (27, 29), (29, 31), (31, 27))),
    (_RIGHT_LEG, ((24, 26), (26, 28), (28, 30), (30, 32), (32, 28))),
    (_LEFT_ARM, ((11, 13), (13, 15))),
    (_RIGHT_ARM, ((12, 14), (14, 16))),
)
_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
    148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109, 10,
)  # fmt: skip
_FACE_LINES: tuple[_Lines, ...] = (
    (_FACE, (_OVAL, (168, 6, 197, 195, 5, 4), (276, 283, 282, 295, 285), (46, 53, 52, 65, 55))),
    (_EYES, ((263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466, 263),)),
    (_EYES, ((33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246, 33),)),
    (_LIPS, ((61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185, 61),)),
    (_LIPS, ((78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191, 78),)),
)  # fmt: skip
_HAND = ((0, 1, 2, 3, 4), (0, 5, 6, 7, 8), (5, 9, 10, 11, 12), (9, 13, 14, 15, 16), (13, 17, 18, 19, 20), (0, 17))


@dataclass(frozen=True, slots=True)
class _Stroke:
    """A line through points `n 2`, as opaque as the points are sure (0..1), `width_px` wide."""

    points: NDArray[np.float32]
    colour: _Rgb
    opacity: float
    width_px: int


def draw_control(plate: Pixels, tracks: Sequence[Tracks], index: int) -> Pixels:
    """Draw every performer of frame `index` over the plate, RGB `h w 3` of the plate's depth.

    Opacity is the score of what is drawn, halved in a frame that was bridged; nobody is drawn where absent.
    """
    thin = max(1, round(min(plate.shape[:2]) / _PICTURE_PER_LINE))
    strokes = [stroke for each in tracks for stroke in _strokes(each, index, thin) if stroke.opacity > _LEAST_SCORE]
    drawing = cast(NDArray[np.uint8], cv2.convertScaleAbs(to_depth(plate, 8), alpha=_PLATE_SHARE))
    _paint(drawing, strokes)
    return to_depth(drawing, plate.dtype.itemsize * 8)


def _strokes(tracks: Tracks, index: int, thin: int) -> Iterator[_Stroke]:
    """Yield one performer's lines, the rearmost first."""
    presence = tracks.presence[index]
    if presence == Presence.ABSENT:
        return
    trust = _BRIDGED_OPACITY if presence == Presence.BRIDGED else 1.0
    face = tracks.face[index, :, :2]
    fine = max(1, min(thin, round(float(np.linalg.norm(face[FACE_TOP] - face[FACE_CHIN])) / _HEAD_PER_LINE)))
    face_score = trust * float(tracks.face_score[index])
    yield _neck(tracks.body[index, :, :2], tracks.body_score[index] * (trust - face_score), 2 * thin)
    yield from _body(tracks.body[index, :, :2], tracks.body_score[index] * trust, thin)
    yield from _lines(_FACE_LINES, face, face_score, fine)
    for colour, points, scores in (
        (_LEFT_ARM, tracks.left_hand, tracks.left_hand_score),
        (_RIGHT_ARM, tracks.right_hand, tracks.right_hand_score),
    ):
        yield from _lines(((colour, _HAND),), points[index, :, :2], trust * float(scores[index]), fine)


def _neck(points: NDArray[np.float32], scores: NDArray[np.float32], width_px: int) -> _Stroke:
    """Make the line from the shoulders to the nose; it stands for the head where no face is seen."""
    shoulders = [LEFT_SHOULDER, RIGHT_SHOULDER]
    ends = np.stack([points[NOSE], points[shoulders].mean(0)])
    return _Stroke(ends, _TRUNK, float(scores[[NOSE, *shoulders]].min()), width_px)


def _body(points: NDArray[np.float32], scores: NDArray[np.float32], thin: int) -> Iterator[_Stroke]:
    """Yield trunk and limbs, then a dot at each joint; a line is as sure as the less sure of its ends."""
    dots: dict[int, _Rgb] = {}
    for colour, lines in _BODY:
        for start, end in lines:
            yield _Stroke(points[[start, end]], colour, float(min(scores[start], scores[end])), 2 * thin)
            dots |= {start: colour, end: colour}
    for joint, colour in dots.items():
        yield _Stroke(points[[joint, joint]], colour, float(scores[joint]), 4 * thin)


def _lines(groups: Iterable[_Lines], points: NDArray[np.float32], score: float, width_px: int) -> Iterator[_Stroke]:
    for colour, lines in groups:
        for line in lines:
            yield _Stroke(points[list(line)], colour, score, width_px)


def _paint(picture: NDArray[np.uint8], strokes: Sequence[_Stroke]) -> None:
    """Blend the strokes into the picture, each within a dark outline."""
    height, width = picture.shape[:2]
    ink = np.zeros((height, width, 3), np.uint8)
    cover, shade = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    for stroke in strokes:
        points = _fixed(stroke.points, (width, height))
        strength = round(255 * min(stroke.opacity, 1.0))
        _line(shade, points, round(strength * _OUTLINE), stroke.width_px + 2)
        # Wider than its coverage and hard-edged, so that no black is mixed into a line's soft edge.
        cv2.polylines(ink, [points], False, stroke.colour, stroke.width_px + 4, shift=_SHIFT_BITS)
        _line(cover, points, strength, stroke.width_px)
    left, top, wide, high = cv2.boundingRect(cv2.max(shade, cover))
    part = slice(top, top + high), slice(left, left + wide)
    dark = picture[part] * (1 - shade[part][..., None] / np.float32(255))
    picture[part] = np.round(dark + (ink[part] - dark) * (cover[part][..., None] / np.float32(255)))


def _line(canvas: NDArray[np.uint8], points: NDArray[np.int32], value: int, width_px: int) -> None:
    cv2.polylines(canvas, [points], False, value, width_px, cv2.LINE_AA, _SHIFT_BITS)


def _fixed(points: NDArray[np.float32], size_px: tuple[int, int]) -> NDArray[np.int32]:
    """Turn into OpenCV's fixed point; points invented far outside are held near the picture, where it can count."""
    reach = np.array(size_px, np.float32) * 4
    return np.asarray(np.round(np.clip(points, -reach, reach) * 2**_SHIFT_BITS), np.int32)
