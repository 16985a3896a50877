# SPDX-License-Identifier: GPL-3.0-or-later
"""Shots whose set is known everywhere: a photograph seen through a known camera, a painted performer before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

from backend.contract.job import Shadow
from backend.contract.watch import Unwatched
from backend.media.images import Pixels
from backend.media.sequence import Sequence, SequenceWriter
from backend.performer.tracks import Tracks
from backend.plate.build import build_plate
from backend.plate.report import PlateReport

WIDTH, HEIGHT = 192, 144
FIGURE = (15, 43)
"""Half axes of the performer, an upright ellipse of plain colour, in pixels."""

Look = Callable[[int], NDArray[np.float64]]


@dataclass
class Notes(Unwatched):
    """A watch that keeps what it is told."""

    codes: list[str] = field(default_factory=list)

    def notice(self, code: str, text: str) -> None:
        self.codes.append(code)


@dataclass(frozen=True)
class KnownShot:
    """Frames with the performer, truth without, mattes; `to_set` maps a frame's pixels to the photograph's."""

    frames: list[NDArray[np.uint8]]
    truth: list[NDArray[np.uint8]]
    mattes: list[NDArray[np.uint8]]
    to_set: list[NDArray[np.float64]]


def still(_: int) -> NDArray[np.float64]:
    """A camera on a tripod."""
    return np.array([[1, 0, 120], [0, 1, 60], [0, 0, 1.0]])


def panning(index: int) -> NDArray[np.float64]:
    """A camera that pans, tilts, rolls a little and zooms in."""
    angle, zoom = 0.002 * index, 1 - 0.004 * index
    cosine, sine = zoom * np.cos(angle), zoom * np.sin(angle)
    return np.array([[cosine, -sine, 90 + 2.3 * index], [sine, cosine, 60 + 0.7 * index], [1e-5 * index, 0, 1.0]])


def known_shot(
    frame_count: int,
    look: Look = panning,
    walk_px: float = 6.0,
    gain: Callable[[int], float] = lambda _: 1.0,
    shade: float = 1.0,
) -> KnownShot:
    """Film the photograph. walk_px: how far the performer goes a frame. shade: its shadow's light, 1 is none."""
    photograph = cv2.GaussianBlur(data.astronaut(), (0, 0), 0.7)
    shot = KnownShot([], [], [], [])
    for index in range(frame_count):
        to_set = look(index)
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        clean = cv2.warpPerspective(photograph, to_set, (WIDTH, HEIGHT), flags=flags)
        lit = np.clip(np.rint(clean * gain(index)), 0, 255).astype(np.uint8)
        centre = (round(40 + walk_px * index), 78)
        matte = figure(centre)
        shaded = np.where((shadow_below(centre) > 0)[..., None], np.rint(lit * shade), lit).astype(np.uint8)
        cover = (matte / 255)[..., None]
        frame = np.rint(shaded * (1 - cover) + np.array((20, 180, 60)) * cover).astype(np.uint8)
        for pictures, picture in zip((shot.frames, shot.truth, shot.mattes), (frame, lit, matte), strict=True):
            pictures.append(picture)
        shot.to_set.append(to_set)
    return shot


def room_shot(frame_count: int, shade: float = 1.0) -> KnownShot:
    """Film a wall and a floor of zigzags from a camera that travels sideways: no one homography holds for both.

    The performer walks over the floor. Each plane is seen exactly; `to_set` stays empty. shade: as `known_shot` has it.
    """
    shot = KnownShot([], [], [], [])
    for index in range(frame_count):
        clean = _room(-0.45 + 0.9 * index / (frame_count - 1))
        centre = (round(55 + 80 * index / (frame_count - 1)), 84)
        matte = figure(centre)
        cover = (matte / 255)[..., None]
        lit = np.where((shadow_below(centre) > 0)[..., None], clean * shade, clean)
        frame = np.rint(lit * (1 - cover) + np.array((20, 180, 60)) * cover).astype(np.uint8)
        for pictures, picture in zip((shot.frames, shot.truth, shot.mattes), (frame, clean, matte), strict=True):
            pictures.append(picture)
    return shot


def _room(camera_x: float) -> NDArray[np.uint8]:
    """See the room from 1.4 m above the floor and 4 m before the wall, three rays a pixel and axis."""
    fine, focal = 3, 1.0 * WIDTH
    rows, columns = (np.indices((HEIGHT * fine, WIDTH * fine)) + 0.5) / fine - 0.5
    right, down = (columns - WIDTH / 2) / focal, (rows - HEIGHT / 2) / focal + 0.08
    depth = np.minimum(4.0, 1.4 / np.maximum(down, 1e-6))
    across, along = camera_x + right * depth, depth
    wall = cv2.resize(data.astronaut()[20:, 60:], None, fx=1.4, fy=1.4)
    at = np.stack([(across + 2.6) * 110, (down * depth + 1.7) * 110], -1).astype(np.float32)
    seen = cv2.remap(wall, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    zigzag = np.sin(2 * np.pi * (along / 0.35 + np.abs((across / 0.3) % 1 - 0.5) * 1.4))
    border = np.abs(np.abs(across) - 0.9) < 0.06
    floor = 150 + 60 * np.tanh(3 * zigzag)[..., None] * np.array((1.0, 0.8, 0.6)) - 60 * border[..., None]
    picture = np.where((depth < 4)[..., None], floor, seen).astype(np.float32)
    return np.rint(cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)).astype(np.uint8)


def figure(centre: tuple[int, int]) -> NDArray[np.uint8]:
    """The performer's soft matte."""
    matte = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(matte, centre, FIGURE, 0, 0, 360, 255, -1)
    return np.asarray(cv2.GaussianBlur(matte, (0, 0), 0.8), np.uint8)


def shadow_below(centre: tuple[int, int]) -> NDArray[np.uint8]:
    """The shadow that the performer casts to the right of its feet."""
    shadow = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(shadow, (centre[0] + 24, centre[1] + 40), (26, 9), 0, 0, 360, 255, -1)
    return shadow


def on_disk(pictures: Iterable[Pixels], folder: Path) -> Sequence:
    """Write pictures as a stage's sequence."""
    listed = list(pictures)
    with SequenceWriter(folder) as writer:
        for index, picture in enumerate(listed):
            writer.write(index, picture)
    return Sequence(folder, len(listed))


def tracks_of(mattes: list[NDArray[np.uint8]]) -> Tracks:
    """Tracks that know the performer's box and nothing else."""
    count = len(mattes)
    boxes = np.zeros((count, 4), np.float32)
    for index, matte in enumerate(mattes):
        rows, columns = np.nonzero(matte > 127)
        if len(rows):
            boxes[index] = columns.min(), rows.min(), columns.max(), rows.max()
    none = np.zeros(count, np.float32)
    return Tracks(
        body=np.zeros((count, 33, 3), np.float32),
        body_score=np.zeros((count, 33), np.float32),
        face=np.zeros((count, 468, 3), np.float32),
        face_score=none,
        left_hand=np.zeros((count, 21, 3), np.float32),
        left_hand_score=none,
        right_hand=np.zeros((count, 21, 3), np.float32),
        right_hand_score=none,
        box=boxes,
        presence=np.ones(count, np.int8),
        consistency=none,
    )


@dataclass(frozen=True)
class Built:
    """What the plate stage made."""

    plate: Sequence
    confidence: Sequence
    hole: Sequence
    report: PlateReport
    notes: Notes


def built(shot: KnownShot, folder: Path, shadow: Shadow = Shadow.KEEP) -> Built:
    """Run the plate stage over a shot with one performer."""
    notes, count = Notes(), len(shot.frames)
    frames = on_disk(shot.frames, folder / "frames")
    mattes = on_disk(shot.mattes, folder / "mattes")
    into = folder / "into"
    report = build_plate(frames, (mattes,), (tracks_of(shot.mattes),), shadow, into, notes)
    plate, confidence, hole = (Sequence(into / name, count) for name in ("plate", "plate_confidence", "hole"))
    return Built(plate, confidence, hole, report, notes)


def psnr(picture: Pixels | cv2.typing.MatLike, truth: Pixels, region: NDArray[np.bool_]) -> float:
    """Peak signal to noise ratio in a region, dB."""
    error = np.mean((picture[region].astype(float) - truth[region]) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))
