# SPDX-License-Identifier: GPL-3.0-or-later
"""The tracker against the rendered performer's truth, and against real footage where there is some."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from backend.contract.watch import Unwatched
from backend.media.clip import open_clip
from backend.media.sequence import Sequence, SequenceWriter
from backend.performer.find import find_people
from backend.performer.networks import networks_folder
from backend.performer.track import track_performer
from backend.performer.tracks import Presence, Tracks
from tests.footage import footage_named
from tests.rendered import rendered_performer

pytestmark = pytest.mark.skipif(not networks_folder().is_dir(), reason="the networks are not packed")

JOINTS = [0, *range(11, 17), *range(23, 29)]
"""Nose, shoulders to wrists, hips to ankles: where mediapipe and a skeleton mean the same."""


def tracked(frames: Sequence, into: Path) -> Tracks:
    people = find_people(frames, Unwatched())
    return track_performer(frames, people.persons[0], people, into, Unwatched())


def test_joints_lie_where_they_were_rendered(tmp_path: Path) -> None:
    truth = rendered_performer()
    tracks = tracked(Sequence(truth.beauty, len(truth)), tmp_path)
    errors = np.linalg.norm(tracks.body[:, JOINTS, :2] - truth.joints[:, 0][:, JOINTS], axis=2)
    seen = errors[truth.visible[:, 0][:, JOINTS]] / truth.height_px().mean()
    assert (tracks.presence == Presence.TRACKED).all()
    assert seen.mean() <= 0.025
    assert (seen < 0.05).mean() >= 0.97


@pytest.mark.long
def test_shoulders_stay_under_the_chin_of_a_boy_with_a_large_head(tmp_path: Path) -> None:
    """On `alley_boy.mp4` a tracker that trusts itself puts the shoulders on the hat for 56 frames."""
    clip = open_clip(footage_named("alley_boy.mp4"))
    with SequenceWriter(tmp_path / "frames") as writer:
        for index, frame in enumerate(clip.frames(0, 163, 8)):
            writer.write(index, frame)
    tracks = tracked(Sequence(tmp_path / "frames", 164), tmp_path)
    assert np.mean([_is_sane(tracks, frame) for frame in range(164)]) >= 0.98


def _is_sane(tracks: Tracks, frame: int) -> bool:
    face = np.ascontiguousarray(tracks.face[frame, :, :2])
    nose = tuple(map(float, tracks.body[frame, 0, :2]))
    under = bool(tracks.body[frame, [11, 12], 1].min() > face[:, 1].max())
    inside = cv2.pointPolygonTest(cv2.convexHull(face), nose, measureDist=False) >= 0
    return bool(tracks.presence[frame] and tracks.face_score[frame] > 0 and under and inside)
