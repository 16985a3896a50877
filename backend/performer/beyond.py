# SPDX-License-Identifier: GPL-3.0-or-later
"""Who walks out of the frame, shown whole: the frame is continued beyond its edges by what was seen there last.

The networks know people and lose what is only a strip of one at the frame's edge. Frame by frame, what the performer
took out of sight is laid where the performer has gone since, so that they see a whole body, of which a part is now.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Many
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from ..contract.watch import Watch
from ..media.sequence import Sequence, SequenceWriter
from .bridge import MOST_BRIDGED_FRAMES, left_after
from .coverage import performer_coverage
from .detect import Body, Detector, Mask
from .judge import body_width, trunk_shift
from .points import TRUNK
from .prepare import as_rgb8
from .smooth import runs
from .tracks import Presence, Tracks
from .window import Box, Picture, Points, square

_MARGIN = 1.5
"""Side of the window in which the body is sought, in sizes of the performer's box."""

_COVERED = 128
"""Coverage from which a pixel is the performer's rather than not."""


def cover_leaving(frames: Sequence, tracks: Tracks, coverage: Path, hidden: NDArray[np.bool_], watch: Watch) -> None:
    """Look once more at the frames in which the performer is cut by an edge on the way out, or in.

    coverage: folder of the rough mattes, one a frame, to which is added what is seen now. Where the performer was only
    carried on, what stood there was a guess, and is left as one. Nothing is written of a performer who stays.
    hidden: `f`, where somebody else is believed to be near, who might be mistaken for the performer: nothing is added.
    """
    exits = exits_of(tracks, Sequence(coverage, len(frames)))
    if not exits:
        return
    with Detector(most_bodies=2) as detector, SequenceWriter(coverage) as writer:
        for leaving in exits:
            for index, continued, points, box in _followed(frames, tracks, leaving):
                watch.check_stop()
                seen = None if hidden[index] else _coverage(detector, continued, points, box)
                if seen is not None:
                    before = as_rgb8(Sequence(coverage, len(frames))[index])[..., 0]
                    is_guess = tracks.presence[index] != Presence.TRACKED
                    writer.write(index, np.maximum(seen, before // 2 if is_guess else before))


@dataclass(frozen=True, slots=True)
class Exit:
    """A way out of the frame, or into it backwards. last: the frame before, in which the performer is seen best.

    frames: those in which the edge cuts the performer, in the order in which less and less is seen.
    """

    last: int
    frames: tuple[int, ...]


def exits_of(tracks: Tracks, coverage: Sequence) -> list[Exit]:
    """Tell where the performer leaves through the left or right edge; of whom stays, nothing.

    coverage: the rough mattes, one a frame.
    """
    presence = tracks.presence
    bridged = np.flatnonzero(presence == Presence.BRIDGED).tolist()
    carried = np.zeros(len(presence), np.bool_)
    carried[[index for index in bridged if left_after(presence, index) is not None]] = True
    return [_exit(tracks, first, last, coverage) for first, last in runs(carried)]


def _exit(tracks: Tracks, first: int, last: int, coverage: Sequence) -> Exit:
    """Begin at the frame in which the performer is last clear of the edges; where none is near, at the last seen.

    Boxes don't tell it: smoothed together with those of one who is only carried on, they come off the edge.
    """
    seen = left_after(tracks.presence, first)
    assert seen is not None
    step = 1 if seen < first else -1
    end = last if step > 0 else first
    for clear in range(seen, seen - step * (MOST_BRIDGED_FRAMES + 1), -step):
        if not 0 <= clear < len(tracks) or tracks.presence[clear] != Presence.TRACKED:
            break
        if not (as_rgb8(coverage[clear])[:, [0, -1]] >= _COVERED).any():
            return Exit(clear, tuple(range(clear + step, end + step, step)))
    return Exit(seen, tuple(range(seen + step, end + step, step)))


@dataclass(frozen=True, slots=True)
class Continued:
    """A frame with room beside it. picture: `h w 3` uint8; room_px: how far the frame's left edge lies in it."""

    picture: Picture
    room_px: int

    @classmethod
    def of(cls, frame: Picture, room_px: int) -> Self:
        """Take a frame; nothing is known yet of what is beside it."""
        room = 0, 0, room_px, room_px
        return cls(np.asarray(cv2.copyMakeBorder(frame, *room, cv2.BORDER_REPLICATE), np.uint8), room_px)

    def onward(self, frame: Picture, move_px: tuple[int, int]) -> Self:
        """Take the next frame, since which the performer has gone so far to the right and down."""
        move = np.array([[1, 0, move_px[0]], [0, 1, move_px[1]]], np.float64)
        size = self.picture.shape[1::-1]
        picture = cv2.warpAffine(self.picture, move, size, borderMode=cv2.BORDER_REPLICATE)
        picture[:, self.room_px : self.room_px + frame.shape[1]] = frame
        return type(self)(np.asarray(picture, np.uint8), self.room_px)

    def within_frame(self, mask: Mask) -> Mask:
        """Cut what lies within the frame out of a mask of the whole picture."""
        return mask[:, self.room_px : mask.shape[1] - self.room_px]


def _followed(frames: Sequence, tracks: Tracks, leaving: Exit) -> Iterator[tuple[int, Continued, Points, Box]]:
    """Yield the frames of an exit, each continued by those before, and where the performer's joints and box should be.

    Joints and box are moved on from where they were before the edge cut the performer, in pixels of the frame.
    """
    points, box, gone = tracks.body[leaving.last], tracks.box[leaving.last], (0, 0)
    continued = Continued.of(as_rgb8(frames[leaving.last]), round(float(max(box[2:] - box[:2]))))
    for index in leaving.frames:
        right, down = (round(float(gone_px)) for gone_px in trunk_shift(points, tracks.body[index]))
        continued = continued.onward(as_rgb8(frames[index]), (right - gone[0], down - gone[1]))
        gone = right, down
        yield index, continued, *_moved(points, box, gone)


def _coverage(detector: Detector, continued: Continued, points: Points, box: Box) -> Mask | None:
    """Give what one performer covers of a continued frame, `h w` uint8; None where no body is at the place.

    points: `33 3`, where the performer's joints were last and should be now; box: round all of the performer. Both are
    in pixels of the frame.
    """
    points, box = _moved(points, box, (continued.room_px, 0))
    bodies = detector.bodies(continued.picture, square(box, _MARGIN))
    body = _nearest(bodies, points)
    if body is None:
        return None
    whole = np.concatenate([np.minimum(box[:2], body.box[:2]), np.maximum(box[2:], body.box[2:])])
    return continued.within_frame(performer_coverage(detector, continued.picture, body, whole))


def _moved(points: Points, box: Box, move_px: tuple[int, int]) -> tuple[Points, Box]:
    """Move joints and a box to the right and down."""
    move = np.array([*move_px, 0], np.float32)
    return points + move, box + np.tile(move[:2], 2)


def _nearest(bodies: Many[Body], points: Points) -> Body | None:
    """Choose the body whose trunk lies nearest to a place, none farther off than it is wide."""
    away = [float(np.linalg.norm(_middle(body.points) - _middle(points))) for body in bodies]
    best = int(np.argmin(away)) if away else -1
    return bodies[best] if away and away[best] < body_width(points) else None


def _middle(points: Points) -> NDArray[np.float32]:
    return np.asarray(points[list(TRUNK), :2].mean(0), np.float32)
