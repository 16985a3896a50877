# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of one performer over a shot: the record that every later stage reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import IntEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

BODY_POINTS, FACE_POINTS, HAND_POINTS = 33, 468, 21


class Presence(IntEnum):
    """How a frame's pose was come by."""

    ABSENT = 0
    """The performer is not in this frame: its points mean nothing, the plate stands."""
    TRACKED = 1
    BRIDGED = 2
    """The detection failed or was rejected; the points are interpolated from neighbours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracks:
    """One performer, `f` frames, in pixels of the full frame: x right, y down, whole numbers are pixel centres.

    body: `f 33 3` float32, mediapipe's pose points, x y in pixels, z in pixels towards (-) or from (+) the camera
        relative to the hips. body_score: `f 33` 0..1, low where a joint is unseen or out of frame.
    face: `f 468 3` float32, mediapipe's face mesh. face_score: `f` 0..1, 0 where no face was found.
    left_hand, right_hand: `f 21 3` float32, the performer's own left and right. *_score: `f` 0..1.
    box: `f 4` float32, x0 y0 x1 y1 round the performer. presence: `f` int8, see Presence.
    consistency: `f` float32 0..1, how well body, face and coverage agree in that frame before any bridging.
    Points are finite everywhere, also where a score is 0.
    """

    body: NDArray[np.float32]
    body_score: NDArray[np.float32]
    face: NDArray[np.float32]
    face_score: NDArray[np.float32]
    left_hand: NDArray[np.float32]
    left_hand_score: NDArray[np.float32]
    right_hand: NDArray[np.float32]
    right_hand_score: NDArray[np.float32]
    box: NDArray[np.float32]
    presence: NDArray[np.int8]
    consistency: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.body)

    def only(self, frame: int) -> Tracks:
        """Give the tracks of one frame."""
        return Tracks(**{field.name: getattr(self, field.name)[frame : frame + 1] for field in fields(self)})

    def placed(self, scale: NDArray[np.float32], shift: NDArray[np.floating]) -> Tracks:
        """Bring all points into another frame: times scale (`f` or one), then moved by shift (`f 2` or `2`)."""

        def moved(points: NDArray[np.float32]) -> NDArray[np.float32]:
            placed = points * scale[..., None, None]
            placed[..., :2] += shift[..., None, :]
            return placed

        return replace(
            self,
            body=moved(self.body),
            face=moved(self.face),
            left_hand=moved(self.left_hand),
            right_hand=moved(self.right_hand),
            box=moved(self.box.reshape(-1, 2, 2)).reshape(-1, 4),
        )

    def save(self, path: Path) -> None:
        """Write as safetensors."""
        save_file({field.name: np.ascontiguousarray(getattr(self, field.name)) for field in fields(self)}, path)

    @classmethod
    def load(cls, path: Path) -> Tracks:
        """Read what `save` wrote."""
        return cls(**load_file(path))


def spread_out(singles: Mapping[int, Tracks]) -> Tracks:
    """Lay tracks of one frame each out over all frames from 0 to the last of them; in the others nobody is there."""
    spread = {}
    for field in fields(Tracks):
        rows = {frame: getattr(single, field.name)[0] for frame, single in singles.items()}
        pattern = next(iter(rows.values()))
        spread[field.name] = np.zeros((max(rows) + 1, *pattern.shape), pattern.dtype)
        for frame, row in rows.items():
            spread[field.name][frame] = row
    return Tracks(**spread)
