# SPDX-License-Identifier: GPL-3.0-or-later
"""Which frames of given tracks count, and for whom."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np

from backend.media.images import write_picture
from backend.media.sequence import Sequence, frame_name
from backend.performer.tracks import Presence, Tracks
from benchmarks.joints import kept_frames, sane_frames
from benchmarks.plate import pretended
from demo.truth import Truth

FRAMES = 12


def upright() -> Tracks:
    """Somebody who stands still at x 50: a round face above level shoulders."""
    angle = np.linspace(0, 2 * np.pi, 468)
    face = np.stack([50 + 20 * np.cos(angle), 50 + 20 * np.sin(angle), 0 * angle], axis=1)
    face[152] = (50, 70, 0)
    body = np.full((33, 3), 50.0)
    body[11:, 1] = 100
    ones = np.ones(FRAMES, np.float32)
    hand = np.zeros((FRAMES, 21, 3), np.float32)
    return Tracks(
        body=np.repeat(body[None].astype(np.float32), FRAMES, axis=0),
        body_score=np.ones((FRAMES, 33), np.float32),
        face=np.repeat(face[None].astype(np.float32), FRAMES, axis=0),
        face_score=ones,
        left_hand=hand,
        left_hand_score=ones,
        right_hand=hand,
        right_hand_score=ones,
        box=np.repeat(np.array([[30, 30, 70, 100]], np.float32), FRAMES, axis=0),
        presence=np.full(FRAMES, Presence.TRACKED, np.int8),
        consistency=ones,
    )


def test_absent_frames_and_long_gaps_are_not_sane() -> None:
    tracks = upright()
    tracks.presence[:2] = Presence.ABSENT
    tracks.presence[4:11] = Presence.BRIDGED
    assert sane_frames(tracks).tolist() == [False] * 2 + [True] * 2 + [False] * 7 + [True]
    tracks.presence[4] = Presence.TRACKED
    assert sane_frames(tracks)[2:].all()


def test_the_chosen_one_is_kept_while_the_trunk_is_nearer_to_him() -> None:
    joints = np.zeros((FRAMES, 2, 33, 2))
    joints[:, 0] = (50, 100)
    joints[:, 1, :, 0] = np.linspace(200, 60, FRAMES)[:, None]
    joints[:, 1, :, 1] = 100
    shot = cast(Truth, SimpleNamespace(joints=joints))
    assert kept_frames(upright(), shot, 0).all()
    assert not kept_frames(upright(), shot, 1).any()
    lost = replace(upright(), presence=np.full(FRAMES, Presence.ABSENT, np.int8))
    assert not kept_frames(lost, shot, 0).any()


def test_the_pretended_performer_crosses_the_picture(tmp_path: Path) -> None:
    matte = np.zeros((120, 200), np.uint8)
    matte[30:100, 30:71] = 255
    for index in range(FRAMES):
        write_picture(tmp_path / frame_name(index), matte)
    both = pretended(Sequence(tmp_path, FRAMES), upright(), 200, tmp_path / "pretended")
    middles = [np.flatnonzero(both.mattes[1][index].any(axis=0)).mean() for index in (3, 8)]
    at = both.tracks[1].box[[3, 8]]
    assert np.abs((at[:, 0] + at[:, 2]) / 2 - middles).max() <= 0.5
    assert middles[1] - middles[0] > 50
