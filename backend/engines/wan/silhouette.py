# SPDX-License-Identifier: GPL-3.0-or-later
"""The matte of what the model drew, found anew: the new figure has a silhouette of its own.

It is looked for by the performer's own rooms, in the generated frames, and counts only inside the region that the model
was given. Where nobody is found, the region itself stands in, softened.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ...contract.watch import PassingOn
from ...media.sequence import Sequence
from ...performer.find import NobodyFoundError, find_people
from ...performer.matte import refine_matte
from ...performer.people import Person
from ...performer.track import track_performer

Matte = NDArray[np.uint8]
"""`h w`, coverage 0..255, linear."""
_COVERAGE = "coverage"
_SOFT_PART = 0.01
"""How far the edge of a region that stands in is softened, inwards, of the picture's longer side."""
_FOUND_PART = 0.02
"""Least coverage that counts as somebody found, of the region."""


class StopOnly(PassingOn):
    """Passes on nothing but the wish to stop: these rooms' progress and notices are about other pictures."""

    def frames_done(self, done_frames: int, total_frames: int) -> None:  # noqa: ARG002
        """Look whether to stop."""
        self.inner.check_stop()

    def notice(self, code: str, text: str) -> None:
        """Keep it: it was meant for the artist's clip."""


def silhouettes(
    frames: Sequence, regions: NDArray[np.uint8], into: Path, watch: StopOnly
) -> Iterator[tuple[Matte, bool]]:
    """Yield each frame's matte, and whether it was found or the region stands in.

    frames: generated, at the shot's size. regions: `n h w` at that size, not 0 where the model drew.
    into: a folder for what is only needed meanwhile.
    """
    found = _found(frames, regions, into, watch)
    for region in regions:
        inside = softened(region)
        matte = None if found is None else np.asarray(np.minimum(next(found), inside), np.uint8)
        if matte is not None and (matte.sum() >= _FOUND_PART * inside.sum()):
            yield matte, True
        else:
            yield inside, not region.any()


def softened(region: NDArray[np.uint8]) -> Matte:
    """Soften a region's edge inwards, so that nothing outside it is covered; at the picture's border it stays whole."""
    reach = max(1.0, _SOFT_PART * max(region.shape))
    inside = cv2.copyMakeBorder(np.where(region > 0, 1, 0).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, 5)[1:-1, 1:-1]
    return np.asarray(255 * np.clip(depth / reach, 0, 1) + 0.5, np.uint8)


def _found(frames: Sequence, regions: NDArray[np.uint8], into: Path, watch: StopOnly) -> Iterator[Matte] | None:
    """Track and matte who is in the region; None where nobody is."""
    try:
        people = find_people(frames, watch)
        person = max(people.persons, key=lambda person: _part_inside(person, regions))
        if not _part_inside(person, regions):
            return None
        tracks = track_performer(frames, person, people, into, watch)
    except NobodyFoundError:
        return None
    return refine_matte(frames, Sequence(into / _COVERAGE, len(frames)), tracks, None, None, watch)


def _part_inside(person: Person, regions: NDArray[np.uint8]) -> float:
    """Say how much of a person's boxes lies in the region."""
    parts = []
    for seen in person.seen:
        x0, y0, x1, y1 = np.clip(seen.box, 0, None).astype(int)
        box = regions[seen.frame, y0 : y1 + 1, x0 : x1 + 1]
        parts.append(float((box > 0).mean()) if box.size else 0.0)
    return float(np.mean(parts))
