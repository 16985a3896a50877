# SPDX-License-Identifier: GPL-3.0-or-later
"""A painted figure whose every joint is known, and a real face, as characters and performers."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from backend.contract.job import Fit, Mode
from backend.contract.watch import Unwatched
from backend.engines.base import Inputs
from backend.engines.draft.character import Character, build_character, find_character
from backend.media.sequence import Sequence, SequenceWriter
from backend.performer.still import Still, find_in_picture
from backend.performer.tracks import Presence, Tracks

WIDTH, HEIGHT = 160, 240
GREEN = (0, 255, 0)
JOINTS = {
    0: (80, 44), 7: (92, 40), 8: (68, 40), 11: (98, 76), 12: (62, 76), 13: (116, 104), 14: (44, 104), 15: (130, 132),
    16: (30, 132), 17: (136, 142), 18: (24, 142), 19: (136, 144), 20: (24, 144), 23: (92, 136), 24: (68, 136),
    25: (93, 176), 26: (67, 176), 27: (94, 214), 28: (66, 214), 29: (94, 219), 30: (66, 219), 31: (98, 223),
    32: (62, 223),
}  # fmt: skip


@dataclass
class Told(Unwatched):
    """A watch that remembers what it was told."""

    codes: list[str] = field(default_factory=list)

    def notice(self, code: str, text: str) -> None:
        assert text.endswith(".")
        self.codes.append(code)


def painted_figure() -> tuple[np.ndarray, np.ndarray]:
    """RGB before saturated green, and its exact soft matte: red trunk, blue limbs, white shoes, pink head."""
    fine = 4
    colour = np.full((HEIGHT * fine, WIDTH * fine, 3), GREEN, np.uint8)
    matte = np.zeros((HEIGHT * fine, WIDTH * fine), np.uint8)

    def at(joint: int) -> tuple[int, int]:
        return JOINTS[joint][0] * fine, JOINTS[joint][1] * fine

    def limb(a: int, b: int, rgb: tuple[int, int, int], width: int) -> None:
        for canvas, value in ((colour, rgb), (matte, 255)):
            cv2.line(canvas, at(a), at(b), value, width * fine)

    for a, b in ((11, 13), (13, 15), (15, 17), (12, 14), (14, 16), (16, 18)):
        limb(a, b, (40, 60, 200), 11)
    for a, b in ((23, 25), (25, 27), (24, 26), (26, 28)):
        limb(a, b, (30, 30, 90), 16)
    for a, b in ((29, 31), (30, 32)):
        limb(a, b, (250, 250, 250), 10)
    trunk = np.array([at(11), at(12), at(24), at(23)])
    for canvas, value in ((colour, (200, 40, 40)), (matte, 255)):
        cv2.fillPoly(canvas, [trunk], value)
        cv2.line(canvas, at(11), at(12), value, 14 * fine)
    for canvas, value in ((colour, (230, 170, 150)), (matte, 255)):
        cv2.line(canvas, (80 * fine, 50 * fine), (80 * fine, 72 * fine), value, 12 * fine)
        cv2.ellipse(canvas, (80 * fine, 40 * fine), (17 * fine, 22 * fine), 0, 0, 360, value, -1)
    small = cv2.resize(colour, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return small, cv2.resize(matte, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def painted_still(matte: np.ndarray) -> Still:
    """What a perfect finder would say of the painted figure; it has no face."""
    body, score = np.zeros((33, 3), np.float32), np.zeros(33, np.float32)
    for joint, place in JOINTS.items():
        body[joint, :2], score[joint] = place, 1
    wrists = [np.repeat(body[joint][None], 21, 0) for joint in (15, 16)]
    return Still(
        body=body,
        body_score=score,
        face=np.repeat(body[:1], 468, 0),
        face_score=0.0,
        left_hand=wrists[0],
        left_hand_score=0.0,
        right_hand=wrists[1],
        right_hand_score=0.0,
        coverage=matte,
        box=np.array((20, 16, 140, 230), np.float32),
        consistency=1.0,
    )


def tracks_of(still: Still, count: int) -> Tracks:
    """A performer who stands like a still for `count` frames."""

    def held(values: object) -> np.ndarray:
        return np.repeat(np.asarray(values, np.float32)[None], count, 0)

    return Tracks(
        body=held(still.body),
        body_score=held(still.body_score),
        face=held(still.face),
        face_score=held(still.face_score),
        left_hand=held(still.left_hand),
        left_hand_score=held(still.left_hand_score),
        right_hand=held(still.right_hand),
        right_hand_score=held(still.right_hand_score),
        box=held(still.box),
        presence=np.full(count, Presence.TRACKED, np.int8),
        consistency=np.ones(count, np.float32),
    )


def moved(tracks: Tracks, shifts: np.ndarray) -> Tracks:
    """Shift a performer by `f 2` pixels."""
    step = np.concatenate([shifts, np.zeros((len(shifts), 1))], 1).astype(np.float32)[:, None]
    parts = {name: getattr(tracks, name) + step for name in ("body", "face", "left_hand", "right_hand")}
    return replace(tracks, **parts)


@pytest.fixture(scope="session")
def figure() -> Character:
    rgb, matte = painted_figure()
    return build_character(rgb, matte, painted_still(matte), has_background=True)


@pytest.fixture(scope="session")
def standing() -> Still:
    return painted_still(painted_figure()[1])


@pytest.fixture(scope="session")
def astronaut_picture() -> np.ndarray:
    return np.asarray(data.astronaut())


@pytest.fixture(scope="session")
def astronaut(astronaut_picture: np.ndarray) -> Character:
    return find_character(astronaut_picture, mirror=False)


@pytest.fixture(scope="session")
def astronaut_still(astronaut_picture: np.ndarray) -> Still:
    return find_in_picture(astronaut_picture)


MakeInputs = Callable[..., Inputs]


@pytest.fixture
def shot(tmp_path: Path, figure: Character) -> MakeInputs:
    """Make inputs: grey frames and plate, the painted figure as character."""
    figure.save(tmp_path / "character")

    def make(tracks: Tracks, dtype: type = np.uint8, mode: Mode = Mode.REPLACE, fit: Fit | None = None) -> Inputs:
        count, top = len(tracks), np.iinfo(dtype).max
        for name, value in (("frames", top // 2), ("plate", top // 3)):
            with SequenceWriter(tmp_path / name) as writer:
                for index in range(count):
                    writer.write(index, np.full((HEIGHT, WIDTH, 3), value, dtype))
        with SequenceWriter(tmp_path / "matte") as writer:
            for index in range(count):
                writer.write(index, (painted_figure()[1] * 255).astype(np.uint8))
        return Inputs(
            mode=mode,
            frames=Sequence(tmp_path / "frames", count),
            plate=Sequence(tmp_path / "plate", count),
            performer_matte=Sequence(tmp_path / "matte", count) if mode is Mode.REPLACE else None,
            tracks=tracks,
            character=tmp_path / "character",
            fit=fit or Fit(),
            seed=0,
        )

    return make
