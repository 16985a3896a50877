# SPDX-License-Identifier: GPL-3.0-or-later
"""Feet that go over the ground as the performer's do: where tracks waver, the picture tells how a foot moves.

The tracks say where a foot is, but not to the pixel; what it looks like, found again a few frames on, says to a part
of one how far it went, whatever the camera does. Least squares bring the two together: a foot that stands goes with the
ground, one that swings too fast to be found again goes as tracked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ...media.images import Pixels
from ...media.sequence import Sequence
from ...performer.prepare import as_rgb8
from ...performer.tracks import Presence, Tracks
from .raster import Floats
from .skeleton import LEGS, SEEN

_TIPS: Final = [tip for leg in LEGS for tip in leg.tips]
"""Heel and toe of the left foot, and of the right one."""
_PIECE, _SEARCH = 0.045, 0.05
"""Half a side of the piece of picture round a foot, and how far from where it is tracked it is looked for, heights."""
_VIEW_PX, _PIECE_PX = 47, 23
"""Sides of both at the size at which they are compared: a pixel is four thousandths of a height."""
_STEPS: Final = (1, 2, 4, 8)
"""Frames between two looks: near ones are surer, far ones let no error add up."""
_ALIKE = 0.7
"""Correlation from which a piece counts as found again."""
_OFF = 0.002
"""Disagreement of a find with the others, heights, from which it counts for little: it was something else."""
_TRUST_IN_TRACKS = 0.02
"""What a track's place is worth beside a sure find: its errors last for many frames, a find's do not."""
_REACH_FRAMES = 24
"""A frame is settled from those so near on either side and from no others, so that windows agree."""
_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class _Finds:
    """Pieces found again: in which frame each was cut out, in which found, how much farther on than tracked, and trust.

    start, end: `n`; off: `n 2`, heights; trust: `n`, 0..1.
    """

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    off: Floats
    trust: Floats


def foot_shifts(tracks: Tracks, frames: Sequence, height: Floats, first: int, last: int) -> Floats:
    """Tell how far heel and toe of either foot are from where they are tracked; nil outside first..last.

    `f 2 2 2`: left and right, heel and toe, x and y in heights. height: the performer's, `f` pixels.
    """
    shifts = np.zeros((len(tracks), 4, 2), np.float32)
    around = range(max(0, first - _REACH_FRAMES), min(len(tracks), last + 1 + _REACH_FRAMES))
    views = _views(tracks, frames, height, around)
    for tip in range(len(_TIPS)):
        finds = _finds({index: tips[tip] for index, tips in views.items() if tip in tips})
        for index in range(first, last + 1):
            shifts[index, tip] = _settled(finds, index)
    return shifts.reshape(-1, 2, 2, 2)


def _views(tracks: Tracks, frames: Sequence, height: Floats, around: range) -> dict[int, dict[int, Pixels]]:
    """Cut the surroundings of heels and toes that are seen out of the frames: by frame and tip."""
    seen = (tracks.body_score[:, _TIPS] > SEEN) & (tracks.presence != Presence.ABSENT)[:, None]
    found: dict[int, dict[int, Pixels]] = {}
    for index in (index for index in around if seen[index].any()):
        frame = as_rgb8(frames[index])
        found[index] = {}
        for tip in np.flatnonzero(seen[index]).tolist():
            x, y = tracks.body[index, _TIPS[tip], :2].tolist()
            if 0 < x < frame.shape[1] and 0 < y < frame.shape[0]:
                found[index][tip] = _view(frame, (x, y), float(height[index]))
    return found


def _view(frame: Pixels, centre: tuple[float, float], height: float) -> Pixels:
    """Cut a square out of a frame, at the size at which feet are compared; the frame's rim goes on beyond its edge."""
    side = max(3, 2 * round((_PIECE + _SEARCH) * height) + 1)
    cut = cv2.getRectSubPix(frame, (side, side), centre)
    return np.asarray(cv2.resize(cut, (_VIEW_PX, _VIEW_PX), interpolation=cv2.INTER_AREA), np.uint8)


def _finds(views: dict[int, Pixels]) -> _Finds:
    """Look for the foot of every view in those some frames later."""
    pairs = [(start, start + step) for step in _STEPS for start in views if start + step in views]
    inner = slice((_VIEW_PX - _PIECE_PX) // 2, (_VIEW_PX + _PIECE_PX) // 2)
    peaks = [
        _peak(cv2.matchTemplate(views[end], views[start][inner, inner], cv2.TM_CCOEFF_NORMED)) for start, end in pairs
    ]
    start, end = np.array(pairs, np.int64).reshape(-1, 2).T
    x, y, alike = np.array(peaks, np.float64).reshape(-1, 3).T
    off = np.stack([x, y], 1) * 2 * (_PIECE + _SEARCH) / _VIEW_PX
    return _Finds(start, end, off, np.clip((alike - _ALIKE) / (1 - _ALIKE), 0, 1))


def _peak(field: Floats) -> tuple[float, float, float]:
    """Find a field's highest value: x and y from its middle, between pixels by parabolas; and the value, 0 at a rim."""
    _, value, _, (x, y) = cv2.minMaxLoc(field)
    middle = len(field) // 2
    if not (0 < x < 2 * middle and 0 < y < 2 * middle):
        return 0.0, 0.0, 0.0
    bend_x, bend_y = (
        2 * value - a - b + 1e-9 for a, b in ((field[y, x - 1], field[y, x + 1]), field[[y - 1, y + 1], x])
    )
    right = (field[y, x + 1] - field[y, x - 1]) / (2 * bend_x)
    down = (field[y + 1, x] - field[y - 1, x]) / (2 * bend_y)
    return float(x + right - middle), float(y + down - middle), float(value)


def _settled(finds: _Finds, index: int) -> Floats:
    """Tell how far a foot is from where it is tracked in a frame, `2`, by the finds within reach.

    Those that the others contradict lose their weight from round to round. Geman and McClure 1987.
    """
    low, count = index - _REACH_FRAMES, 2 * _REACH_FRAMES + 1
    near = (finds.start >= low) & (finds.end < low + count) & (finds.trust > 0)
    shifts: Floats = np.zeros((count, 2))
    if not near.any():
        return np.zeros(2, np.float32)
    start, end, off, trust = finds.start[near] - low, finds.end[near] - low, finds.off[near], finds.trust[near]
    for turn in range(_ROUNDS):
        apart = np.linalg.norm(shifts[end] - shifts[start] - off, axis=1) / (_OFF * (_ROUNDS - turn))
        shifts = _agreed(start, end, off, trust / np.square(1 + np.square(apart)))
    return np.asarray(shifts[_REACH_FRAMES], np.float32)


def _agreed(start: NDArray[np.int64], end: NDArray[np.int64], off: Floats, weight: Floats) -> Floats:
    """Solve for the shifts that finds of given weight and the tracks agree on best: least squares."""
    count = 2 * _REACH_FRAMES + 1
    system, goal = _TRUST_IN_TRACKS * np.eye(count), np.zeros((count, 2))
    for a, b, sign in ((start, start, 1), (end, end, 1), (start, end, -1), (end, start, -1)):
        np.add.at(system, (a, b), sign * weight)
    for at, sign in ((end, 1), (start, -1)):
        np.add.at(goal, at, sign * weight[:, None] * off)
    return np.asarray(np.linalg.solve(system, goal))
