# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames shown as the ground's picture has them: what is compared there stands still."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .geometry import is_set_at, project, read_at, scaling
from .samples import Shift, View, Witnesses

_SHOWN_HEIGHT_PX = 360


def small_size(place: View) -> tuple[int, int]:
    """Tell the size in which a ground's picture is compared with frames."""
    width, height = place.size
    factor = min(1.0, _SHOWN_HEIGHT_PX / height)
    return max(16, round(width * factor)), max(16, round(height * factor))


def stabilised(
    witnesses: Witnesses, place: View, index: int, shift: Shift | None = None
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Show a frame in the ground's picture, small: its colours 0..255 in the picture's exposure, and where it is seen.

    Without a shift only the camera's plane stands still.
    """
    size = small_size(place)
    columns, rows = np.meshgrid(np.arange(size[0], dtype=np.float32), np.arange(size[1], dtype=np.float32))
    from_small = np.linalg.inv(scaling(size[0] / place.size[0], size[1] / place.size[1]))
    places = project(np.stack([columns.ravel(), rows.ravel()], 1), from_small)
    places = places if shift is None else shift.moved(index, places)
    places = project(places, np.linalg.inv(witnesses.camera.to_ground[index]) @ place.to_ground)
    frame, free = witnesses.picture(index)
    seen = is_set_at(free, places).reshape(size[1], size[0])
    gain = place.gain / witnesses.camera.gain[index] * np.float32(255 / witnesses.white)
    return read_at(_prefiltered(frame, place, size), places, cv2.INTER_LINEAR).reshape(size[1], size[0], 3) * gain, seen


def _prefiltered(frame: NDArray[Any], place: View, size: tuple[int, int]) -> NDArray[Any]:
    """Blur a frame that is shown at a smaller size, so that fine patterns do not alias."""
    shrink = float(np.sqrt(abs(np.linalg.det(place.to_ground[:2, :2])))) * place.size[1] / size[1]
    return frame if shrink <= 1.1 else np.asarray(cv2.GaussianBlur(frame, (0, 0), 0.5 * float(np.sqrt(shrink**2 - 1))))


def grey_of(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Make a picture of 0..255 grey, 8 bit."""
    grey = cv2.cvtColor(np.clip(image, 0, 255).astype(np.uint8), cv2.COLOR_RGB2GRAY)
    return np.asarray(grey, np.uint8)
