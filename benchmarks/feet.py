# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a drawn foot stays where the performer's stands: measured in the drawn pixels, for trackers waver by more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from backend.media.images import Pixels
from backend.media.sequence import Sequence
from backend.performer.tracks import Presence, Tracks
from demo.truth import Truth

from .pictures import peak_of
from .poses import FEET, Flags, Floats, height_px, slips, stretches

_LEAST_FRAMES = 5
"""A foot that stands for less is on its way."""

_STILL = 0.004
"""A tracked foot that moves less than this a frame, in heights, stands."""

_PATCH = 0.045
"""Half a side of the piece of picture that is looked for again, in heights."""

_SEARCH = 0.05
"""How far from where it is expected, in heights."""

_LEAST_COVERED = 0.15
"""A piece of the drawn layer that holds less of the character is not its foot."""

_GREY = 128


@dataclass(frozen=True, slots=True)
class Stand:
    """A foot that stands from frame `first` on: where it is in the picture, `f 2`. side: 0 is left. In pixels."""

    side: int
    first: int
    place: Floats
    height_px: float


def true_stands(shot: Truth) -> list[Stand]:
    """Take the stands of a rendered shot's first performer, and how the camera moves them in the picture."""
    stands = []
    for side, foot in enumerate(FEET):
        place = shot.joints[:, 0, list(foot)].mean(axis=1)
        is_inside = ((place > 0) & (place < (shot.width, shot.height))).all(axis=1)
        stands += _stands(side, place, shot.planted[:, 0, side] & is_inside, float(np.median(shot.height_px())))
    return stands


def stands_of(tracks: Tracks, frames: Sequence) -> list[Stand]:
    """Find the stands in footage: feet whose tracks are nearly still; their place is followed in the picture itself."""
    height = float(np.median(height_px(tracks.body[tracks.presence == Presence.TRACKED])))
    stands = []
    for side, foot in enumerate(FEET):
        place = tracks.body[:, list(foot), :2].mean(axis=1)
        speed = np.linalg.norm(np.gradient(place, axis=0), axis=-1)
        still = (speed < _STILL * height) & (tracks.presence == Presence.TRACKED)
        for stand in _stands(side, place, np.asarray(still), height):
            followed = follow(lambda index: frames[index][..., :3], stand, stand.place[len(stand.place) // 2])
            stands.append(Stand(side, stand.first, followed, height))
    return stands


def drawn_slips(drawn: Sequence, character: Tracks, stands: list[Stand]) -> Floats:
    """Tell how far drawn feet slip while the performer's stand, in heights: one number for each frame of each stand.

    drawn: straight RGBA. character: where the drawn feet are, roughly; where a tracker has lost one, and says it is
    elsewhere than the performer's, the drawn foot is looked for where it should stand. No stand is left out for that.
    """
    all_slips: list[Floats] = [np.zeros(0)]
    for stand in stands:
        middle = stand.first + len(stand.place) // 2
        start = character.body[middle, list(FEET[stand.side]), :2].mean(axis=0)
        should = stand.place[len(stand.place) // 2]
        if np.linalg.norm(start - should) > _SEARCH * stand.height_px:
            start = should
        if _is_drawn_at(drawn[middle], start, stand):
            followed = follow(lambda index: _on_grey(drawn[index]), stand, start)
            all_slips.append(slips(followed, stand.place) / stand.height_px)
    return np.concatenate(all_slips)


def follow(picture: Callable[[int], Pixels], stand: Stand, start: Floats) -> Floats:
    """Follow the piece of picture round `start` in a stand's middle frame through all its frames: `f 2`.

    In each it is looked for near where it would be if it moved as the stand does.
    """
    middle = len(stand.place) // 2
    half, reach = (max(3, round(part * stand.height_px)) for part in (_PATCH, _SEARCH))
    piece, start_at = _cut(picture(stand.first + middle), start, half)
    places = []
    for offset, place in enumerate(stand.place):
        field, corner = _cut(picture(stand.first + offset), start + place - stand.place[middle], half + reach)
        found = peak_of(np.asarray(cv2.matchTemplate(field, piece, cv2.TM_CCOEFF_NORMED), np.float32))
        places.append(found + corner - start_at + start)
    return np.array(places)


def _stands(side: int, place: Floats, stands: Flags, height: float) -> list[Stand]:
    return [Stand(side, a, place[a : b + 1], height) for a, b in stretches(stands, _LEAST_FRAMES)]


def _cut(picture: Pixels, centre: Floats, half: int) -> tuple[Pixels, Floats]:
    """Cut a square out of a picture, its rim repeated beyond the edge; return it and its upper left corner."""
    x, y = np.round(centre).astype(int) - half
    side = 2 * half + 1
    rows = np.clip(np.arange(y, y + side), 0, picture.shape[0] - 1)
    columns = np.clip(np.arange(x, x + side), 0, picture.shape[1] - 1)
    return np.ascontiguousarray(picture[np.ix_(rows, columns)], np.uint8), np.array([x, y], float)


def _is_drawn_at(drawn: Pixels, centre: Floats, stand: Stand) -> bool:
    piece, _ = _cut(drawn, centre, round(_PATCH * stand.height_px))
    return float((piece[..., 3] > 0).mean()) >= _LEAST_COVERED


def _on_grey(drawn: Pixels) -> Pixels:
    alpha = drawn[..., 3:].astype(np.float32) / 255
    return np.asarray(np.round(drawn[..., :3] * alpha + _GREY * (1 - alpha)), np.uint8)
