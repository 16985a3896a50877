# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is in a single picture, as precisely as the networks can: for the character's image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import UnderstudyError
from ..media.images import Pixels
from .coverage import performer_coverage
from .detect import Detector, Hand, Mask
from .find import people_in
from .prepare import as_rgb8
from .sighting import Sighting, find_hands
from .window import Box, Points, area


class NobodyInPictureError(UnderstudyError):
    """No person was found in a picture."""

    hint = "Choose a picture that shows a person's face and shoulders, or a drawing with human proportions."

    def __init__(self) -> None:
        super().__init__("Nobody was found in the picture.")


@dataclass(frozen=True, slots=True)
class Still:
    """The person of a picture, in its pixels; whole numbers are pixel centres.

    body: `33 3`, body_score: `33`; face: `468 3`, face_score 0 if there is none (its points then lie on the nose);
    left_hand, right_hand: `21 3` of the person's own sides, scores 0 likewise (on the wrists).
    coverage: `h w` float32 0..1. box: all that is seen of the person. consistency: 0..1.
    """

    body: Points
    body_score: NDArray[np.float32]
    face: Points
    face_score: float
    left_hand: Points
    left_hand_score: float
    right_hand: Points
    right_hand_score: float
    coverage: NDArray[np.float32]
    box: Box
    consistency: float


def find_in_picture(picture: Pixels) -> Still:
    """Find the largest person of a picture, `h w 3` or `h w 4` (alpha is not looked at), 8 or 16 bits.

    Raises NobodyInPictureError.
    """
    frame = as_rgb8(picture)
    with Detector(most_bodies=3) as detector:
        largest = max(people_in(detector, frame, closely=False), key=lambda seen: area(seen.box), default=None)
        if largest is None:
            raise NobodyInPictureError
        left, right = find_hands(detector, frame, largest.body)
        covered = performer_coverage(detector, frame, largest.body, largest.box)
    return _still(largest, covered, left, right)


def _still(sighting: Sighting, covered: Mask, left: Hand | None, right: Hand | None) -> Still:
    body = sighting.body
    face = sighting.face if sighting.face is not None else np.repeat(body.points[:1], 468, 0)
    return Still(
        body=body.points,
        body_score=body.score,
        face=face,
        face_score=0.0 if sighting.face is None else 1.0,
        left_hand=left.points if left else np.repeat(body.points[15:16], 21, 0),
        left_hand_score=left.score if left else 0.0,
        right_hand=right.points if right else np.repeat(body.points[16:17], 21, 0),
        right_hand_score=right.score if right else 0.0,
        coverage=np.asarray(covered / 255, np.float32),
        box=sighting.box,
        consistency=sighting.consistency,
    )
