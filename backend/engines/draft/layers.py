# SPDX-License-Identifier: GPL-3.0-or-later
"""The character's picture taken apart: trunk with head, arms and legs, each whole behind what covers it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .cutout import without_pinholes
from .raster import Floats
from .series import eased
from .skeleton import ARMS, HIPS, LEGS, SEEN, SHOULDERS, Limb
from .skirts import find_skirt

_WORK_SIDE_PX = 480
_ARM_RADIUS, _LEG_RADIUS, _TRUNK_RADIUS = 0.2, 0.3, 0.22
"""Thickness of the parts in widths of the shoulders: in these units a pixel is nearer to one part than another."""
_CORE = 0.4
_JOINT = 0.75
_COLOUR_BINS, _RARE, _OFF_THE_ARM = 8, 0.004, 0.75
"""A colour that makes less than this part of an arm's core is not the arm's, so far off its bones."""
_THIN, _CUFF = 0.06, 0.05
"""Half width of what is too thin to be trunk; how far round an arm its edge spoils the trunk's colour. Shoulders."""
_SHOULDER = (0.3, 0.45)
"""Distances from a shoulder over which an arm comes to lie before the trunk, widths of the shoulders."""
_TOOTH = 0.09
"""Width of the pieces that a sleeve's torn edge sheds, shoulders."""
_CHEST = 0.15
"""How far below the shoulders what the trunk sheds along an arm is the arm's: sleeves, pads. Shoulders."""
_SPECK = 0.1
"""Side of the largest hole in the trunk that no limb covers, shoulders."""
_ROUND_PX, _SEAM = 1.5, (0.2, 0.6)
_COVERED = 0.5
_REACHES, _AFAR = ((0.06, 1.0), (0.3, 0.03), (0.9, 0.003)), 1e-5
"""How far colour flows under what covered it, shoulders, and the share of each reach."""
_CLEARLY = 1.6
_NOWHERE = 1e6

Labels = NDArray[np.int32]
_BACKGROUND, _TRUNK, _FIRST_LIMB = 1, 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A part of the character. picture: straight RGBA `h w 4` float32 0..1, as large as the character's picture."""

    name: str
    picture: Floats


def take_apart(
    colour: Floats, alpha: Floats, joints: Floats, score: Floats, hands: tuple[Floats, Floats]
) -> tuple[Layer, ...]:
    """Split into "trunk" (with the head), "left_arm", "right_arm", "left_leg", "right_leg", and "cape" behind the legs.

    colour: `h w 3` 0..1, straight; alpha: `h w`; joints: `33 2`; score: `33`, a limb whose
    middle joint is unseen stays with the trunk; hands: tips of left and right, `n 2`. What the arms hide of the trunk
    is painted in.
    """
    scale = min(1.0, _WORK_SIDE_PX / max(alpha.shape))
    size = (max(1, round(alpha.shape[1] * scale)), max(1, round(alpha.shape[0] * scale)))
    small_alpha = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    small_colour = cv2.resize(colour, size, interpolation=cv2.INTER_AREA)
    near = _nearness(joints * scale, tuple(hand * scale for hand in hands), small_alpha.shape)
    for place, limb in enumerate(ARMS + LEGS, start=1):
        if score[limb.middle] < SEEN:
            near[place] = np.full_like(near[place], _NOWHERE)
    labels = _labels(small_colour, small_alpha, near)
    for arm in range(2):
        _give_back(labels, small_colour, near, arm)
    for part in range(_FIRST_LIMB, _FIRST_LIMB + 4):
        labels[(labels == part) & ~_largest(labels == part)] = 0
    parts = np.stack([labels == _FIRST_LIMB + 2 + i for i in range(2)])
    small = np.dstack([small_colour, small_alpha])
    skirt = find_skirt(parts, labels == _TRUNK, np.stack(near[3:]), small, joints * scale, score)
    unit = float(np.linalg.norm(joints[SHOULDERS[0]] - joints[SHOULDERS[1]]))
    tooth = max(3, round(_TOOTH * unit * scale)) | 1
    under = np.isin(labels, (_FIRST_LIMB, _FIRST_LIMB + 1)) & (near[0] < 1.0)
    neck = joints[list(SHOULDERS)].mean(0)
    whole = ((labels == _TRUNK) | under | skirt.cloth | skirt.behind) & (small_alpha > _COVERED)
    # specks that belong to no limb leave holes
    whole = without_pinholes(whole.astype(np.float32), (_SPECK * unit * scale) ** 2) > 0.5
    high = np.arange(len(whole))[:, None] < (neck[1] + _CHEST * unit) * scale
    # arms that nobody sees are nowhere: then all that is high stays with the trunk
    hair = high & (near[0] < np.minimum(near[1], near[2]))
    trunk_mask = _connected(whole, neck * scale, unit * scale, hair) | (whole & hair)
    arms = []
    for i, limb in enumerate(ARMS):
        sleeve = _sleeve(labels == _FIRST_LIMB + i, joints * scale, limb, tooth)
        shed = whole & ~trunk_mask & high & (near[1 + i] <= near[2 - i])
        arms.append(_soft(sleeve | shed | _upper_arm(joints * scale, score, limb, small_alpha), alpha))
    trunk_mask |= (cv2.dilate(trunk_mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0) & (small_alpha <= _COVERED)
    cloth = _Cloth(unit, neck[1])
    covered = np.maximum(*(arm * _beyond(joints[limb.root], unit, alpha) for arm, limb in zip(arms, ARMS, strict=True)))
    picture = _painted_in(colour, _soft(trunk_mask, alpha), covered, cloth)
    if skirt.behind.any():
        hem = float(np.flatnonzero(skirt.behind.any(1))[0]) / scale + _CUFF * unit
        picture = _painted_in(picture[..., :3], picture[..., 3], _soft(skirt.behind, alpha), _Cloth(unit, hem))
    trunk, cape = _parted(picture, skirt.below)
    pictures = [np.dstack([colour, arm]) for arm in arms]
    for leg, hidden in zip(skirt.legs, skirt.hidden, strict=True):
        pictures.append(_painted_in(colour, _soft(leg, alpha), _soft(hidden, alpha), cloth))
    limbs = [Layer(name=limb.name, picture=picture) for limb, picture in zip(ARMS + LEGS, pictures, strict=True)]
    return (trunk, *limbs, cape)


def _parted(trunk: Floats, below: NDArray[np.bool_]) -> tuple[Layer, Layer]:
    """Part the trunk's picture at the hem: what hangs lower, a cape, is behind the legs."""
    soft = cv2.GaussianBlur(below.astype(np.float32), (0, 0), _ROUND_PX)
    share = cv2.resize(soft, trunk.shape[1::-1], interpolation=cv2.INTER_LINEAR)[..., None]
    upper, lower = (np.clip(2 * part, 0, 1) for part in (1 - share, share))
    return tuple(  # type: ignore[return-value]
        Layer(name=name, picture=np.dstack([trunk[..., :3], trunk[..., 3:] * part]))
        for name, part in (("trunk", upper), ("cape", lower))
    )


def distance_to_segment(points: Floats, a: Floats, b: Floats) -> Floats:
    """Distance of `... 2` points to the segment from a to b."""
    along = b - a
    t = np.clip(((points - a) @ along) / max(float(along @ along), 1e-6), 0, 1)
    return np.asarray(np.linalg.norm(points - (a + t[..., None] * along), axis=-1), np.float32)


def _nearness(joints: Floats, hands: tuple[Floats, ...], shape: tuple[int, ...]) -> list[Floats]:
    """Distance of each pixel to trunk, left arm, right arm, left leg, right leg, in units of their thickness."""
    height, width = shape
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(np.float32)
    unit = max(float(np.linalg.norm(joints[SHOULDERS[0]] - joints[SHOULDERS[1]])), 4.0)
    left, right = joints[SHOULDERS[0]], joints[SHOULDERS[1]]
    hip_left, hip_right = joints[HIPS[0]], joints[HIPS[1]]
    corners = np.array([0.9 * right + 0.1 * left, 0.9 * left + 0.1 * right, hip_left, hip_right])
    blank = np.ones((height, width), np.uint8)
    cv2.fillConvexPoly(blank, np.round(corners).astype(np.int32), 0)
    trunk = cv2.distanceTransform(blank, cv2.DIST_L2, 5) / (_TRUNK_RADIUS * unit)
    neck = (left + right) / 2
    head = distance_to_segment(grid, joints[[7, 8]].mean(0), neck) / (_TRUNK_RADIUS * unit)
    above = np.clip((neck[1] - grid[..., 1]) / (0.1 * unit), 0, 1)
    head = np.where(
        above > 0, np.minimum(head, distance_to_segment(grid, joints[0], neck) / (_TRUNK_RADIUS * unit)), head
    )
    found = [np.minimum(trunk, head)]
    for arm, tips in zip(ARMS, hands, strict=True):
        found.append(_limb_distance(grid, joints, arm, tips) / (_ARM_RADIUS * unit))
    found += [_limb_distance(grid, joints, leg, joints[list(leg.tips)]) / (_LEG_RADIUS * unit) for leg in LEGS]
    return [np.asarray(part, np.float32) for part in found]


def _give_back(labels: Labels, colour: Floats, near: list[Floats], arm: int) -> None:
    """Return to trunk and legs, in place, what lies off an arm's bones and has not its colours: a cape behind it."""
    core = (near[1 + arm] < _CORE) & (labels == _FIRST_LIMB + arm)
    if not core.any():
        return
    levels = (np.clip(colour, 0, 0.999) * _COLOUR_BINS).astype(np.uint8)
    ranges = [value for _ in range(3) for value in (0, _COLOUR_BINS)]
    counts = cv2.calcHist([levels], [0, 1, 2], core.astype(np.uint8), [_COLOUR_BINS] * 3, ranges)
    share = np.asarray(counts)[tuple(levels[..., c] for c in range(3))] / max(float(core.sum()), 1.0)
    alien = cv2.GaussianBlur((share < _RARE).astype(np.float32), (0, 0), 1.5) > 0.5
    others = np.stack([near[0], np.full_like(near[0], _NOWHERE), np.full_like(near[0], _NOWHERE), near[3], near[4]])
    mine = (labels == _FIRST_LIMB + arm) & (near[1 + arm] > _OFF_THE_ARM) & alien
    # thin lines of odd colour are the arm's own outline
    mine = cv2.morphologyEx(mine.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)) > 0
    labels[mine] = (_TRUNK + others.argmin(0))[mine]


def _sleeve(mine: NDArray[np.bool_], joints: Floats, arm: Limb, tooth_px: int) -> NDArray[np.bool_]:
    """Give an arm an even edge up to the wrist: fingers are as thin as teeth."""
    elbow, wrist = joints[arm.middle], joints[arm.end]
    y, x = np.mgrid[: mine.shape[0], : mine.shape[1]]
    is_hand = (x - wrist[0]) * (wrist[0] - elbow[0]) + (y - wrist[1]) * (wrist[1] - elbow[1]) > 0
    return _largest(mine & (is_hand | _evened(mine, tooth_px)))


def _upper_arm(joints: Floats, score: Floats, arm: Limb, alpha: Floats) -> NDArray[np.bool_]:
    """Give the arm its full thickness up to the shoulder, where the trunk's edge runs across it, to turn in."""
    if score[arm.middle] < SEEN:
        return np.zeros(alpha.shape, bool)
    grid = np.stack(np.meshgrid(np.arange(alpha.shape[1]), np.arange(alpha.shape[0])), -1).astype(np.float32)
    unit = float(np.linalg.norm(joints[SHOULDERS[0]] - joints[SHOULDERS[1]]))
    near = distance_to_segment(grid, joints[arm.root], joints[arm.middle]) < _JOINT * _ARM_RADIUS * unit
    return np.asarray(near & (alpha > 0))


def _beyond(shoulder: Floats, unit: float, alpha: Floats) -> Floats:
    """Rise from 0 round a shoulder to 1, `h w`: there arm and trunk are one surface, and neither covers the other."""
    rows, columns = np.ogrid[: alpha.shape[0], : alpha.shape[1]]
    away = np.hypot(columns - shoulder[0], rows - shoulder[1]) / max(unit, 1e-3)
    return eased(away, _SHOULDER)


def _limb_distance(grid: Floats, joints: Floats, limb: Limb, tips: Floats) -> Floats:
    root, middle, end = (joints[joint] for joint in limb.joints)
    pieces = [(root, middle), (middle, end), *((end, tip) for tip in tips)]
    return np.asarray(np.min([distance_to_segment(grid, a, b) for a, b in pieces], axis=0), np.float32)


def _labels(colour: Floats, alpha: Floats, near: list[Floats]) -> Labels:
    """Name each pixel's part: clear cases by distance, the rest by flooding up to the picture's own edges.

    Meyer 1992 (watershed).
    """
    order = np.argsort(np.stack(near), axis=0, kind="stable")
    ranked = np.take_along_axis(np.stack(near), order, 0)
    nearest, best, second = order[0], ranked[0], ranked[1]
    seeds = np.zeros(alpha.shape, np.int32)
    clear = (best < _CORE) & (second > _CLEARLY * best + 0.25)
    seeds[clear] = nearest[clear] + _TRUNK
    for arm in (1, 2):
        seeds[(near[arm] < 0.3) & (near[arm] < near[3 - arm])] = _TRUNK + arm
    # far from every other part the nearest one holds: a wide sleeve, a hat
    alone = (second > 1.3 + best) & (alpha > 0.5)
    seeds[alone] = nearest[alone] + _TRUNK
    seeds[alpha < 0.05] = _BACKGROUND
    picture = cv2.GaussianBlur((np.clip(colour, 0, 1) * 255).astype(np.uint8), (0, 0), 1.0)
    flooded = cv2.watershed(np.ascontiguousarray(picture), seeds.copy())
    border = flooded <= _BACKGROUND
    flooded[border] = (nearest + _TRUNK)[border]
    return np.asarray(cv2.medianBlur(flooded.astype(np.uint8), 5), np.int32)


def _soft(mask: NDArray[np.bool_], alpha: Floats) -> Floats:
    """Bring a small mask to the picture's size, its steps rounded off, with a soft rim, inside the matte."""
    rounded = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), _ROUND_PX)
    large = cv2.resize(rounded, alpha.shape[::-1], interpolation=cv2.INTER_CUBIC)
    # a seam lies a little outside its mask: neighbours overlap there and no gap opens between them
    soft = np.clip((large - _SEAM[0]) / (_SEAM[1] - _SEAM[0]), 0, 1)
    return np.asarray(soft * soft * (3 - 2 * soft) * alpha, np.float32)


def _evened(mask: NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
    """Take off what is thinner than `width` pixels, and fill such notches: a sleeve has no teeth."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    room = np.pad(mask.astype(np.uint8), width)
    even = cv2.morphologyEx(cv2.morphologyEx(room, cv2.MORPH_CLOSE, disc), cv2.MORPH_OPEN, disc)
    return np.asarray(even[width:-width, width:-width] > 0)


def _largest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep the largest piece: specks along the seams belong to nobody."""
    count, pieces = cv2.connectedComponents(mask.astype(np.uint8))
    if count < 3:
        return mask
    return np.asarray(pieces == 1 + int(np.argmax(np.bincount(pieces.ravel())[1:])))


def _connected(mask: NDArray[np.bool_], neck: Floats, unit: float, hair: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep what hangs together with the chest; but for hair, drop what is thin: outlines left along an arm."""
    width = 2 * round(_THIN * unit) + 1
    thick = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((width, width), np.uint8))
    grown = cv2.dilate(thick, np.ones((3, 3), np.uint8)).astype(bool) & mask
    count, pieces = cv2.connectedComponents(np.where(hair, mask, grown).astype(np.uint8))
    if count < 2:
        return mask
    row, column = np.nonzero(pieces)
    nearest = np.argmin((column - neck[0]) ** 2 + (row - neck[1]) ** 2)
    return np.asarray(pieces == pieces[row[nearest], column[nearest]])


@dataclass(frozen=True, slots=True)
class _Cloth:
    """Where the trunk's cloth is: width of the shoulders, and the row above which there is hair and skin. Pixels."""

    unit: float
    neck_row: float


def _painted_in(colour: Floats, alpha: Floats, covered: Floats, cloth: _Cloth) -> Floats:
    """Continue the trunk's colour smoothly under what covered it, at a third of the size.

    A rim of either is not trusted, as light catches it, nor is the head.
    """
    size = (max(1, colour.shape[1] // 3), max(1, colour.shape[0] // 3))
    small, trunk, hidden = (cv2.resize(part, size, interpolation=cv2.INTER_AREA) for part in (colour, alpha, covered))
    room = 2 * round(_CUFF * cloth.unit / 3) + 3
    unknown = (hidden > 0.03) | (trunk < 0.9)
    unknown[: max(0, int(cloth.neck_row / 3))] = True
    trusted = cv2.dilate(unknown.astype(np.uint8), np.ones((room, room), np.uint8)) == 0
    # a thin leg of a small picture has nothing but rim
    trusted = (trusted if trusted.any() else ~unknown).astype(np.float32)
    if not trusted.any():
        return np.dstack([colour, alpha])
    filled = cv2.resize(_smoothly_continued(small, trusted, cloth.unit / 3), colour.shape[1::-1])
    # only what lay under a limb is invented; the trunk's own rim keeps its clean colour
    share = cv2.GaussianBlur(cv2.dilate(covered, np.ones((room, room), np.uint8)), (0, 0), 2)[..., None]
    share = np.clip(share * 1.6, 0, 1)
    return np.dstack([colour * (1 - share) + filled * share, alpha]).astype(np.float32)


def _smoothly_continued(colour: Floats, trusted: Floats, unit_px: float) -> Floats:
    """Let trusted colour (`h w 3`; `h w`, 0 or 1) flow everywhere: from near by where some is, else from afar."""
    total, weight = np.zeros_like(colour), np.zeros_like(trusted)
    for reach, share in _REACHES:
        sigma = max(1.0, reach * unit_px)
        total += share * cv2.GaussianBlur(colour * trusted[..., None], (0, 0), sigma)
        weight += share * cv2.GaussianBlur(trusted, (0, 0), sigma)
    average = (colour * trusted[..., None]).sum((0, 1)) / trusted.sum()
    return np.asarray((total + _AFAR * average) / (weight + _AFAR)[..., None], np.float32)
