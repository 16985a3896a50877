# SPDX-License-Identifier: GPL-3.0-or-later
"""How true tracks are: against rendered truth, by their own sense on footage, and which of two they follow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from unittest.mock import patch

import numpy as np

from backend.contract.job import PerformerChoice, Pick
from backend.media.sequence import Sequence
from backend.performer import bridge
from backend.performer.tracks import Presence, Tracks
from demo.truth import Truth

from .bench import Bench
from .poses import COCO_JOINTS, TRUNK, Flags, Floats, distances, head_agrees, share_within, stretches
from .table import Row
from .tracking import tracked

_JOINTS = list(COCO_JOINTS)
_LIMIT = 0.05
_GOAL_MEAN, _GOAL_PCK = 0.025, 0.97
_MOST_BRIDGED = 6
_GOAL_SANE, _GOAL_BESIDE, _GOAL_CROSSING = 0.98, 1.0, 0.95


@dataclass(frozen=True, slots=True)
class Errors:
    """Of one shot's tracks: the mean distance in parts of the height, PCK, and how many frames were given up."""

    mean: float
    pck: float
    absent: int

    def __str__(self) -> str:
        return f"mean {100 * self.mean:.2f} %, PCK@{100 * _LIMIT:.0f}% {self.pck:.3f}, {self.absent} frames absent"


def truth(bench: Bench) -> Iterator[Row]:
    """Yield a row for each seed: the 17 COCO joints, wherever truth is visible, smoothed and raw.

    Frames given up count as misses of PCK; in the mean they count with the points that the tracks hold there.
    """
    for seed in bench.seeds:
        shot = bench.shot("solo", seed)
        smooth = errors(bench.replaced_shot(shot).tracks, shot)
        bench.say("tracking without smoothing")
        with patch.object(bridge, "smoothed", lambda track, *_: track):
            raw = errors(tracked(bench, Sequence(shot.beauty, len(shot))), shot)
        yield Row(
            "joint error, 17 COCO joints where visible, in nose-ankle heights",
            bench.on(shot, seed),
            f"{smooth}; raw: {raw}",
            f"mean {100 * _GOAL_MEAN} %, PCK {_GOAL_PCK}, mean not above raw",
            smooth.mean <= min(_GOAL_MEAN, raw.mean) and smooth.pck >= _GOAL_PCK,
        )


def errors(tracks: Tracks, shot: Truth) -> Errors:
    """Hold tracks against a shot's first performer."""
    off = distances(tracks.body[:, _JOINTS, :2], shot.joints[:, 0, _JOINTS], shot.height_px())
    visible = shot.visible[:, 0, _JOINTS]
    missed = tracks.presence == Presence.ABSENT
    lost = int((missed & visible.any(axis=1)).sum())
    return Errors(float(off[visible].mean()), share_within(off, visible, missed, _LIMIT), lost)


def sanity(bench: Bench) -> Iterator[Row]:
    """Yield the share of all frames of footage in which body and face of the delivered tracks fit together."""
    tracks = bench.replaced(bench.clip("alley_boy.mp4")).tracks
    sane = sane_frames(tracks)
    yield Row(
        "shoulders under the chin, nose inside the face mesh",
        f"alley_boy.mp4, {len(tracks)} frames",
        f"{100 * sane.mean():.1f} % of frames",
        f"{100 * _GOAL_SANE:.0f} %",
        bool(sane.mean() >= _GOAL_SANE),
    )


def sane_frames(tracks: Tracks) -> Flags:
    """Tell in which frames head and shoulders agree: `f`. Absent ones and gaps too long to bridge don't."""
    sane = np.array([head_agrees(body, face) for body, face in zip(tracks.body, tracks.face, strict=True)])
    sane &= tracks.presence != Presence.ABSENT
    for first, last in stretches(tracks.presence == Presence.BRIDGED, _MOST_BRIDGED + 1):
        sane[first : last + 1] = False
    return sane


def two(bench: Bench) -> Iterator[Row]:
    """Yield a row for each seed and choice: in how many frames, one of two being chosen, the tracks are at that one."""
    for seed in bench.seeds:
        shot = bench.shot("pair", seed)
        for chosen in (0, 1):
            yield _kept(bench, shot, seed, chosen)


def _kept(bench: Bench, shot: Truth, seed: int, chosen: int) -> Row:
    bench.say(f"tracking performer {chosen} of two")
    x, y = shot.joints[0, chosen, list(TRUNK)].mean(axis=0)
    choice = PerformerChoice(pick=Pick.POINT, frame=0, x=float(x), y=float(y))
    kept = kept_frames(tracked(bench, Sequence(shot.beauty, len(shot)), choice), shot, chosen)
    crossing = np.logical_or.accumulate(boxes_overlap(shot.joints[:, 0], shot.joints[:, 1]))
    before, since = _share(kept[~crossing]), _share(kept[crossing])
    return Row(
        f"two performers, the {('first', 'second')[chosen]} one chosen and kept",
        bench.on(shot, seed),
        f"side by side {100 * before:.1f} % of {(~crossing).sum()} frames, "
        f"crossing and since {100 * since:.1f} % of {crossing.sum()}",
        f"{100 * _GOAL_BESIDE:.0f} % and {100 * _GOAL_CROSSING:.0f} %",
        before >= _GOAL_BESIDE and since >= _GOAL_CROSSING,
    )


def kept_frames(tracks: Tracks, shot: Truth, chosen: int) -> Flags:
    """Tell in which frames the tracked trunk is nearer to the chosen performer's than to the other's: `f`."""
    trunk = tracks.body[:, list(TRUNK), :2].mean(axis=1)
    own, other = (
        np.linalg.norm(trunk - shot.joints[:, who, list(TRUNK)].mean(axis=1), axis=-1) for who in (chosen, 1 - chosen)
    )
    return np.asarray((own < other) & (tracks.presence != Presence.ABSENT))


def boxes_overlap(one: Floats, other: Floats) -> Flags:
    """Tell in which frames the boxes round two performers' joints, `f n 2` each, share some of the picture: `f`."""
    low, high = np.maximum(one.min(axis=1), other.min(axis=1)), np.minimum(one.max(axis=1), other.max(axis=1))
    return np.asarray((low < high).all(axis=1))


def _share(flags: Flags) -> float:
    return float(flags.mean()) if len(flags) else 1.0
