# SPDX-License-Identifier: GPL-3.0-or-later
"""How the camera moved and how the exposure changed, found from everything but the performers.

Each frame is matched against a key frame, not against its neighbour, so that errors add up once a key and not once a
frame. A camera that stands still is told apart exactly: its pixels are later copied, never resampled.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ..contract.watch import Watch
from .geometry import Homography, Pictures, Points, is_inside, project, scaling

_WORK_HEIGHT_PX = 360
_TINY_HEIGHT_PX = 90
_FEATURES = 400
_LEAST_MATCHES = 8
_LOST_SHARE = 0.25
"""Fewer of the key's features than this agree on one motion: the frame is not matched to that key."""
_WEAK_SHARE = 0.5
"""Fewer than this: the frame is matched, and becomes the next key."""
_STILL_PX = 0.5
_STILL_SHARE = 0.7
_GAIN_NOISE = 0.004


class CameraKind(StrEnum):
    """Whether frames must be aligned at all."""

    LOCKED_OFF = "locked_off"
    """All frames share one pixel grid."""
    MOVING = "moving"


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """The camera over `f` frames.

    to_ground: `f 3 3` float64, from a frame's pixels to those of the first frame of its segment (x right, y down).
    segment: `f`, frames of different segments could not be matched and share nothing.
    gain: `f 3` float32, what a frame's code values are times those of the segment's first frame.
    """

    kind: CameraKind
    to_ground: NDArray[np.float64]
    segment: NDArray[np.int32]
    gain: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.segment)


def follow_camera(frames: Pictures, holes: Pictures, watch: Watch) -> Camera:
    """Find the camera of every frame. frames: `h w 3`, 8 or 16 bit; holes: `h w`, nonzero where performers are."""
    chain = _Chain()
    for index in range(len(frames)):
        chain.add(_View.of(frames[index], holes[index] > 0))
        watch.frames_done(index + 1, len(frames))
    return chain.camera()


@dataclass(slots=True)
class _View:
    """One frame at working size: what is matched. to_work: from frame pixels to working pixels."""

    grey: NDArray[np.uint8]
    free: NDArray[np.uint8]
    tiny: NDArray[np.float32]
    tiny_free: NDArray[np.bool_]
    to_work: Homography
    points: Points

    @classmethod
    def of(cls, frame: NDArray[Any], hole: NDArray[np.bool_]) -> _View:
        """Shrink a frame. Pixels of the hole are marked, and no feature is looked for near them."""
        rgb = frame if frame.dtype == np.uint8 else (frame >> 8).astype(np.uint8)
        small = _shrink(rgb, _WORK_HEIGHT_PX)
        grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
        size = (grey.shape[1], grey.shape[0])
        covered = cv2.resize(hole.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA)
        free = np.where(cv2.dilate(covered, np.ones((5, 5), np.uint8)) > 0, 0, 255).astype(np.uint8)
        tiny = _shrink(small, _TINY_HEIGHT_PX)
        tiny_free = cv2.resize(free, (tiny.shape[1], tiny.shape[0]), interpolation=cv2.INTER_AREA) == 255
        to_work = scaling(size[0] / frame.shape[1], size[1] / frame.shape[0])
        return cls(cast(Any, grey), free, tiny.astype(np.float32), tiny_free, to_work, np.zeros((0, 2), np.float32))

    def find_features(self) -> None:
        """Make this view a key: list corners outside the hole, in working pixels."""
        apart = max(3.0, self.grey.shape[0] / 45)
        found = cv2.goodFeaturesToTrack(self.grey, _FEATURES, 0.005, apart, mask=self.free)
        self.points = np.zeros((0, 2), np.float32) if found is None else found.reshape(-1, 2).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Match:
    """A view against its key. to_key: frame pixels to key pixels. share: of the key's features that agree."""

    to_key: Homography
    share: float
    is_still: bool


class _Chain:
    """Views in order, each hung on a key."""

    def __init__(self) -> None:
        self._grounds: list[Homography] = []
        self._segments: list[int] = []
        self._gains: list[NDArray[np.float64]] = []
        self._numbers = count()
        self._segment = 0
        self._is_still = True
        self._key: _View | None = None
        self._last: _View | None = None
        self._key_place = 0

    def add(self, view: _View) -> None:
        """Hang the next frame's view on the key, on its predecessor, or start a segment."""
        index = next(self._numbers)
        match = self._match(view, index)
        if match is None:
            self._start_segment(view, index)
        else:
            key = cast(_View, self._key)
            self._place(match, _gain_between(key, view, match.to_key))
            if match.share < _WEAK_SHARE:
                self._make_key(view, index)
        self._last = view

    def camera(self) -> Camera:
        """Give what was found, reduced to the identity and to no gain where nothing else is proven."""
        is_locked = self._is_still and self._segment == 0
        grounds = np.array(self._grounds, np.float64)
        gains = np.array(self._gains, np.float32)
        return Camera(
            kind=CameraKind.LOCKED_OFF if is_locked else CameraKind.MOVING,
            to_ground=np.broadcast_to(np.eye(3), grounds.shape).copy() if is_locked else grounds,
            segment=np.array(self._segments, np.int32),
            gain=np.ones_like(gains) if np.all(np.abs(gains - 1) < _GAIN_NOISE) else gains,
        )

    def _match(self, view: _View, index: int) -> _Match | None:
        if self._key is None or self._last is None:
            return None
        guess = np.linalg.inv(self._grounds[self._key_place]) @ self._grounds[-1]
        match = _match(self._key, view, guess)
        if match is None and self._key is not self._last:
            self._make_key(self._last, index - 1)
            match = _match(self._last, view, np.eye(3))
        return match

    def _place(self, match: _Match, gain: NDArray[np.float64]) -> None:
        ground = self._grounds[self._key_place] @ match.to_key
        self._grounds.append(ground / ground[2, 2])
        self._gains.append(self._gains[self._key_place] * gain)
        self._segments.append(self._segment)
        self._is_still = self._is_still and match.is_still

    def _start_segment(self, view: _View, index: int) -> None:
        self._segment += 1 if index else 0
        self._grounds.append(np.eye(3))
        self._gains.append(np.ones(3))
        self._segments.append(self._segment)
        self._make_key(view, index)

    def _make_key(self, view: _View, index: int) -> None:
        self._key, self._key_place = view, index
        view.find_features()


def _match(key: _View, view: _View, guess: Homography) -> _Match | None:
    """Find the map from a view to its key. guess: the same map, as far as known. None when too little agrees."""
    if len(key.points) < _LEAST_MATCHES:
        return _Match(np.eye(3), 1.0, True) if _looks_alike(key, view) else None
    at_key, at_view = _follow(key, view, guess)
    if len(at_key) < _LEAST_MATCHES:
        return None
    to_key, agreeing = _fit(at_view, at_key)
    if to_key is None or agreeing.sum() < max(_LEAST_MATCHES, _LOST_SHARE * len(key.points)):
        return None
    still = np.linalg.norm(at_view - at_key, axis=1) < _STILL_PX * key.to_work[1, 1]
    return _Match(
        np.linalg.inv(key.to_work) @ to_key @ view.to_work,
        float(agreeing.sum() / len(key.points)),
        bool(still.sum() >= _STILL_SHARE * agreeing.sum()),
    )


def _follow(key: _View, view: _View, guess: Homography) -> tuple[Points, Points]:
    """Track the key's features into the view and back; give the pairs that return and lie free, working pixels.

    The view is first bent by the guess, so that zoom and roll do not bias the small windows that are compared.
    """
    to_key = key.to_work @ guess @ np.linalg.inv(view.to_work)
    height, width = key.grey.shape
    bent = cv2.warpPerspective(view.grey, to_key, (width, height), borderMode=cv2.BORDER_REPLICATE)
    search: dict[str, Any] = {"winSize": (21, 21), "maxLevel": 3}
    there, found, _ = cv2.calcOpticalFlowPyrLK(key.grey, bent, key.points, None, **search)  # type: ignore[call-overload]
    back, returned, _ = cv2.calcOpticalFlowPyrLK(bent, key.grey, there, None, **search)  # type: ignore[call-overload]
    good = (found.ravel() > 0) & (returned.ravel() > 0) & (np.linalg.norm(back - key.points, axis=1) < 0.5)
    at_view = project(np.asarray(there, np.float32), np.linalg.inv(to_key))
    height, width = view.grey.shape
    good &= is_inside(at_view, width, height)
    at = np.clip(np.rint(at_view), 0, (width - 1, height - 1)).astype(np.intp)
    good &= view.free[at[:, 1], at[:, 0]] > 0
    return key.points[good], at_view[good]


def _fit(at_view: Points, at_key: Points) -> tuple[Homography | None, NDArray[np.bool_]]:
    """Fit a homography, or a similarity when too few features carry one. Deterministic: the seed is set."""
    cv2.setRNGSeed(1)
    # Plain RANSAC stops at a first good guess that may leave a corner of the picture 2 px off; MAGSAC does not.
    homography, agreeing = cv2.findHomography(at_view, at_key, cv2.USAC_MAGSAC, 1.0, maxIters=2000, confidence=0.999)
    if homography is not None and agreeing.sum() >= 3 * _LEAST_MATCHES:
        return np.asarray(homography, np.float64), agreeing.ravel() > 0
    similar, agreeing = cv2.estimateAffinePartial2D(at_view, at_key, ransacReprojThreshold=1.0)
    if similar is None:
        return None, np.zeros(len(at_view), bool)
    return np.vstack([similar, [0.0, 0.0, 1.0]]), agreeing.ravel() > 0


def _looks_alike(key: _View, view: _View) -> bool:
    """Tell whether two views without features could be the same still picture."""
    both = key.tiny_free & view.tiny_free
    return not both.any() or float(np.abs(key.tiny - view.tiny)[both].mean()) < 8


def _gain_between(key: _View, view: _View, to_key: Homography) -> NDArray[np.float64]:
    """Measure the view's code values over the key's, per channel, where both see the set and neither clips.

    Code values are display referred; a change of exposure is a factor there too, as the transfer is nearly a power.
    """
    shrink = scaling(view.tiny.shape[1] / view.grey.shape[1], view.tiny.shape[0] / view.grey.shape[0])
    to_tiny = shrink @ view.to_work
    to_view = to_tiny @ np.linalg.inv(to_key) @ np.linalg.inv(to_tiny)
    size = (view.tiny.shape[1], view.tiny.shape[0])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpPerspective(view.tiny, to_view, size, flags=flags)
    free = cv2.warpPerspective(view.tiny_free.astype(np.float32), to_view, size, flags=flags) > 0.999
    gains = np.ones(3)
    for channel in range(3):
        ours, theirs = seen[..., channel], key.tiny[..., channel]
        usable = free & key.tiny_free & (ours > 16) & (theirs > 16) & (ours < 240) & (theirs < 240)
        if usable.sum() >= 32:
            gains[channel] = float(np.median(ours[usable] / theirs[usable]))
    return gains


def _shrink(image: NDArray[Any], to_height: int) -> NDArray[Any]:
    """Scale a picture down to a height by area; smaller ones stay as they are."""
    height, width = image.shape[:2]
    if height <= to_height:
        return image
    size = (max(1, round(width * to_height / height)), to_height)
    return cast(NDArray[Any], cv2.resize(image, size, interpolation=cv2.INTER_AREA))
