# SPDX-License-Identifier: GPL-3.0-or-later
"""Coverage from two segmentations that are painted here: who is near the performer's pose counts, and all of him."""

from __future__ import annotations

from unittest.mock import Mock

import cv2
import numpy as np
import pytest

from backend.performer import coverage
from backend.performer.coverage import bridged_coverage, near_body, performer_coverage
from backend.performer.detect import Body, Detector
from backend.performer.window import Box, Picture, Points, Window, box_round, square

HEAD, FEET, CURTAIN = (160, 60), (160, 300), (420, 60)


def painter() -> Mock:
    """A segmenter that calls all that is white a person."""
    detector = Mock(spec=Detector)
    detector.clear_window.side_effect = lambda frame, box: Window.cut(frame, box, 512)
    detector.person_mask.side_effect = lambda window: window.picture[..., 0]
    return detector


def performer() -> tuple[Picture, Points, Box]:
    """A pillar of a person and a curtain that looks like another; all joints on the pillar's middle."""
    frame = np.zeros((360, 480, 3), np.uint8)
    cv2.line(frame, HEAD, FEET, (255, 255, 255), 16)
    cv2.circle(frame, CURTAIN, 30, (255, 255, 255), -1)
    points = np.zeros((33, 3), np.float32)
    points[:, :2] = HEAD
    for joints, down_px in (
        ((11, 12), 40),
        ((13, 14), 80),
        (range(15, 25), 110),
        ((25, 26), 170),
        (range(27, 33), 240),
    ):
        points[list(joints), 1] += down_px
    points[1::2, 0] += 4
    points[2::2, 0] -= 4
    return frame, points, box_round(points)


def body_of(frame: Picture, points: Points, box: Box) -> Body:
    """What a pose network gives that covers the box and nothing else of the pillar."""
    window = Window.cut(frame, square(box, 1.5), 512)
    covered = np.zeros(frame.shape[:2], np.uint8)
    x0, y0, x1, y1 = box.astype(int)
    covered[y0:y1, x0:x1] = 255
    left, top, right, bottom = window.box.astype(int)
    return Body(points, np.ones(33, np.float32), covered[top:bottom, left:right], window)


def test_legs_below_the_box_are_the_performers_where_joints_are() -> None:
    frame, points, box = performer()
    short = box - np.array([0, 0, 0, 40], np.float32)
    covered = performer_coverage(painter(), frame, body_of(frame, points, short), short)
    assert covered[180, 160] > 250
    assert (covered[240:300, 160] > 100).all()
    assert covered[CURTAIN[1], CURTAIN[0]] == 0


def test_one_segmentation_is_enough_inside_a_leg_but_not_beside_it() -> None:
    frame, points, box = performer()
    body = body_of(frame, points, box + np.array([-20, 0, 20, 0], np.float32))
    covered = performer_coverage(painter(), np.zeros_like(frame), body, box)
    assert covered[260, 162] > 200
    assert 100 < covered[260, 140] < 150


def test_a_bridged_body_is_covered_round_its_bones_from_the_side_too() -> None:
    frame, points, box = performer()
    points[:, 0] = HEAD[0]
    covered = bridged_coverage(painter(), frame, points, box)
    assert (covered[120:300, 154:167] > 200).all()
    assert covered[CURTAIN[1], CURTAIN[0]] == 0


@pytest.mark.parametrize("scale", [0.3, 1.0, 2.5])
def test_a_body_is_drawn_as_softly_as_by_a_blur_of_the_whole_frame(
    scale: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame, points, _ = performer()
    points[[11, 23], 0] += 40
    drawn = near_body(scale * points, frame.shape[:2])
    monkeypatch.setattr(coverage, "_softened", lambda drawing, sigma_px: cv2.GaussianBlur(drawing, (0, 0), sigma_px))
    np.testing.assert_array_equal(drawn, near_body(scale * points, frame.shape[:2]))
    assert len(np.unique(drawn)) > 20
