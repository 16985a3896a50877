# SPDX-License-Identifier: GPL-3.0-or-later
"""What the character does in every frame of the shot: the performer's motion, brought to the character's body.

Everything that looks at neighbouring frames is computed here, from the whole shot, so that windows agree.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...contract.job import Fit
from ...performer.tracks import Presence, Tracks
from . import face
from .character import Points
from .handpose import hold_hands
from .raster import Floats
from .series import eased, held, smooth
from .skeleton import ARMS, HIPS, LEFT_EAR, LEGS, NOSE, RIGHT_EAR, SHOULDERS, figure_height

_SCORE_SIGMA_FRAMES = 2.0
_SCALE_SIGMA_FRAMES = 4.0
_ORDER_SIGMA_FRAMES = 3.0
_BELIEVED = (0.35, 0.65)
"""Scores between which a joint goes from the character's rest pose to the performer's."""
_BENT = 0.3
"""Sine of an elbow's bend from which it has a side."""
_EASY_RAD = ((ARMS, np.radians(40)), (LEGS, np.radians(15)))
"""How far from hanging down upper arms and thighs are held by one at ease."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """Where the character's parts go, `f` frames, in pixels of the frame.

    joints: `f 33 2`. scale: `f`, frame pixels per picture pixel across the limbs. facing: `f`, 1 seen from the front,
    -1 from behind. pivot: `f 2`, where the middle of the skull goes; head_scale, roll: `f`; tilt: `f 3 3`;
    expression: `f 468 2` in picture pixels; eyes_open: `f 2`, right and left, 0 to 1. hands: `f 2 21 3`, drawn where
    hand_modelled, `2`. arm_behind: `f 2`, an arm passes behind the trunk; bent_other_way: `f 2`, an elbow bends to the
    other side than in the picture; left_arm_front, left_leg_front: `f`. height: `f`, the performer's standing height.
    drawn: `f`.
    """

    joints: Floats
    scale: Floats
    facing: Floats
    pivot: Floats
    head_scale: Floats
    roll: Floats
    tilt: Floats
    expression: Floats
    eyes_open: Floats
    hands: Floats
    hand_modelled: NDArray[np.bool_]
    arm_behind: NDArray[np.bool_]
    bent_other_way: NDArray[np.bool_]
    left_arm_front: NDArray[np.bool_]
    left_leg_front: NDArray[np.bool_]
    height: Floats
    drawn: NDArray[np.bool_]


def perform(tracks: Tracks, points: Points, fit: Fit, feet: Floats | None = None, rest: Floats | None = None) -> Motion:
    """Bring a performer's tracks to a character's body and set it as the artist asks.

    feet: what heel and toe of the left and the right foot are to be moved by, `f 2 2 2` heights.
    rest: the character's joints, `33 2`, as what nobody sees of the performer is held; as in the picture, if not given.
    """
    belief = _belief(tracks.body_score)
    scale = body_scale(tracks, points)
    facing = facings(tracks, scale, points)
    height = scale * figure_height(points.joints)
    joints = _targets(tracks, points.joints if rest is None else rest, scale, belief, facing)
    if feet is not None:
        _set_down(joints, feet * height[:, None, None, None], belief)
    head = _head(tracks, points, scale, joints)
    hands = hold_hands(tracks, points, scale, joints, facing)
    order = _orders(tracks, scale, points)
    motion = Motion(
        joints=joints,
        scale=scale,
        facing=facing,
        pivot=head.pivot,
        head_scale=head.scale,
        roll=head.roll,
        tilt=head.tilt,
        expression=head.expression,
        eyes_open=head.eyes_open,
        hands=hands.points,
        hand_modelled=hands.modelled,
        bent_other_way=_bent_other_way(joints, points),
        arm_behind=order.arm_behind,
        left_arm_front=order.left_arm_front,
        left_leg_front=order.left_leg_front,
        height=height,
        drawn=tracks.presence != Presence.ABSENT,
    )
    return set_by(motion, fit)


def set_by(motion: Motion, fit: Fit) -> Motion:
    """Apply the artist's scale (about the ground under the figure), offsets and head size (about the neck)."""
    anchor = _ground(motion.joints)
    shift = motion.height[:, None] * np.array((fit.offset_x, fit.offset_y + fit.ground_offset), np.float32)

    def placed(points: Floats) -> Floats:
        extra = (1,) * (points.ndim - 2)
        moved = (points - anchor.reshape(-1, *extra, 2)) * fit.scale + (anchor + shift).reshape(-1, *extra, 2)
        return np.asarray(moved, np.float32)

    neck = motion.joints[:, list(SHOULDERS)].mean(1)
    pivot = neck + (motion.pivot - neck) * fit.head_size
    return replace(
        motion,
        joints=placed(motion.joints),
        hands=np.concatenate([placed(motion.hands[..., :2]), motion.hands[..., 2:] * np.float32(fit.scale)], -1),
        pivot=placed(pivot),
        scale=motion.scale * np.float32(fit.scale),
        head_scale=motion.head_scale * np.float32(fit.scale * fit.head_size),
    )


def enlarged(motion: Motion, times: int) -> Motion:
    """Give the same motion in frames of `times` the size."""

    def placed(points: Floats) -> Floats:
        return np.asarray((points + 0.5) * times - 0.5, np.float32)

    return replace(
        motion,
        joints=placed(motion.joints),
        pivot=placed(motion.pivot),
        hands=np.concatenate([placed(motion.hands[..., :2]), motion.hands[..., 2:] * times], -1),
        scale=motion.scale * times,
        head_scale=motion.head_scale * times,
        height=motion.height * times,
    )


def performer_height(tracks: Tracks, points: Points) -> Floats:
    """Standing height of a performer who is built like the character, `f` pixels."""
    return np.asarray(body_scale(tracks, points) * figure_height(points.joints), np.float32)


def body_scale(tracks: Tracks, points: Points) -> Floats:
    """Frame pixels per picture pixel, `f`: what trunk, shoulders, legs and face say, smoothed over the shot."""
    body, score = tracks.body[..., :2], tracks.body_score
    ratios, weights = [], []
    for pairs, weight in _MEASURES:
        own = sum(float(np.linalg.norm(points.joints[a] - points.joints[b])) for a, b in pairs)
        length = sum(np.linalg.norm(body[:, a] - body[:, b], axis=-1) for a, b in pairs)
        used = [joint for pair in pairs for joint in pair]
        known = min(float(points.joint_score[used].min()), 1.0) if weight.own else 1.0
        ratios.append(length / max(own, 1e-6))
        weights.append(weight.trust * np.clip(score[:, used].min(1) - 0.2, 0, 1) * np.clip(known - 0.2, 0, 1))
    poses = face.face_poses(points.face, tracks.face)
    ratios.append(poses.scale)
    weights.append(0.7 * tracks.face_score * points.face_score[0])
    logs = np.log(np.maximum(np.stack(ratios), 1e-4))
    trust = np.stack(weights) * (tracks.presence != Presence.ABSENT)
    # what is foreshortened looks small: lengths far below the longest count little
    longest = np.where(trust > 0.05, logs, -np.inf).max(0)
    trust = trust * np.exp(-np.clip((np.where(np.isfinite(longest), longest, 0) - logs - 0.15) / 0.2, 0, 20))
    total = smooth(trust.sum(0), _SCALE_SIGMA_FRAMES)
    mean = smooth((trust * logs).sum(0), _SCALE_SIGMA_FRAMES) / np.maximum(total, 1e-6)
    known_frames = total > 1e-3
    if not known_frames.any():
        return np.ones(len(tracks), np.float32)
    where = np.arange(len(tracks))
    return np.asarray(np.exp(np.interp(where, where[known_frames], mean[known_frames])), np.float32)


@dataclass(frozen=True, slots=True)
class _Measure:
    trust: float
    own: bool = True


_MEASURES = (
    (((11, 23), (12, 24)), _Measure(2.0)),
    (((11, 12),), _Measure(1.0)),
    (((23, 25), (25, 27)), _Measure(1.0)),
    (((24, 26), (26, 28)), _Measure(1.0)),
)


def facings(tracks: Tracks, scale: Floats, points: Points) -> Floats:
    """1 where the performer shows the front, -1 where the back, `f`; small shoulders keep the last clear side."""
    own = max(abs(float(points.joints[11, 0] - points.joints[12, 0])), 1e-6)
    span = smooth(tracks.body[:, 11, 0] - tracks.body[:, 12, 0], _ORDER_SIGMA_FRAMES) / (scale * own)
    span = np.where(smooth(tracks.face_score, _ORDER_SIGMA_FRAMES) > 0.6, np.maximum(span, 0.3), span)
    return np.where(held(span, 0.25), 1, -1).astype(np.float32)


def _belief(score: Floats) -> Floats:
    return eased(smooth(score, _SCORE_SIGMA_FRAMES), _BELIEVED)


def _targets(tracks: Tracks, own: Floats, scale: Floats, belief: Floats, facing: Floats) -> Floats:
    """Place the joints, `f 33 2`: the performer's where they are seen, else as the character's `own` lie, `33 2`."""
    body = tracks.body[..., :2]
    joints = body.copy()
    neck, own_neck = body[:, list(SHOULDERS)].mean(1), own[list(SHOULDERS)].mean(0)
    hips_seen = belief[:, list(HIPS)].min(1)[:, None]
    upright = np.repeat((own[list(HIPS)].mean(0) - own_neck)[None], len(body), 0)
    rest = neck + scale[:, None] * upright
    hips = body[:, list(HIPS)].mean(1)
    centre = rest + hips_seen * (hips - rest)
    lean = _turns(upright, centre - neck)

    def hung(step: Floats) -> Floats:
        """Carry a step of the picture's figure into each frame, leaning with the trunk."""
        mirrored = np.stack([step[0] * facing, np.full_like(facing, step[1])], -1)
        return scale[:, None] * _rotated(lean, mirrored)

    for hip in HIPS:
        rest = centre + hung(own[hip] - own[list(HIPS)].mean(0))
        joints[:, hip] = rest + hips_seen * (body[:, hip] - rest)
    for limb in ARMS + LEGS:
        steps = [*pairwise(limb.joints), *((limb.end, tip) for tip in limb.tips)]
        for before, joint in steps:
            rest = joints[:, before] + hung(own[joint] - own[before])
            seen = belief[:, limb.end if joint in limb.tips else joint][:, None]
            joints[:, joint] = rest + seen * (body[:, joint] - rest)
    return joints.astype(np.float32)


def at_ease(own: Floats) -> Floats:
    """Lower limbs that the picture shows raised, `33 2`: what nobody sees of a performer is not held out."""
    joints = own.copy()
    down = own[list(HIPS)].mean(0) - own[list(SHOULDERS)].mean(0)
    for limb, most in ((limb, most) for limbs, most in _EASY_RAD for limb in limbs):
        upper = own[limb.middle] - own[limb.root]
        raised = float(np.arctan2(down[0] * upper[1] - down[1] * upper[0], down @ upper))
        turn = np.clip(raised, -most, most) - raised
        c, s = np.cos(turn), np.sin(turn)
        outer = [limb.middle, limb.end, *limb.tips]
        joints[outer] = own[limb.root] + (own[outer] - own[limb.root]) @ np.array(((c, s), (-s, c)), np.float32)
    return joints


def _set_down(joints: Floats, shifts: Floats, belief: Floats) -> None:
    """Move the feet, in place, as far as they are the performer's, and the knees half as much. shifts: `f 2 2 2`."""
    for side, leg in enumerate(LEGS):
        shift = belief[:, leg.end, None, None] * shifts[:, side]
        joints[:, list(leg.tips)] += shift
        joints[:, leg.end] += shift.mean(1)
        joints[:, leg.middle] += shift.mean(1) / 2


def _bent_other_way(joints: Floats, points: Points) -> NDArray[np.bool_]:
    """Find where an arm bends the other way round than in the picture, `f 2`; a nearly straight one keeps its side."""
    found = []
    for arm in ARMS:
        own = _bend(points.joints[None, list(arm.joints)])[0]
        now = smooth(_bend(joints[:, list(arm.joints)]), _ORDER_SIGMA_FRAMES)
        found.append(held(-now * np.sign(own), _BENT) if abs(own) > _BENT else np.zeros(len(joints), bool))
    return np.stack(found, 1)


def _bend(chain: Floats) -> Floats:
    """Sine of the angle at the middle of `f 3 2`, positive where it turns clockwise on screen."""
    a, b = chain[:, 1] - chain[:, 0], chain[:, 2] - chain[:, 1]
    cross = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return np.asarray(cross / np.maximum(np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1), 1e-6), np.float32)


def _turns(of: Floats, to: Floats) -> Floats:
    """Find unit complex numbers that turn vectors `f 2` towards others, as `f 2` (cosine, sine)."""
    cosine = (of * to).sum(-1)
    sine = of[:, 0] * to[:, 1] - of[:, 1] * to[:, 0]
    length = np.maximum(np.hypot(cosine, sine), 1e-9)
    return np.stack([cosine / length, sine / length], -1)


def _rotated(turn: Floats, vectors: Floats) -> Floats:
    c, s = turn[:, 0], turn[:, 1]
    return np.stack([c * vectors[:, 0] - s * vectors[:, 1], s * vectors[:, 0] + c * vectors[:, 1]], -1)


def _ground(joints: Floats) -> Floats:
    """Find the point on the ground under the figure, `f 2`: between the feet, as low as the lower one."""
    feet = np.stack([joints[:, list(leg.tips)].mean(1) for leg in LEGS], 1)
    return np.stack([feet[..., 0].mean(1), feet[..., 1].max(1)], -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    pivot: Floats
    scale: Floats
    roll: Floats
    tilt: Floats
    expression: Floats
    eyes_open: Floats


def skull(points: Points) -> Floats:
    """Find the middle of the character's head: between the ears, at their depth. x, y, z in picture pixels."""
    return np.asarray(points.face[list(face.EARS)].mean(0), np.float32)


def _head(tracks: Tracks, points: Points, scale: Floats, joints: Floats) -> _Head:
    """Find the head's place, size, turn and expression; where no face is seen, ears and nose say what they can.

    Size and distance from the neck lie half way between the performer's and the character's own proportions.
    """
    poses = face.face_poses(points.face, tracks.face)
    seen = np.clip(smooth(tracks.face_score, _SCORE_SIGMA_FRAMES) * 2 - 0.5, 0, 1) * points.face_score[0]
    roll, yaw, pitch = face.angles(poses.rotation)
    turned = np.einsum("fij,j->fi", poses.rotation, skull(points))
    pivot = (poses.scale[:, None] * turned + poses.translation)[:, :2]
    guess_pivot, guess_roll, guess_yaw = _head_from_pose(tracks, points, scale)
    pivot = guess_pivot + seen[:, None] * (pivot - guess_pivot)
    roll = guess_roll + seen * (roll - guess_roll)
    yaw = guess_yaw + seen * (yaw - guess_yaw)
    size = np.exp(np.log(scale) + seen * (np.log(poses.scale) - np.log(scale)))
    own_scale = max(_typical(size / scale, seen), 1e-3)
    neck, own_neck = joints[:, list(SHOULDERS)].mean(1), points.joints[list(SHOULDERS)].mean(0)
    reach = pivot - neck
    own_reach = max(float(np.linalg.norm(skull(points)[:2] - own_neck)), 1e-6)
    own_length = max(_typical(np.linalg.norm(reach, axis=-1) / (scale * own_reach), seen), 1e-3)
    return _Head(
        pivot=neck + reach / np.sqrt(own_length).astype(np.float32),
        scale=np.asarray(smooth(size, 1.0) / np.sqrt(own_scale), np.float32),
        roll=roll.astype(np.float32),
        tilt=face.tilts(yaw, pitch * seen),
        expression=face.expressions(points.face, tracks.face, poses, seen),
        eyes_open=face.eyes_open(tracks.face, poses, seen),
    )


def _typical(ratio: Floats, seen: Floats) -> float:
    """Median over the frames that count; of all if none does."""
    known = seen > 0.5
    return float(np.median(ratio[known] if known.any() else ratio))


def _head_from_pose(tracks: Tracks, points: Points, scale: Floats) -> tuple[Floats, Floats, Floats]:
    """Skull, roll and yaw from the pose's ears and nose alone."""
    ears = tracks.body[:, [LEFT_EAR, RIGHT_EAR], :2]
    middle, nose = ears.mean(1), tracks.body[:, NOSE, :2]
    own_middle, own_nose = points.joints[[LEFT_EAR, RIGHT_EAR]].mean(0), points.joints[NOSE]
    pivot = middle + scale[:, None] * (skull(points)[:2] - own_middle)
    width = scale * max(float(np.linalg.norm(points.joints[LEFT_EAR] - points.joints[RIGHT_EAR])), 1e-6)
    aside = (nose[:, 0] - middle[:, 0]) / width - (own_nose[0] - own_middle[0]) * scale / width
    yaw = -np.arcsin(np.clip(aside, -0.7, 0.7))
    return pivot, np.zeros_like(scale), yaw


@dataclass(frozen=True, slots=True, kw_only=True)
class _Orders:
    arm_behind: NDArray[np.bool_]
    left_arm_front: NDArray[np.bool_]
    left_leg_front: NDArray[np.bool_]


def _orders(tracks: Tracks, scale: Floats, points: Points) -> _Orders:
    """Decide what hides what, from smoothed depths, held until the other order is clear."""
    unit = scale * max(float(np.linalg.norm(points.joints[11] - points.joints[12])), 1e-6)
    depth = smooth(tracks.body[..., 2], _ORDER_SIGMA_FRAMES) / unit[:, None]
    chest = depth[:, list(SHOULDERS + HIPS)].mean(1)
    behind = [held(0.5 * (depth[:, arm.middle] + depth[:, arm.end]) - chest - 0.45, 0.1) for arm in ARMS]
    wrists = [depth[:, arm.middle] + depth[:, arm.end] for arm in ARMS]
    knees = [depth[:, leg.middle] + depth[:, leg.end] for leg in LEGS]
    return _Orders(
        arm_behind=np.stack(behind, 1),
        left_arm_front=held(wrists[1] - wrists[0], 0.1),
        left_leg_front=held(knees[1] - knees[0], 0.1),
    )
