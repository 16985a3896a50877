# SPDX-License-Identifier: GPL-3.0-or-later
"""One person in one frame, looked at as a whole: body, then face, coverage and hands where the body says they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .coverage import coverage
from .detect import Body, Detector, Hand, Mask
from .judge import body_width, consistency
from .points import (
    FACE_CHIN,
    FACE_TOP,
    HEAD,
    LEFT_ELBOW,
    LEFT_HAND,
    LEFT_WRIST,
    RIGHT_ELBOW,
    RIGHT_HAND,
    RIGHT_WRIST,
)
from .window import Box, Picture, Points, box_round, square

_HEAD_SCALES = (3.0, 5.0)
"""Windows in which the face is sought, in sizes of the pose's head points (ear to ear)."""

_HAND_REACH = 1.1
"""Side of the window in which a hand is sought, in lengths of the forearm; a hand has about 0.7 of them."""

_LEAST_HAND_REACH = 0.8
"""The same in body widths, for forearms that point at the camera."""

_BODY_FACES = 6.0
"""Side of the window below a face, in face heights: the upper body is enough to set the rest right."""

_SEEN_WRIST = 0.3


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is known of a person in one frame. mask: coverage `n m` uint8 in `body.window`, this person only."""

    body: Body
    face: Points | None
    mask: Mask
    consistency: float
    left_hand: Hand | None = None
    right_hand: Hand | None = None

    @property
    def box(self) -> Box:
        """Box of all that is seen of the person: joints and coverage."""
        window, covered = self.body.window, self.mask > 128
        rows, columns = np.flatnonzero(covered.any(1)), np.flatnonzero(covered.any(0))
        if not len(rows):
            return self.body.box
        corners = np.array([[columns[0], rows[0]], [columns[-1] + 1, rows[-1] + 1]], np.float32)
        corners = corners * np.divide(window.size_px, self.mask.shape[::-1]) + window.box[:2]
        return box_round(np.concatenate([corners, self.body.box.reshape(2, 2)]))

    @property
    def agreement(self) -> float:
        """How much of what the pose network covers is a person for the segmenter too, 0..1."""
        covered = self.body.mask > 128
        return float((self.mask[covered] > 0.75 * 255).mean()) if covered.any() else 0.0


def examine(detector: Detector, frame: Picture, body: Body) -> Sighting:
    """Look for the face and the coverage that belong to a body, and say how well they agree. Not for hands."""
    face = _face_or_none(detector, frame, body)
    person = detector.person_mask(body.window)
    return Sighting(body, face, coverage(body, person), consistency(body, face, person))


def face_window(face: Points) -> Box:
    """Give the square in which the body below a face must be, if the pose that came with the face is not to be trusted.

    face: `468 3`. A grown body has about 8 heights of such a face, a drawn child 5.
    """
    down = face[FACE_CHIN, :2] - face[FACE_TOP, :2]
    centre, half = face[FACE_CHIN, :2] + 1.5 * down, _BODY_FACES / 2 * float(np.linalg.norm(down))
    return np.asarray([*(centre - half), *(centre + half)], np.float32)


def find_hands(detector: Detector, frame: Picture, body: Body) -> tuple[Hand | None, Hand | None]:
    """Find a person's own left and right hand. Told apart by the wrists they hang on, never by their looks."""
    left, right = _hand_box(body, LEFT_ELBOW, LEFT_HAND), _hand_box(body, RIGHT_ELBOW, RIGHT_HAND)
    boxes = [box for box, wrist in ((left, LEFT_WRIST), (right, RIGHT_WRIST)) if body.score[wrist] > _SEEN_WRIST]
    hands = [hand for box in boxes for hand in detector.hands(frame, box)]
    return _hands_by_wrist(hands, body)


def _face_or_none(detector: Detector, frame: Picture, body: Body) -> Points | None:
    head = body.points[list(HEAD)]
    for scale in _HEAD_SCALES:
        face = detector.face_or_none(frame, square(box_round(head), scale))
        if face is not None:
            return face
    return None


def _hand_box(body: Body, elbow: int, hand: tuple[int, ...]) -> Box:
    points = body.points[:, :2]
    centre = points[list(hand)].mean(0)
    forearm = float(np.linalg.norm(points[hand[0]] - points[elbow]))
    half = max(_HAND_REACH * forearm, _LEAST_HAND_REACH * body_width(body.points)) / 2
    return np.asarray([*(centre - half), *(centre + half)], np.float32)


def _hands_by_wrist(hands: list[Hand], body: Body) -> tuple[Hand | None, Hand | None]:
    """Give each wrist the hand that is nearest to it and no nearer to the other."""
    chosen: dict[int, Hand] = {}
    reach = {side: 0.5 * body_width(body.points) for side in (LEFT_WRIST, RIGHT_WRIST)}
    for hand in hands:
        away = {side: float(np.linalg.norm(hand.points[0, :2] - body.points[side, :2])) for side in reach}
        side = min(away, key=lambda wrist: away[wrist])
        if away[side] < reach[side]:
            chosen[side], reach[side] = hand, away[side]
    return chosen.get(LEFT_WRIST), chosen.get(RIGHT_WRIST)
