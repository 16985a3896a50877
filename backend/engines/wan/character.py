# SPDX-License-Identifier: GPL-3.0-or-later
"""The character's picture as the model takes it, and its pose, from which a performer's is fitted to it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ...contract.watch import Watch
from ...media.images import Pixels, read_picture, write_picture
from ...performer.prepare import as_rgb8
from ...performer.still import NobodyInPictureError, Still, find_in_picture
from ...performer.tracks import Presence, Tracks
from .reference import RGB8

_PICTURE, _POSE = "picture.png", "pose.safetensors"
_SEEN = 0.5
_LONGEST_SIDE_PX = 1280
_ANKLES = (27, 28)


def prepare_character(picture: Path, mirror: bool, into: Path, watch: Watch) -> None:
    """Keep the picture, and the pose in it if somebody is found. Raises PictureUnreadableError."""
    rgb = shown(read_picture(picture), mirror)
    write_picture(into / _PICTURE, rgb)
    try:
        tracks_of_still(find_in_picture(rgb)).save(into / _POSE)
    except NobodyInPictureError:
        watch.notice(
            "character_pose_unseen",
            "Nobody was found in the character's picture. In animate mode the performer's proportions are kept; "
            "use a picture that shows the figure's face and shoulders.",
        )


def picture_of(character: Path) -> RGB8:
    """Give the kept picture, RGB `h w 3`."""
    return as_rgb8(read_picture(character / _PICTURE))


def pose_of(character: Path) -> Tracks | None:
    """Give the pose in the picture as tracks of one frame, None where nobody was found."""
    path = character / _POSE
    return Tracks.load(path) if path.exists() else None


def background_of(character: Path) -> RGB8:
    """Give the kept picture at the size that is delivered in animate mode."""
    picture = picture_of(character)
    scale = min(1.0, _LONGEST_SIDE_PX / max(picture.shape[:2]))
    width, height = (max(2, round(length * scale / 2) * 2) for length in picture.shape[1::-1])
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def framed_tracks(tracks: Tracks, shot: tuple[int, ...], picture: tuple[int, ...]) -> Tracks:
    """Bring tracks from the shot's frame into a picture that shows all of it, centred. Sizes: rows, columns."""
    scale = min(picture[0] / shot[0], picture[1] / shot[1])
    corner = [(wide - scale * narrow) / 2 for wide, narrow in zip(picture[1::-1], shot[1::-1], strict=True)]
    return tracks.placed(np.array(scale, np.float32), np.array(corner, np.float32))


def words_of(character: Path) -> tuple[str, ...]:
    """Word what was found in the picture."""
    pose = pose_of(character)
    if pose is None:
        return ("no figure",)
    has_feet = pose.body_score[0, list(_ANKLES)].min() >= _SEEN
    return ("whole figure" if has_feet else "part of a figure", "face" if pose.face_score[0] >= _SEEN else "no face")


def shown(picture: Pixels, mirror: bool) -> RGB8:
    """Bring a picture to 8-bit RGB; a cut-out stands on black, as what the model sees round a picture is black."""
    rgb = as_rgb8(picture)
    if picture.ndim == 3 and picture.shape[2] == 4:
        alpha = picture[..., 3:].astype(np.float32) / np.iinfo(picture.dtype).max
        rgb = np.asarray(rgb * alpha + 0.5, np.uint8)
    return np.asarray(cv2.flip(rgb, 1), np.uint8) if mirror else rgb


def tracks_of_still(still: Still) -> Tracks:
    """Write what was found in a single picture down as tracks of one frame."""

    def one(value: float) -> NDArray[np.float32]:
        return np.array([value], np.float32)

    return Tracks(
        body=still.body[None],
        body_score=still.body_score[None],
        face=still.face[None],
        face_score=one(still.face_score),
        left_hand=still.left_hand[None],
        left_hand_score=one(still.left_hand_score),
        right_hand=still.right_hand[None],
        right_hand_score=one(still.right_hand_score),
        box=still.box[None],
        presence=np.array([Presence.TRACKED], np.int8),
        consistency=one(still.consistency),
    )
