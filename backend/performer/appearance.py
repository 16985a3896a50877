# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person wears, as numbers, to tell two people apart where they pass each other."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .detect import Body
from .points import LEFT_HIP, LEFT_SHOULDER, RIGHT_HIP, RIGHT_SHOULDER
from .window import Picture

Appearance = NDArray[np.float32]
"""`512`: histogram of the trunk in CIE Lab, 8 bins a channel, softened, square roots (so that products compare)."""

_BINS = 8
_TRUNK_PX = 32

TOLD_APART = 0.95
"""Likeness of the clothes of two people from which they tell nothing."""


def appearance(frame: Picture, body: Body, hidden: NDArray[np.bool_] | None = None) -> Appearance:
    """Describe the clothes on a body's trunk, light weighs less than colour.

    hidden: `h w`, what of the frame isn't to be looked at, unless that leaves nothing of the trunk.
    """
    trunk = _trunk(frame, body)
    if hidden is not None:
        seen = _trunk(hidden.view(np.uint8), body) == 0
        trunk = trunk[seen][:, None] if seen.any() else trunk
    lab = cv2.cvtColor(trunk, cv2.COLOR_RGB2LAB).reshape(-1, 3).astype(np.float32)
    # colours crowd in the middle of a and b; brightness is halved for a person walks from light into shade
    level = np.clip((lab - (64, 128, 128)) * (0.5, 1.5, 1.5) + (64, 128, 128), 0, 255)
    counts, _ = np.histogramdd(level, bins=_BINS, range=[(0, 256)] * 3)
    for axis in range(3):
        counts = 0.25 * _shifted(counts, 1, axis) + 0.5 * counts + 0.25 * _shifted(counts, -1, axis)
    return np.asarray(np.sqrt(counts.ravel() / counts.sum()), np.float32)


def share_hidden(body: Body, hidden: NDArray[np.bool_]) -> float:
    """Give the part of a body's trunk that lies where a frame is hidden, `h w`."""
    return float((_trunk(hidden.view(np.uint8), body) > 0).mean())


def likeness(a: Appearance, b: Appearance) -> float:
    """Compare two appearances: 1 for equal, 0 for nothing in common (Bhattacharyya's coefficient)."""
    return float(a @ b)


def leaning(looks: Appearance, own: Appearance, other: Appearance) -> float:
    """Say to whom clothes belong: -1 to the first, 1 to the other, 0 to either, and 0 where both wear the same."""
    alike = likeness(own, other)
    if alike > TOLD_APART:
        return 0.0
    return (likeness(looks, other) - likeness(looks, own)) / (1 - alike)


def typical(appearances: list[Appearance]) -> Appearance:
    """Average appearances of one person."""
    mean = np.mean(np.square(appearances), axis=0)
    return np.asarray(np.sqrt(mean / mean.sum()), np.float32)


def _trunk(frame: Picture, body: Body) -> Picture:
    """Sample the trunk, without its rim, on a grid between shoulders and hips; what is out of the frame is left out."""
    rim = np.array([frame.shape[1] - 1, frame.shape[0] - 1], np.float32)
    corners = np.clip(body.points[[LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, RIGHT_HIP], :2], 0, rim)
    across, down = np.meshgrid(*[np.linspace(0.2, 0.8, _TRUNK_PX, dtype=np.float32)] * 2)
    upper = corners[0] + across[..., None] * (corners[1] - corners[0])
    lower = corners[2] + across[..., None] * (corners[3] - corners[2])
    grid = upper + down[..., None] * (lower - upper)
    return np.asarray(cv2.remap(frame, grid[..., 0], grid[..., 1], cv2.INTER_LINEAR), np.uint8)


def _shifted(counts: NDArray[np.float64], by: int, axis: int) -> NDArray[np.float64]:
    """Shift without wrapping round: what leaves stays at the end."""
    moved = np.roll(counts, by, axis)
    edge = [slice(None)] * 3
    edge[axis] = slice(0, 1) if by > 0 else slice(-1, None)
    moved[tuple(edge)] = counts[tuple(edge)]
    return moved
