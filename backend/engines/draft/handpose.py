# SPDX-License-Identifier: GPL-3.0-or-later
"""How the character's hands are held in every frame: as the performer's, where those are seen, else as at rest.

A hand is drawn in one way for the whole shot, modelled or as the picture shows it, so that it never changes its look.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...performer.tracks import Presence, Tracks
from .character import Points
from .hands import palm_length
from .raster import Floats
from .series import eased, smooth
from .skeleton import ARMS

_SEEN_SCORE = 0.1
"""Score from which a hand's points are taken; a bridged one has a low score and is still good."""
_SEEN_SIGMA_FRAMES = 3.0
_SEEN_SHARE = (0.15, 0.85)
"""Shares of seen frames nearby between which a hand goes from rest to the performer's: a lone frame is no news."""
_MODELLED_SHARE = 0.1
"""Part of the shot from which a hand is modelled: below it, the picture's own hand does."""
_REST_SIGMA_FRAMES, _ALONG_FOREARM = 2.0, 0.25
"""A resting hand follows the body's few points of it calmly, and more the forearm when they say little."""
_SIZE_LIMITS = (0.8, 1.35)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """points: `f 2 21 3` pixels of the frame, x y and depth; modelled: `2`, left and right."""

    points: Floats
    modelled: NDArray[np.bool_]


def hold_hands(tracks: Tracks, points: Points, scale: Floats, joints: Floats, facing: Floats) -> Hands:
    """Bring the performer's hands to the character's size and wrists. scale, facing: `f`; joints: `f 33 2`."""
    there = tracks.presence != Presence.ABSENT
    held, modelled = [], []
    for side, arm in enumerate(ARMS):
        given = (tracks.left_hand, tracks.right_hand)[side]
        seen = ((tracks.left_hand_score, tracks.right_hand_score)[side] > _SEEN_SCORE) & there
        belief = eased(smooth(seen.astype(np.float32), _SEEN_SIGMA_FRAMES), _SEEN_SHARE)
        modelled.append(bool(there.any() and belief[there].mean() > _MODELLED_SHARE))
        wrist = joints[:, arm.end]
        reach = joints[:, list(arm.tips)].mean(1) - wrist + _ALONG_FOREARM * (wrist - joints[:, arm.middle])
        shape = _at_rest((points.left_hand, points.right_hand)[side], reach, scale, facing)
        if seen.any():
            own = (points.left_hand, points.right_hand)[side] if points.hand_score[side] else None
            posed = _carried(given - given[:, :1], scale, seen) * _size(own, given, scale, seen) * scale[:, None, None]
            shape = shape + belief[:, None, None] * (posed - shape)
        shape[..., :2] += wrist[:, None]
        held.append(shape.astype(np.float32))
    return Hands(points=np.stack(held, 1), modelled=np.array(modelled))


def _carried(offsets: Floats, scale: Floats, seen: NDArray[np.bool_]) -> Floats:
    """Offsets `f 21 3` from the wrist at scale 1, through the frames that do not show the hand too."""
    where, known = np.arange(len(offsets)), np.flatnonzero(seen)
    flat = (offsets[known] / scale[known, None, None]).reshape(len(known), -1)
    carried = np.stack([np.interp(where, known, column) for column in flat.T], 1)
    return np.asarray(carried.reshape(offsets.shape), np.float32)


def _size(own: Floats | None, given: Floats, scale: Floats, seen: NDArray[np.bool_]) -> float:
    """How much larger the character's hand is than the performer's, each for its body; 1 where it is not known."""
    if own is None:
        return 1.0
    usual = np.median([palm_length(hand) / s for hand, s in zip(given[seen], scale[seen], strict=True)])
    return float(np.clip(palm_length(own) / max(float(usual), 1e-3), *_SIZE_LIMITS))


def _at_rest(own: Floats, reach: Floats, scale: Floats, facing: Floats) -> Floats:
    """Turn the picture's hand `21 2` so that it reaches where the body's points say, `f 2`; gives `f 21 3` offsets."""
    offsets = (own - own[0])[None] * np.stack([facing, np.ones_like(facing)], 1)[:, None]
    # angles, not vectors: a hand that points the other way at once would shrink to nothing between
    now = smooth(np.unwrap(np.arctan2(reach[:, 1], reach[:, 0])), _REST_SIGMA_FRAMES)
    angle = now - np.arctan2(offsets[:, 9, 1], offsets[:, 9, 0])
    c, s = (scale * np.cos(angle))[:, None], (scale * np.sin(angle))[:, None]
    x, y = offsets[..., 0], offsets[..., 1]
    return np.stack([c * x - s * y, s * x + c * y, np.zeros_like(x)], -1).astype(np.float32)
