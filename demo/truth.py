# SPDX-License-Identifier: GPL-3.0-or-later
"""What is true of a rendered shot: the record beside its pictures. Standard library and numpy, no bpy."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

TRUTH_FILE = "truth.json"
BEAUTY, PLATE = "beauty", "plate"

JOINTS = (
    *("nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer"),
    *("left_ear", "right_ear", "mouth_left", "mouth_right"),
    *(
        f"{side}_{name}"
        for name in ("shoulder", "elbow", "wrist", "pinky", "index", "thumb")
        for side in ("left", "right")
    ),
    *(f"{side}_{name}" for name in ("hip", "knee", "ankle", "heel", "foot_index") for side in ("left", "right")),
)
"""The 33 joints, in the order of the usual body trackers. Left is the performer's own."""


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole: where it is, its axes in rows (right, down, ahead), and its focal length in widths of the picture."""

    location: NDArray[np.float64]
    axes: NDArray[np.float64]
    focal_widths: float

    def project(self, points: NDArray[np.floating[Any]], width: int, height: int) -> NDArray[np.float64]:
        """Pixels `... 2` of points `... 3` in metres; a whole number is the centre of a pixel."""
        seen = (points - self.location) @ self.axes.T
        focal = self.focal_widths * width
        centre = np.array([width - 1, height - 1]) / 2
        return np.asarray(centre + focal * seen[..., :2] / seen[..., 2:])


@dataclass(frozen=True, slots=True)
class Truth:
    """Truth of `f` frames with `p` performers, in pixels: x right, y down, whole numbers are pixel centres.

    joints: `f p 33 2`. visible: `f p 33`, in the picture and hidden by nothing. hands: `f p 2 21 2`, left then right.
    hands_visible: `f p 2 21`. present: `f p`, whether any of the performer is in the picture.
    head_yaw_deg: `f p`, the face's direction from straight into the camera, positive towards the picture's right.
    mouth_open, eyes_shut: `f p`, 0..1. planted: `f p 2`, whether the left, right foot stands.
    numbers: `f`, frame numbers within the whole shot.
    """

    folder: Path
    width: int
    height: int
    fps: int
    numbers: NDArray[np.int64]
    cameras: tuple[Camera, ...]
    joints: NDArray[np.float64]
    visible: NDArray[np.bool_]
    hands: NDArray[np.float64]
    hands_visible: NDArray[np.bool_]
    present: NDArray[np.bool_]
    head_yaw_deg: NDArray[np.float64]
    mouth_open: NDArray[np.float64]
    eyes_shut: NDArray[np.float64]
    planted: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def performers(self) -> int:
        """How many performers the shot has."""
        return self.joints.shape[1]

    @property
    def beauty(self) -> Path:
        """Folder of the shot's frames, `000000.png` on."""
        return self.folder / BEAUTY

    @property
    def plate(self) -> Path:
        """Folder of the room alone: no performer, and no shadow of one."""
        return self.folder / PLATE

    def matte(self, performer: int = 0) -> Path:
        """Folder of a performer's coverage, 8-bit grey, linear: 255 is covered. What another performer hides is 0."""
        return self.folder / matte_name(performer)

    def hand_pixels(self, performer: int = 0) -> Path:
        """Folder of the coverage of a performer's two hands up to the wrists, as `matte`."""
        return self.folder / hands_name(performer)

    def height_px(self, performer: int = 0) -> NDArray[np.float64]:
        """Distance from the nose to the middle of the ankles, `f`: the unit of joint errors."""
        joints = self.joints[:, performer]
        ankles = (joints[:, JOINTS.index("left_ankle")] + joints[:, JOINTS.index("right_ankle")]) / 2
        return np.asarray(np.linalg.norm(joints[:, 0] - ankles, axis=-1))


def matte_name(performer: int) -> str:
    """Folder name of a performer's matte."""
    return f"matte_{performer}"


def hands_name(performer: int) -> str:
    """Folder name of a performer's hand pixels."""
    return f"hands_{performer}"


def load_truth(folder: Path) -> Truth:
    """Read the truth of a rendered shot."""
    read: dict[str, Any] = json.loads((folder / TRUTH_FILE).read_text("utf-8"))
    frames = read["frames"]

    def gather(name: str, kind: type) -> NDArray[Any]:
        return np.array([[performer[name] for performer in frame["performers"]] for frame in frames], kind)

    return Truth(
        folder,
        read["width"],
        read["height"],
        read["fps"],
        np.array([frame["number"] for frame in frames]),
        tuple(_camera(frame["camera"]) for frame in frames),
        **{name: gather(name, float) for name in ("joints", "hands", "head_yaw_deg", "mouth_open", "eyes_shut")},
        **{name: gather(name, bool) for name in ("visible", "hands_visible", "present", "planted")},
    )


def camera_towards(location: Sequence[float], target: Sequence[float], focal_widths: float) -> Camera:
    """Make a level camera that looks from one place at another."""
    ahead = np.subtract(target, location)
    ahead = ahead / np.linalg.norm(ahead)
    right = np.cross(ahead, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    return Camera(np.asarray(location, float), np.stack([right, np.cross(ahead, right), ahead]), focal_widths)


def _camera(read: dict[str, Any]) -> Camera:
    return Camera(np.array(read["location"]), np.array(read["axes"]), read["focal_widths"])
