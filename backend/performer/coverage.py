# SPDX-License-Identifier: GPL-3.0-or-later
"""Rough mattes of one performer from two independent segmentations."""

from __future__ import annotations

import cv2
import numpy as np

from .detect import Body, Detector, Mask
from .judge import body_width, trunk_shift
from .part import part_round
from .points import BONES, HEAD, LIMB_BONES, TRUNK
from .window import Box, Picture, Points, box_round

_NEAR_PX = 128
_NEAR = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (11, 11))
"""How far from the pose's coverage that of any person counts: 4 % of the window, on a small picture of it."""

_GROWN = 0.1
"""How much more than the performer the segmenter is shown on each side, in lengths of the box's longer side."""

_MOST_LOOKS = 3
"""So often it is shown at most: a box that grows on and on follows something else."""

_LIMB = 0.6
"""Thickness of a limb with its sleeve, in body widths."""

_BRIDGED_LIMB = 1.2
"""The same where the joints are only interpolated and may lie beside the limb."""

_CORE = 0.27
"""Thickness of what is surely inside a limb, in body widths."""

_HEAD = 2.2
"""Diameter of a head with hair, in sizes of the pose's head points."""


def coverage(body: Body, person: Mask) -> Mask:
    """Give the mean of two segmentations, `n m` uint8 of the body's window: enough to judge a body by.

    person: the segmenter's, of whoever is there; it counts only near what the pose network gives to this body.
    """
    near = cv2.resize(_round_coverage(body.mask), person.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.addWeighted(body.mask, 0.5, np.minimum(person, near), 0.5, 0), np.uint8)


def performer_coverage(detector: Detector, frame: Picture, body: Body, box: Box) -> Mask:
    """Give the coverage of one performer, `h w` uint8 of the frame, as well as the networks can.

    box: round all that is seen of the performer. The segmenter sees a little more than that and no more: in wide
    windows it loses legs and hands and takes curtains for people.
    """
    pose = body.window.paste(body.mask)
    bones = _round_bones(body.points, frame.shape[:2], _LIMB)
    near = np.maximum(body.window.paste(_round_coverage(body.mask)), bones)
    own = np.minimum(_person(detector, frame, box, near), near)
    either = np.minimum(np.maximum(pose, own), _along_limbs(body.points, frame.shape[:2]))
    return np.asarray(np.maximum(cv2.addWeighted(pose, 0.5, own, 0.5, 0), either), np.uint8)


def bridged_coverage(detector: Detector, frame: Picture, points: Points, box: Box) -> Mask:
    """Give the coverage of a body whose pose is only interpolated: what is a person, near its bones.

    points: `33 3` in pixels of the frame. Returns `h w` uint8.
    """
    near = _round_bones(points, frame.shape[:2], _BRIDGED_LIMB)
    return np.minimum(_person(detector, frame, box, near), near)


def moved(picture: Picture, then: Points, now: Points) -> Picture:
    """Move a picture or coverage as the trunk of a body has moved: `33 3` in pixels."""
    right, down = trunk_shift(then, now)
    move = np.array([[1, 0, right], [0, 1, down]], np.float64)
    return np.asarray(cv2.warpAffine(picture, move, picture.shape[1::-1]), np.uint8)


def near_body(points: Points, shape: tuple[int, ...]) -> Mask:
    """Draw a generous body round its joints, `33 3` in pixels: `h w` uint8; nothing of the performer is outside."""
    return _round_bones(points, shape, _LIMB)


def _person(detector: Detector, frame: Picture, box: Box, near: Mask) -> Mask:
    """Segment who is in a box, `h w` uint8; the box grows where its edge cuts through what is near the performer."""
    grow = _GROWN * float(max(box[2] - box[0], box[3] - box[1]))
    box = box + np.array([-grow, -grow, grow, grow], np.float32)
    for _ in range(_MOST_LOOKS):
        window = detector.clear_window(frame, box)
        person = window.paste(detector.person_mask(window))
        x0, y0, x1, y1 = window.box.astype(int)
        cut = window.cut_sides(np.minimum(person, near)[y0:y1, x0:x1])
        if not cut.any():
            break
        box = box + grow * np.array([-1, -1, 1, 1], np.float32) * cut
    return np.asarray(person, np.uint8)


def _along_limbs(points: Points, shape: tuple[int, ...]) -> Mask:
    """Draw lines inside arms and legs, `h w` uint8: there one segmentation is enough, for both lose thin parts."""
    along = np.zeros(shape, np.uint8)
    at = np.round(points[:, :2]).astype(np.int32)
    for start, end in LIMB_BONES:
        cv2.line(along, at[start].tolist(), at[end].tolist(), 255, max(round(_CORE * body_width(points)), 1))
    return _softened(along, 1)


def _round_coverage(mask: Mask) -> Mask:
    """Widen the pose's coverage, `n m`, softly. Returns a smaller picture of the same."""
    small = cv2.resize(mask, (_NEAR_PX, _NEAR_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(cv2.dilate(small, _NEAR), (0, 0), _NEAR.shape[0] / 4), np.uint8)


def _round_bones(points: Points, shape: tuple[int, ...], limb: float) -> Mask:
    """Draw a generous body round its joints, `33 3` in pixels: `h w` uint8, soft at its outline.

    limb: thickness of a limb in body widths.
    """
    near = np.zeros(shape, np.uint8)
    width = body_width(points)
    at = np.round(points[:, :2]).astype(np.int32)
    for start, end in BONES:
        cv2.line(near, at[start].tolist(), at[end].tolist(), 255, max(round(limb * width), 1))
    cv2.fillConvexPoly(near, cv2.convexHull(at[list(TRUNK)]), 255)
    neck, waist = points[list(TRUNK[:2]), :2].mean(0), points[list(TRUNK[2:]), :2].mean(0)
    cv2.line(near, np.round(neck).astype(int).tolist(), np.round(waist).astype(int).tolist(), 255, round(width))
    head = box_round(points[list(HEAD)])
    centre, size = (head[:2] + head[2:]) / 2, float(np.linalg.norm(head[2:] - head[:2]))
    cv2.circle(near, np.round(centre).astype(int).tolist(), int(_HEAD * size / 2), 255, -1)
    return _softened(near, width / 12)


def _softened(drawing: Mask, sigma_px: float) -> Mask:
    """Blur a drawing, `h w`, in place, as cv2.GaussianBlur does to the bit, at a tenth of its cost for wide kernels.

    It blurs only round what is drawn, and its weights are whole 256ths, which sepFilter2D takes a faster way with.
    """
    side = round(6 * sigma_px + 1) | 1
    part = part_round(drawing, side // 2 + 1)
    weights = np.diff(np.round(256 * np.cumsum(cv2.getGaussianKernel(side, sigma_px))), prepend=0) / 256
    drawing[part] = cv2.sepFilter2D(drawing[part], -1, weights, weights)
    return drawing
