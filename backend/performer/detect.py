# SPDX-License-Identifier: GPL-3.0-or-later
"""One frame's bodies, faces, hands and coverage, from mediapipe's landmarkers on windows of the frame."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from .networks import Network, mediapipe, network_bytes
from .prepare import made_clear
from .tracks import FACE_POINTS
from .window import Box, Picture, Points, Window, box_round, square, within

Mask = NDArray[np.uint8]

WINDOW_PX = 512
"""Largest window that is handed on. The networks look at 256 pixels; this leaves room for their own crop within."""

_FACE_WINDOW_PX = 320
_HAND_WINDOW_PX = 384
_LEAST_CONFIDENCE = 0.3
"""Below this mediapipe gives nothing. It is low because the consistency of body, face and coverage decides later."""


@dataclass(frozen=True, slots=True)
class Body:
    """A candidate for a person, in pixels of the frame.

    points: `33 3`. score: `33`, mediapipe's visibility and presence, whichever is less, and 0 outside the frame.
    mask: `n m` uint8, coverage 0..255 of this person by the pose network, in `window`.
    """

    points: Points
    score: NDArray[np.float32]
    mask: Mask
    window: Window

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Which of the points lie in the frame, `33`."""
        return within(self.points, self.window.frame_box)

    @property
    def box(self) -> Box:
        """Round the joints that are in the frame, whether or not hidden; round all if none is."""
        seen = self.score > 0.3
        return box_round(self.points[seen] if seen.sum() > 1 else self.points)


@dataclass(frozen=True, slots=True)
class Hand:
    """A hand of whichever side: points `21 3` in pixels of the frame, score 0..1."""

    points: Points
    score: float


class Detector:
    """Holds one landmarker of each kind, made when first asked for: half a second goes by for all four.

    Not for use by two threads at once. Use as a context manager.
    """

    def __init__(self, most_bodies: int = 1, most_hands: int = 2) -> None:
        self._mediapipe = mediapipe()
        self._most_bodies, self._most_hands = most_bodies, most_hands
        self._made = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._made.close()

    def clear_window(self, frame: Picture, box: Box, most_px: int = WINDOW_PX) -> Window:
        """Cut a window whose picture is as the networks like it: not dark, not noisy."""
        window = Window.cut(frame, box, most_px)
        return replace(window, picture=made_clear(window.picture))

    def bodies(self, frame: Picture, box: Box, most_px: int = WINDOW_PX) -> list[Body]:
        """Find people in a box of a frame, `h w 3` uint8 RGB, the most certain first."""
        window = self.clear_window(frame, square(box), most_px)
        found = self._pose.detect(self._image(window))
        masks = found.segmentation_masks or []
        return [_body(marks, mask, window) for marks, mask in zip(found.pose_landmarks, masks, strict=True)]

    def face_or_none(self, frame: Picture, box: Box) -> Points | None:
        """Find the face mesh, `468 3` pixels, in a box of a frame."""
        window = self.clear_window(frame, square(box), _FACE_WINDOW_PX)
        found = self._face.detect(self._image(window)).face_landmarks
        return window.to_frame(_points(found[0][:FACE_POINTS])) if found else None

    def hands(self, frame: Picture, box: Box) -> list[Hand]:
        """Find hands in a box of a frame."""
        window = self.clear_window(frame, square(box), _HAND_WINDOW_PX)
        found = self._hand.detect(self._image(window))
        sides = [max(side.score for side in sides) for sides in found.handedness]
        return [
            Hand(window.to_frame(_points(marks)), float(score))
            for marks, score in zip(found.hand_landmarks, sides, strict=True)
        ]

    def person_mask(self, window: Window) -> Mask:
        """Segment whatever person is in a window: `n m` uint8 coverage 0..255 of the window's picture."""
        found = self._selfie.segment(self._image(window)).confidence_masks[0]
        return _as_mask(found.numpy_view())

    @cached_property
    def _pose(self) -> Any:
        return self._task(
            "PoseLandmarker",
            Network.POSE,
            num_poses=self._most_bodies,
            min_pose_detection_confidence=_LEAST_CONFIDENCE,
            min_pose_presence_confidence=_LEAST_CONFIDENCE,
            output_segmentation_masks=True,
        )

    @cached_property
    def _face(self) -> Any:
        return self._task("FaceLandmarker", Network.FACE, min_face_detection_confidence=_LEAST_CONFIDENCE)

    @cached_property
    def _hand(self) -> Any:
        return self._task(
            "HandLandmarker",
            Network.HAND,
            num_hands=self._most_hands,
            min_hand_detection_confidence=_LEAST_CONFIDENCE,
        )

    @cached_property
    def _selfie(self) -> Any:
        return self._task("ImageSegmenter", Network.SELFIE)

    def _task(self, name: str, network: Network, **options: Any) -> Any:
        """Make one of mediapipe's tasks; it is closed with the detector."""
        base = self._mediapipe.tasks.BaseOptions(model_asset_buffer=network_bytes(network))
        vision = self._mediapipe.tasks.vision
        task = getattr(vision, name).create_from_options(
            getattr(vision, f"{name}Options")(base_options=base, **options)
        )
        self._made.callback(task.close)
        return task

    def _image(self, window: Window) -> Any:
        picture = np.ascontiguousarray(window.picture)
        return self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=picture)


def _body(marks: Iterable[Any], mask: Any, window: Window) -> Body:
    marks = list(marks)
    points = window.to_frame(_points(marks))
    seen = np.array([min(mark.visibility, mark.presence) for mark in marks], np.float32)
    return Body(points, seen * within(points, window.frame_box), _as_mask(mask.numpy_view()), window)


def _points(marks: Iterable[Any]) -> Points:
    return np.array([(mark.x, mark.y, mark.z) for mark in marks], np.float32)


def _as_mask(coverage: NDArray[np.float32]) -> Mask:
    """Copy out of mediapipe's memory, which goes with its image."""
    return np.asarray(cv2.convertScaleAbs(coverage[..., 0], alpha=255.0), np.uint8)
