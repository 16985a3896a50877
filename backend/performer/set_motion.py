# SPDX-License-Identifier: GPL-3.0-or-later
"""How the camera moves over the set, from frame to frame: one homography each, blind to the performer."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Homography = NDArray[np.float64]

_HEIGHT_PX = 360
"""Height at which corners are followed: finer than the set needs to be known."""
_CORNERS, _QUALITY, _APART = 300, 0.005, 1 / 45
"""Corners followed, how plain the plainest may be, and how far apart they lie, in heights of the picture."""
_LEAST_CORNERS = 12
_RETURN_ERROR_PX, _FIT_PX = 0.5, 1.0
_FAINT = 16
_BRIM_PX = 9
"""Corners nearer than this to the performer are not followed: they may be the performer's."""


class SetMotion:
    """Where the pixels of each frame lie in another; frames are added in order.

    Frames hang on the one before them. Where that can't be, a new stretch begins, from which nothing leads back.
    """

    def __init__(self) -> None:
        self._to_first: list[Homography] = []
        self._stretch: list[int] = []
        self._before: tuple[Bytes, Bytes] | None = None

    def __len__(self) -> int:
        return len(self._to_first)

    def add(self, frame: Bytes, coverage: Bytes) -> None:
        """Take the next frame, `h w 3`, and what the performer covers of it, `h w`."""
        view = _reduced(frame, coverage)
        step = None if self._before is None else _step(self._before, view)
        if step is None:
            self._to_first.append(np.eye(3))
            self._stretch.append(self._stretch[-1] + 1 if self._stretch else 0)
        else:
            scale = np.diag([1.0, 1.0, frame.shape[0] / view[0].shape[0]])
            self._to_first.append(self._to_first[-1] @ np.linalg.inv(scale) @ step @ scale)
            self._stretch.append(self._stretch[-1])
        self._before = view

    def between(self, source: int, target: int) -> Homography | None:
        """Give the map of one frame's pixels into another frame; None where nothing leads from one to the other."""
        if self._stretch[source] != self._stretch[target]:
            return None
        return np.asarray(np.linalg.solve(self._to_first[target], self._to_first[source]))


def _reduced(frame: Bytes, coverage: Bytes) -> tuple[Bytes, Bytes]:
    """Give a small grey picture and where in it, 255, corners may be followed."""
    scale = min(1.0, _HEIGHT_PX / frame.shape[0])
    size = max(1, round(scale * frame.shape[1])), max(1, round(scale * frame.shape[0]))
    grey = cv2.cvtColor(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    covered = cv2.resize(coverage, size, interpolation=cv2.INTER_AREA)
    free = cv2.dilate(covered, np.ones((_BRIM_PX, _BRIM_PX))) <= _FAINT
    return np.asarray(grey, np.uint8), free.astype(np.uint8) * np.uint8(255)


def _step(before: tuple[Bytes, Bytes], here: tuple[Bytes, Bytes]) -> Homography | None:
    """Find the map from a view to the one before it. None where too little of the set is seen in both."""
    points = cv2.goodFeaturesToTrack(here[0], _CORNERS, _QUALITY, max(3.0, _APART * len(here[0])), mask=here[1])
    if points is None or len(points) < _LEAST_CORNERS:
        return None
    there, found, _ = cv2.calcOpticalFlowPyrLK(here[0], before[0], points, None)  # type: ignore[call-overload]
    back, returned, _ = cv2.calcOpticalFlowPyrLK(before[0], here[0], there, None)  # type: ignore[call-overload]
    good = (found.ravel() > 0) & (returned.ravel() > 0)
    good &= np.linalg.norm(back - points, axis=2).ravel() < _RETURN_ERROR_PX
    if good.sum() < _LEAST_CORNERS:
        return None
    cv2.setRNGSeed(1)
    step, agree = cv2.findHomography(
        points[good], there[good], cv2.USAC_MAGSAC, _FIT_PX, maxIters=2000, confidence=0.999
    )
    return np.asarray(step, np.float64) if step is not None and agree.sum() >= _LEAST_CORNERS else None
