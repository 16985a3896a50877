# SPDX-License-Identifier: GPL-3.0-or-later
"""Cloth that hangs over both legs, and capes behind them: it goes with the trunk, and the legs go on behind it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .raster import Floats
from .skeleton import LEGS, SEEN, SHOULDERS, Limb

_KNEES_APART = 0.35
"""Least distance of knees between which a covered place is cloth, widths of the shoulders."""
_COVERED, _THIN = 0.5, 0.06
_CORE, _BESIDE = 0.45, 0.75
"""Distances from a leg's bones, of its thickness, up to which it is surely leg, and from which it is rather not."""
_CALF = 0.6
"""Part of the shin below which its colour is taken for the leg's."""
_OTHER, _STRETCH = 20.0, 0.08
"""Difference in colour (CIE Lab, 8 bits) that makes a hem, and how much of the shin above it must differ."""
_INSTEP = 0.35
"""How far down from the ankle to the sole what lies beside a leg can be told from a shoe."""
_BINS, _RARE = 8, 0.004
"""A colour that makes less than this part of a leg's core is not the leg's."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Skirt:
    """Masks `h w`. cloth: what of the legs' parts is cloth; behind: cloth that the legs hide.

    below: what lies lower than the hem, where there is one. legs, `2 h w`: the legs up to the hips; hidden, `2 h w`:
    what of them the cloth hides.
    """

    cloth: Mask
    behind: Mask
    below: Mask
    legs: Mask
    hidden: Mask


def find_skirt(parts: Mask, trunk: Mask, near: Floats, picture: Floats, joints: Floats, score: Floats) -> Skirt:
    """Tell cloth from legs in the legs' parts, `2 h w`. near: distance from either leg's bones, `2 h w`, thicknesses.

    picture: straight RGBA `h w 4`. There is a skirt where legs hang and the place between their knees is covered,
    though these stand apart.
    """
    nothing = np.zeros(trunk.shape, np.bool_)
    if not _is_worn(picture[..., 3] > _COVERED, joints, score):
        return Skirt(cloth=nothing, behind=nothing, below=nothing, legs=parts, hidden=np.zeros_like(parts))
    rgb = (np.clip(picture[..., :3], 0, 1) * 255).astype(np.uint8)
    lab = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), np.uint8)
    rows = np.arange(len(trunk))[:, None]
    cloth, own, hidden = np.zeros_like(parts), parts.copy(), np.zeros_like(parts)
    behind = nothing
    hems = [_hem(lab, parts[side] & (near[side] < _CORE), joints, leg) for side, leg in enumerate(LEGS)]
    for side, (leg, hem) in enumerate(zip(LEGS, hems, strict=True)):
        above = parts[side] & (rows < hem)
        cloth[side] = above | (parts[side] & _beside(lab, near, side, hem, joints))
        hidden[side] = above & (near[side] < _BESIDE)
        own[side] = _whole(parts[side] & ~cloth[side] | hidden[side], joints)
        behind = behind | (parts[side] & ~cloth[side] & (rows < joints[leg.end, 1]))
    knees = joints[[leg.middle for leg in LEGS]]
    order = np.argsort(knees[:, 0])
    line = np.interp(np.arange(trunk.shape[1]), knees[order, 0], np.array(hems)[order])
    below = rows >= line if min(hem - knee for hem, knee in zip(hems, knees[:, 1], strict=True)) > 1 else nothing
    hung = trunk | cloth.any(0)
    between = np.maximum.accumulate(hung, 1) & np.maximum.accumulate(hung[:, ::-1], 1)[:, ::-1]
    return Skirt(cloth=np.asarray(cloth.any(0)), behind=behind & between & below, below=below, legs=own, hidden=hidden)


def _whole(leg: Mask, joints: Floats) -> Mask:
    """Take off what is thin: threads of a cape along the leg."""
    radius = max(1, round(_THIN * float(np.linalg.norm(joints[SHOULDERS[0]] - joints[SHOULDERS[1]]))))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return np.asarray(cv2.morphologyEx(leg.astype(np.uint8), cv2.MORPH_OPEN, disc) > 0)


def _is_worn(covered: Mask, joints: Floats, score: Floats) -> bool:
    knees = joints[[leg.middle for leg in LEGS]]
    unit = max(float(np.linalg.norm(joints[SHOULDERS[0]] - joints[SHOULDERS[1]])), 1e-3)
    x, y = np.clip(np.round(knees.mean(0)).astype(int), 0, (covered.shape[1] - 1, covered.shape[0] - 1))
    is_seen = score[[leg.middle for leg in LEGS]].min() >= SEEN
    return bool(
        is_seen
        and all(_hangs(joints, leg) for leg in LEGS)
        and np.linalg.norm(knees[0] - knees[1]) / unit >= _KNEES_APART
        and covered[y, x]
    )


def _hangs(joints: Floats, leg: Limb) -> bool:
    """Say whether thigh and shin go down rather than aside: hems are looked for in rows."""
    aside, down = np.diff(joints[list(leg.joints)], axis=0).T
    return bool((down > np.abs(aside)).all())


def _hem(lab: NDArray[np.uint8], core: Mask, joints: Floats, leg: Limb) -> float:
    """Find the row where the leg comes out of the cloth: its colour changes for good above. The knee, if none does."""
    knee, ankle = (round(float(joints[joint, 1])) for joint in (leg.middle, leg.end))
    rows = np.arange(max(knee, 0), min(ankle, len(core)))
    counts = core[rows].sum(1)
    if len(rows) < 8 or counts.min() == 0:
        return knee
    tones = (lab[rows] * core[rows][..., None]).sum(1) / counts[:, None]
    calf = np.median(tones[int(_CALF * len(rows)) :], axis=0)
    is_other = np.linalg.norm(tones - calf, axis=1) > _OTHER
    stretch = max(2, round(_STRETCH * len(rows)))
    runs = np.convolve(is_other, np.ones(stretch), "full")[: len(rows)] == stretch
    ends = np.flatnonzero(runs)
    return float(rows[ends[-1]] + 1) if len(ends) else knee


def _beside(lab: NDArray[np.uint8], near: Floats, side: int, hem: float, joints: Floats) -> Mask:
    """Find what lies beside a leg below the hem and has not its colours: a cape behind it."""
    rows, leg = np.arange(len(lab))[:, None], LEGS[side]
    core = (near[side] < _CORE) & (rows >= hem) & (rows < joints[leg.end, 1])
    below = (rows >= hem) & (
        rows < joints[leg.end, 1] + _INSTEP * (joints[list(leg.tips), 1].max() - joints[leg.end, 1])
    )
    if not core.any():
        return np.asarray((near.min(0) > _BESIDE) & below)
    levels = lab // (256 // _BINS)
    counts = cv2.calcHist([levels], [0, 1, 2], core.astype(np.uint8), [_BINS] * 3, [0, _BINS] * 3)
    share = np.asarray(counts)[tuple(np.moveaxis(levels, -1, 0))] / float(core.sum())
    alien = cv2.GaussianBlur((share < _RARE).astype(np.float32), (0, 0), 1.5) > 0.5
    return np.asarray(((near.min(0) > _BESIDE) | (alien & (near[side] > _CORE))) & below)
