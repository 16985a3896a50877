# SPDX-License-Identifier: GPL-3.0-or-later
"""The camera against the one that filmed the shot."""

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.contract.watch import Unwatched
from backend.plate.camera import CameraKind, follow_camera

from .shots import HEIGHT, WIDTH, known_shot, panning, still

CORNERS = np.array([[[0, 0], [WIDTH - 1, 0], [WIDTH - 1, HEIGHT - 1], [0, HEIGHT - 1]]], np.float64)


def moved(corners: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(cv2.perspectiveTransform(corners, matrix), np.float64)


def test_a_pan_is_followed_to_a_quarter_of_a_pixel() -> None:
    shot = known_shot(18)
    camera = follow_camera(shot.frames, shot.mattes, Unwatched())
    assert camera.kind is CameraKind.MOVING
    for found, to_set in zip(camera.to_ground, shot.to_set, strict=True):
        true = moved(CORNERS, np.linalg.inv(shot.to_set[0]) @ to_set)
        assert np.linalg.norm(moved(CORNERS, found) - true, axis=-1).max() < 0.25


def test_a_tripod_is_exactly_still_while_the_performer_walks() -> None:
    shot = known_shot(18, look=still)
    camera = follow_camera(shot.frames, shot.mattes, Unwatched())
    assert camera.kind is CameraKind.LOCKED_OFF
    assert (camera.to_ground == np.eye(3)).all()
    assert (camera.gain == 1).all()


def test_a_tripod_in_noise_is_still() -> None:
    shot = known_shot(12, look=still)
    noise = np.random.default_rng(1)
    noisy = [np.clip(frame + noise.normal(0, 6, frame.shape), 0, 255).astype(np.uint8) for frame in shot.frames]
    assert follow_camera(noisy, shot.mattes, Unwatched()).kind is CameraKind.LOCKED_OFF


def test_exposure_is_measured_from_the_set() -> None:
    shot = known_shot(12, look=panning, gain=lambda index: 1 - 0.03 * index)
    gain = follow_camera(shot.frames, shot.mattes, Unwatched()).gain
    assert np.abs(gain.mean(1) - (1 - 0.03 * np.arange(12))).max() < 0.02


def test_frames_that_share_nothing_are_different_segments() -> None:
    one, other = known_shot(4), known_shot(4)
    upset = [cv2.flip(frame, 0)[:, ::-1].copy() for frame in other.frames]
    mattes = one.mattes + [np.zeros_like(matte) for matte in other.mattes]
    camera = follow_camera(one.frames + upset, mattes, Unwatched())
    assert camera.segment.tolist() == [0] * 4 + [1] * 4
