# SPDX-License-Identifier: GPL-3.0-or-later
"""Tracks as the 133 points of COCO-WholeBody, from which the body and face adapters' inputs are made."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ...performer.tracks import Presence, Tracks
from .body import FACE, LEFT_HAND, RIGHT_HAND

WHOLE_BODY_POINTS = 133

_BODY: Final = (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28, 31, 31, 29, 32, 32, 30)
"""The tracks' body point for each of the first 23: nose to ankles, then big toe, small toe and heel of either foot.

Either toe is the tip of the foot: only their mean is drawn.
"""
_LEFT_EYE: Final = (362, 385, 387, 263, 373, 380)
_RIGHT_EYE: Final = (33, 160, 158, 133, 153, 144)
_NOSE_TIP: Final = 4
_JAW: Final = (162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389)
_BROWS: Final = (71, 63, 105, 66, 107, 336, 296, 334, 293, 301)
_NOSE: Final = (168, 197, 5, 4, 75, 97, 2, 326, 305)
_OUTER_LIPS: Final = (61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181)
_INNER_LIPS: Final = (78, 82, 13, 312, 308, 317, 14, 87)
FACE_MESH: Final = (*_JAW, *_BROWS, *_NOSE, *_RIGHT_EYE, *_LEFT_EYE, *_OUTER_LIPS, *_INNER_LIPS)
"""The face mesh's point for each of the 68 landmarks. No more of the mesh may count for the face's box: with the whole
forehead in it, faces would be smaller in it than those that the model was trained with."""
_MESH_IS_BETTER: Final = 0.5
"""Face score from which nose and eyes are taken from the face mesh instead of the body's points."""


def whole_body(tracks: Tracks) -> NDArray[np.float64]:
    """Give the points `f 133 3`: x and y in the tracks' pixels, and scores, 0 in frames without the performer."""
    points = np.zeros((len(tracks), WHOLE_BODY_POINTS, 3))
    points[:, : len(_BODY), :2] = tracks.body[:, _BODY, :2]
    points[:, : len(_BODY), 2] = tracks.body_score[:, _BODY]
    points[:, FACE, :2] = tracks.face[:, FACE_MESH, :2]
    points[:, FACE, 2] = tracks.face_score[:, None]
    for hand, where, score in (
        (LEFT_HAND, tracks.left_hand, tracks.left_hand_score),
        (RIGHT_HAND, tracks.right_hand, tracks.right_hand_score),
    ):
        points[:, hand, :2] = where[..., :2]
        points[:, hand, 2] = score[:, None]
    _take_nose_and_eyes_from_mesh(points, tracks)
    points[tracks.presence == Presence.ABSENT, :, 2] = 0.0
    return points


def _take_nose_and_eyes_from_mesh(points: NDArray[np.float64], tracks: Tracks) -> None:
    seen = tracks.face_score >= _MESH_IS_BETTER
    for point, mesh in enumerate(((_NOSE_TIP,), _LEFT_EYE, _RIGHT_EYE)):
        points[seen, point, :2] = tracks.face[seen][:, mesh, :2].mean(axis=1)
        points[seen, point, 2] = tracks.face_score[seen]
