# SPDX-License-Identifier: GPL-3.0-or-later
"""A small delivery as the worker would write it: a bright disc with a soft edge in the place of a dark one."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.media.comp import change_matte_of, comp_over

Picture = NDArray[np.uint8]


def write_delivery(folder: Path, sources: list[Picture], version: int = 1, first_number: int = 1001) -> list[Picture]:
    """Write all passes of `shot` over source frames (RGB), and return the change mattes."""
    mattes = []
    for index, source in enumerate(sources):
        layers = _layers(source, index + version)
        for name, picture in layers.items():
            path = folder / f"shot_v{version:03d}" / name / f"shot_v{version:03d}_{name}.{first_number + index:04d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            order = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}.get(picture.shape[2] if picture.ndim == 3 else 1)
            cv2.imwrite(str(path), picture if order is None else cv2.cvtColor(picture, order))
        mattes.append(layers["change_matte"])
    return mattes


def _layers(source: Picture, index: int) -> dict[str, Picture]:
    height, width = source.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    away = np.hypot(x - width / 3 - index, y - height / 2)
    hole = np.where(away < height / 4, 255, 0).astype(np.uint8)
    matte = np.clip(255 * (height / 5 - away) / 4, 0, 255).astype(np.uint8)
    plate = np.where(hole[..., None] > 0, np.uint8(90), source)
    colours = np.stack([200 + x * 0, y * 255 / height, x * 255 / width], axis=2).astype(np.uint8)
    character = np.dstack([np.where(matte[..., None] > 0, colours, 0), matte]).astype(np.uint8)
    return {
        "character": character,
        "matte": matte,
        "performer_matte": hole,
        "change_matte": np.asarray(change_matte_of(hole, matte), np.uint8),
        "plate": plate,
        "comp": np.asarray(comp_over(plate, character), np.uint8),
        "control": 255 - plate,
    }
