# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding people in real pictures: NASA's portrait of Eileen Collins, which scikit-image carries.

`astronaut.json` holds what `solutions.pose` and `solutions.face_mesh` of mediapipe 0.10.21 (static, not refined) find
in it, in pixels; the networks are the same, the program that runs them is another.
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from backend.contract.job import PerformerChoice, Pick
from backend.contract.watch import Unwatched
from backend.media.sequence import Sequence, SequenceWriter
from backend.performer import find
from backend.performer.choose import choose
from backend.performer.detect import WINDOW_PX, Body, Detector
from backend.performer.find import NobodyFoundError, find_people
from backend.performer.networks import FOLDER_VARIABLE, Network, NetworksMissingError, network_bytes, networks_folder
from backend.performer.sighting import Sighting
from backend.performer.still import NobodyInPictureError, find_in_picture
from backend.performer.window import Box, Picture, overlap

pytestmark = pytest.mark.skipif(not networks_folder().is_dir(), reason="the networks are not packed")

REFERENCE = json.loads((Path(__file__).parent / "astronaut.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def astronaut() -> Picture:
    return np.asarray(skimage.data.astronaut(), np.uint8)


def shot(folder: Path, *pictures: Picture) -> Sequence:
    with SequenceWriter(folder) as writer:
        for index, picture in enumerate(pictures):
            writer.write(index, picture)
    return Sequence(folder, len(pictures))


def small_in(astronaut: Picture, side: int, x: int, y: int) -> Picture:
    """The portrait as a small figure in a large empty frame."""
    frame = np.full((720, 1280, 3), 70, np.uint8)
    frame[y : y + side, x : x + side] = cv2.resize(astronaut, (side, side), interpolation=cv2.INTER_AREA)
    return frame


def test_body_and_face_lie_where_another_release_finds_them(astronaut: Picture) -> None:
    still = find_in_picture(astronaut)
    pose, sure = np.array(REFERENCE["pose"]), np.array(REFERENCE["visibility"]) > 0.5
    assert np.linalg.norm(still.body[sure, :2] - pose[sure], axis=1).mean() < 2
    face = np.array([still.face[int(index), :2] for index in REFERENCE["face"]])
    assert np.linalg.norm(face - np.array(list(REFERENCE["face"].values())), axis=1).mean() < 1.5


def test_what_is_out_of_the_picture_has_no_score(astronaut: Picture) -> None:
    still = find_in_picture(astronaut)
    outside = (still.body[:, 1] > 512) | (still.body[:, 0] < -1)
    assert outside[[25, 26, 27, 28]].all() and (still.body_score[outside] == 0).all()


def test_the_coverage_is_the_person(astronaut: Picture) -> None:
    coverage = find_in_picture(astronaut).coverage
    assert coverage[130, 225] > 0.9 and coverage[350, 200] > 0.9  # nose, chest
    assert coverage[100, 60] < 0.1 and coverage[150, 470] < 0.1  # flag, shuttle


@pytest.mark.parametrize("level", [0.12, 1.0])
def test_a_picture_may_be_dark(astronaut: Picture, level: float) -> None:
    still = find_in_picture((astronaut * level).astype(np.uint8))
    assert np.linalg.norm(still.face[4, :2] - REFERENCE["pose"][0]) < 12


def test_depth_and_alpha_do_not_matter(astronaut: Picture) -> None:
    deep = np.dstack([astronaut, np.full((512, 512), 255, np.uint8)]).astype(np.uint16) * 257
    np.testing.assert_array_equal(find_in_picture(deep).body, find_in_picture(astronaut).body)


def test_a_picture_of_nobody_is_refused() -> None:
    with pytest.raises(NobodyInPictureError):
        find_in_picture(np.asarray(skimage.data.coffee(), np.uint8))


def test_everybody_is_found_the_small_too(astronaut: Picture, tmp_path: Path) -> None:
    frame = small_in(astronaut, 420, 60, 280)
    frame[100:250, 1000:1150] = cv2.resize(astronaut[:, ::-1], (150, 150), interpolation=cv2.INTER_AREA)
    people = find_people(shot(tmp_path, frame, frame), Unwatched())
    assert [len(person.seen) for person in people.persons] == [2, 2]
    large, small = (person.seen[0].box for person in people.persons)
    assert overlap(large, np.array([60, 280, 400, 700], np.float32)) > 0.6
    assert overlap(small, np.array([1040, 100, 1150, 250], np.float32)) > 0.6


@pytest.mark.parametrize("end", [0, -1])
def test_the_middle_is_searched_for_small_people_only_where_an_end_shows_not_just_one(
    astronaut: Picture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: int
) -> None:
    searched = list[bool]()
    people_in = find.people_in

    def counted(detector: Detector, frame: Picture, closely: bool) -> list[Sighting]:
        searched.append(closely)
        return people_in(detector, frame, closely)

    monkeypatch.setattr(find, "people_in", counted)
    alone = small_in(astronaut, 420, 60, 280)
    joined = alone.copy()
    joined[100:250, 1000:1150] = cv2.resize(astronaut[:, ::-1], (150, 150), interpolation=cv2.INTER_AREA)
    assert len(find_people(shot(tmp_path / "alone", *[alone] * 5), Unwatched()).persons) == 1
    assert sum(searched) == 2
    frames = [alone] * 5
    frames[end] = joined
    assert len(find_people(shot(tmp_path / "joined", *frames), Unwatched()).persons) == 2
    assert sum(searched) == 2 + 3


def test_tiles_that_one_person_fills_are_left_out(astronaut: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    windows = list[float]()
    bodies = Detector.bodies

    def counted(detector: Detector, frame: Picture, box: Box, most_px: int = WINDOW_PX) -> list[Body]:
        windows.append(float(box[2] - box[0]))
        return bodies(detector, frame, box, most_px)

    monkeypatch.setattr(Detector, "bodies", counted)
    small_tiles = list[int]()
    with Detector(most_bodies=2) as detector:
        for side in (420, 700):
            windows.clear()
            find.people_in(detector, small_in(astronaut, side, 60, 720 - side), closely=True)
            small_tiles.append(windows.count(360))
    assert small_tiles[0] > small_tiles[1] > 0


def test_a_shot_of_nobody_is_told(tmp_path: Path) -> None:
    coffee = np.asarray(skimage.data.coffee(), np.uint8)
    with pytest.raises(NobodyFoundError):
        find_people(shot(tmp_path, coffee), Unwatched())


def test_a_box_finds_whom_the_coarse_look_missed(astronaut: Picture, tmp_path: Path) -> None:
    frame = small_in(astronaut, 420, 60, 280)
    later = frame.copy()
    later[100:200, 1000:1100] = cv2.resize(astronaut[:, ::-1], (100, 100), interpolation=cv2.INTER_AREA)
    frames = shot(tmp_path, frame, later)
    people = find_people(Sequence(tmp_path, 1), Unwatched())
    choice = PerformerChoice(pick=Pick.BOX, frame=1, x=1025, y=100, x1=1100, y1=200)
    wide = type(people)(2, people.persons)
    person = choose(wide, choice, 0, frames)
    assert person.id == 2 and overlap(person.seen[0].box, np.array([1025, 100, 1100, 200], np.float32)) > 0.5


def test_missing_networks_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(NetworksMissingError) as caught:
        network_bytes(Network.POSE)
    assert set(caught.value.names) == set(Network)
