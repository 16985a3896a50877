# SPDX-License-Identifier: GPL-3.0-or-later
"""How well the drawn character does what the performer did: the tracker is run on the comp."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from backend.contract.job import PerformerChoice, Pick
from backend.performer.tracks import Presence, Tracks

from .bench import Bench, FootageMissingError
from .feet import Stand, drawn_slips, stands_of, true_stands
from .matte import steadiness
from .poses import COCO_JOINTS, Flags, Floats, correlation, distances, head_yaw_deg, height_px, mouth_opening
from .table import Row
from .tracking import tracked
from .worker import Worked

_JOINTS = list(COCO_JOINTS)
_SURE = 0.5
"""Score from which a joint counts as seen."""

_GOAL_JOINTS, _GOAL_CORRELATION, _GOAL_SLIP = 0.05, 0.8, 0.01
_WHAT = "draft: tracker on the comp against the performer's tracks"
_FOOTAGE = "park_juggler.mp4"


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like two tracks of one shot are: mean distance in heights, correlations of yaw and mouth, frames compared.

    yaw_deg, mouth_opening: how far the performer's own vary (standard deviation; of the face's height): a correlation
    of what hardly moves is one of noise.
    """

    joints: float
    yaw: float
    yaw_deg: float
    mouth: float
    mouth_opening: float
    frames: int


def likeness(bench: Bench) -> Iterator[Row]:
    """Yield a row for each seed of the rendered shot, and one for footage."""
    for seed in bench.seeds:
        shot = bench.shot("solo", seed)
        done = bench.replaced_shot(shot)
        yield _row(bench, bench.on(shot, seed), done, true_stands(shot))
    try:
        done = bench.replaced(bench.clip(_FOOTAGE))
    except FootageMissingError as missing:
        yield Row(_WHAT, _FOOTAGE, str(missing), "", None)
        return
    yield _row(bench, f"{_FOOTAGE}, {len(done.frames)} frames", done, stands_of(done.tracks, done.frames))


def compare(performer: Tracks, character: Tracks) -> Likeness:
    """Hold two tracks against each other where both were tracked; joints and faces where both are seen."""
    both = _tracked(performer) & _tracked(character)
    seen = (performer.body_score > _SURE) & (character.body_score > _SURE) & both[:, None]
    height = np.full(len(performer), np.median(height_px(performer.body[_tracked(performer)])))
    off = distances(performer.body[:, _JOINTS, :2], character.body[:, _JOINTS, :2], height)
    faces = both & (performer.face_score > _SURE) & (character.face_score > _SURE)
    yaws, mouths = (
        [measure(tracks.face[faces]) for tracks in (performer, character)] for measure in (head_yaw_deg, mouth_opening)
    )
    return Likeness(
        joints=float(off[seen[:, _JOINTS]].mean()),
        yaw=correlation(*yaws),
        yaw_deg=float(yaws[0].std()),
        mouth=correlation(*mouths),
        mouth_opening=float(mouths[0].std()),
        frames=int(both.sum()),
    )


def _row(bench: Bench, on: str, done: Worked, stands: list[Stand]) -> Row:
    bench.say(f"tracking the comp of {on}")
    performer, comp = done.tracks, done.delivered("comp")
    character = tracked(bench, comp, _where_best(performer))
    like = compare(performer, character)
    slips = drawn_slips(done.delivered("character"), character, stands)
    slip, worst, mean = (float(of(slips)) if len(slips) else 0.0 for of in (_most, np.max, np.mean))
    steady = steadiness(comp, done.delivered("matte"))
    return Row(
        _WHAT,
        on,
        f"joints {100 * like.joints:.2f} % in {like.frames} frames; "
        f"yaw {like.yaw:.2f} (varies by {like.yaw_deg:.1f} deg); "
        f"mouth {like.mouth:.2f} (varies by {100 * like.mouth_opening:.1f} %); "
        f"ground slip mean {100 * mean:.2f} %, 95 % of {len(slips)} frames of standing feet within {100 * slip:.2f} %, "
        f"most {100 * worst:.2f} %; "
        f"drawn matte's steadiness {steady:.4f}",
        f"joints {100 * _GOAL_JOINTS:.0f} %, yaw and mouth {_GOAL_CORRELATION}, slip {100 * _GOAL_SLIP:.0f} %",
        like.joints <= _GOAL_JOINTS and min(like.yaw, like.mouth) >= _GOAL_CORRELATION and slip <= _GOAL_SLIP,
    )


def _most(values: Floats) -> float:
    return float(np.percentile(values, 95))


def _tracked(tracks: Tracks) -> Flags:
    return np.asarray(tracks.presence == Presence.TRACKED)


def _where_best(performer: Tracks) -> PerformerChoice:
    """Choose whoever stands in the comp where the performer was most surely tracked."""
    index = int(performer.consistency.argmax())
    x, y, x1, y1 = map(float, performer.box[index])
    return PerformerChoice(pick=Pick.BOX, frame=index, x=x, y=y, x1=x1, y1=y1)
