# SPDX-License-Identifier: GPL-3.0-or-later
"""What will not come out well, told before any frame is drawn."""

from __future__ import annotations

import numpy as np

from ...contract.watch import Watch
from ...performer.tracks import Presence, Tracks
from .character import Character, Points
from .motion import body_scale, facings
from .skeleton import ARMS, LEGS, SEEN

_FEW_FRAMES = 0.02
_SHOWN = 0.5
_ARM_PIXELS = 0.6


def warn_of_picture(character: Character, watch: Watch) -> None:
    """Tell what the character's picture lacks, whatever the shot."""
    points = character.points
    if missing := _missing_legs(points):
        watch.notice(
            "character_legs_cropped",
            f"The picture does not show the character's {missing}. They fade out below its border; "
            "use a full-figure picture for shots that show the performer's legs.",
        )
    if points.face_score[0] < SEEN:
        watch.notice(
            "character_face_unseen",
            "No face was found in the character's picture. The head follows the performer's but shows no expression; "
            "use a picture in which the face is seen.",
        )
    if points.joints[11, 0] < points.joints[12, 0]:
        watch.notice(
            "character_from_behind",
            "The character's picture shows its back. It is drawn as it is; use a picture from the front.",
        )
    for arm, share in zip(ARMS, arm_shares(character), strict=True):
        if share < _ARM_PIXELS:
            watch.notice(
                "character_arm_short_of_pixels",
                f"The picture shows {share:.0%} of the character's {arm.name.replace('_', ' ')}. Where the performer "
                "stretches that arm it stays short; use a picture with the arms beside the body.",
            )


def words_of(points: Points) -> tuple[str, ...]:
    """Word what was found in the picture, whether it is good for a shot or not."""
    missing = _missing_legs(points)
    hands = [side for side, score in zip(("left", "right"), points.hand_score, strict=True) if score >= SEEN]
    return (
        f"figure without {missing}" if missing else "whole figure",
        "face" if points.face_score[0] >= SEEN else "no face",
        {0: "no hands", 1: f"{''.join(hands)} hand", 2: "both hands"}[len(hands)],
        "a background of its own" if points.surroundings.any() else "cut out by its alpha",
    )


def warn_of_performer(character: Character, tracks: Tracks, watch: Watch) -> None:
    """Tell what this performer does that the character's picture can't show."""
    points = character.points
    there = tracks.presence != Presence.ABSENT
    if not there.any():
        return
    legs = tracks.body_score[:, [leg.middle for leg in LEGS]].max(1) > SEEN
    if (count := int((legs & there).sum())) > _FEW_FRAMES * len(tracks) and _missing_legs(points):
        watch.notice(
            "legs_needed",
            f"The performer's legs are seen in {count} of {len(tracks)} frames, but the character's picture is cropped "
            "above them: the figure fades out there. Use a full-figure picture.",
        )
    behind = (facings(tracks, body_scale(tracks, points), points) < 0) & there
    if behind.any():
        first, last = np.flatnonzero(behind)[[0, -1]]
        watch.notice(
            "back_view",
            f"The performer is seen from behind in {int(behind.sum())} frames ({first} to {last}, counted from "
            "the first). One picture has no back: the character's front is drawn there, its face hidden.",
        )
    for arm, share in zip(ARMS, arm_shares(character), strict=True):
        stretched = (tracks.body_score[:, arm.end] > _SHOWN) & there
        if share < _ARM_PIXELS and stretched.mean() > _FEW_FRAMES:
            watch.notice(
                "arm_short_of_pixels",
                f"The performer's {arm.name.replace('_', ' ')} is seen in {int(stretched.sum())} frames, of the "
                f"character's the picture shows {share:.0%}. It will look short or smeared there.",
            )


def arm_shares(character: Character) -> tuple[float, float]:
    """How much of each arm, from shoulder to wrist, lies on pixels of its layer, 0..1."""
    shares = []
    for arm, layer in zip(ARMS, character.layers[1:3], strict=True):
        root, middle, end = (character.points.joints[joint] for joint in arm.joints)
        steps = np.linspace(0, 1, 20)[:, None]
        path = np.concatenate([root + steps * (middle - root), middle + steps * (end - middle)])
        height, width = layer.picture.shape[:2]
        inside = (path[:, 0] >= 0) & (path[:, 1] >= 0) & (path[:, 0] <= width - 1) & (path[:, 1] <= height - 1)
        x, y = np.round(np.clip(path, 0, (width - 1, height - 1))).astype(int).T
        shares.append(float((inside & (layer.picture[y, x, 3] > _SHOWN)).mean()))
    return shares[0], shares[1]


def _missing_legs(points: Points) -> str:
    """Name what of the legs the picture lacks; nothing if it has both."""
    if points.joint_score[[leg.middle for leg in LEGS]].max() < SEEN:
        return "legs"
    if points.joint_score[[leg.end for leg in LEGS]].max() < SEEN:
        return "lower legs"
    return ""
