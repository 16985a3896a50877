# SPDX-License-Identifier: GPL-3.0-or-later
"""What an artist gets: every frame under its number, nothing changed that need not be, the same bytes again."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from backend.contract import layout
from backend.contract.events import Delivered, Event, JobRefused
from backend.media.images import Pixels, read_picture, write_picture
from tests.shot.conftest import SmallShot, stamped_number
from tests.worker import Worker, delivered_bytes


def delivered(worker: Worker) -> Path:
    code, events = worker.end()
    assert code == 0, events[-1]
    return next(Path(event.folder) for event in events if isinstance(event, Delivered))


def files(version: Path, name: str) -> list[Path]:
    return sorted((version / name).glob("*.png"))


@pytest.fixture(scope="session")
def version(small_shot: SmallShot, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return delivered(small_shot.replace(tmp_path_factory.mktemp("whole"), "--last", "-1"))


def test_every_frame_that_goes_in_comes_out_under_its_own_number(version: Path, small_shot: SmallShot) -> None:
    count = len(list(small_shot.clip.iterdir()))
    for name in ("comp", "plate"):
        assert [stamped_number(path) for path in files(version, name)] == list(range(count))
    frames = json.loads((version / f"{version.name}.json").read_text("utf-8"))["frames"]
    assert frames == [{"file": 1001 + index, "source": 101 + index} for index in range(count)]


def test_the_comp_is_the_source_to_the_bit_where_the_change_matte_is_0(version: Path, small_shot: SmallShot) -> None:
    sources = sorted(small_shot.clip.iterdir())
    for source, comp, change in zip(sources, files(version, "comp"), files(version, "change_matte"), strict=True):
        is_kept = read_picture(change) == 0
        assert is_kept.any()
        assert not is_kept.all()
        assert (read_picture(comp)[is_kept] == read_picture(source)[is_kept]).all()


def test_the_change_matte_is_0_far_from_the_true_performer_and_the_drawn_character(
    version: Path, small_shot: SmallShot
) -> None:
    masks = sorted(small_shot.matte.glob("*.png"))
    for mask, matte, change in zip(masks, files(version, "matte"), files(version, "change_matte"), strict=True):
        true = read_picture(mask) > 0
        rows = np.flatnonzero(true.any(axis=1))
        figures = true | (read_picture(matte) > 0)
        distance = cv2.distanceTransform((~figures).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        assert read_picture(change)[distance > 0.05 * (rows[-1] - rows[0])].max() == 0


def test_the_character_is_straight_and_its_alpha_is_the_matte(version: Path) -> None:
    for character, matte in zip(files(version, "character"), files(version, "matte"), strict=True):
        rgba = read_picture(character)
        assert (rgba[..., 3] == read_picture(matte)).all()
        assert (rgba[rgba[..., 3] == 0] == 0).all()


def test_two_runs_and_a_replay_give_equal_bytes(small_shot: SmallShot, tmp_path: Path) -> None:
    first = delivered(small_shot.replace(tmp_path / "a"))
    assert delivered_bytes(delivered(small_shot.replace(tmp_path / "b"))) == delivered_bytes(first)
    again = delivered(Worker("replay", first / f"{first.name}.json"))
    assert again.name == "small_v002"
    assert delivered_bytes(again) == delivered_bytes(first)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_short_shots_come_out_whole_at_16_bits(count: int, small_shot: SmallShot, tmp_path: Path) -> None:
    whole = delivered(small_shot.replace(tmp_path, "--last", str(count - 1), "--depth", "16"))
    assert [stamped_number(path) for path in files(whole, "comp")] == list(range(count))
    assert read_picture(files(whole, "comp")[0]).dtype == np.uint16


def test_a_preview_is_one_picture_and_no_delivery(small_shot: SmallShot, tmp_path: Path) -> None:
    code, events = Worker("preview", small_shot.clip, small_shot.character, "--frame", "9", "--output", tmp_path).end()
    assert code == 0
    assert read_picture(Path(events[-1].path)).shape == read_picture(next(small_shot.clip.iterdir())).shape  # type: ignore[union-attr]
    assert not list(tmp_path.glob("[!.]*"))


def test_an_animated_character_moves_before_its_own_background(small_shot: SmallShot, tmp_path: Path) -> None:
    picture = small_shot.character.with_name("character_in_place.png")
    words = ("--last", "4", "--output", tmp_path, "--name", "moving")
    whole = delivered(Worker("animate", picture, small_shot.clip, *words))
    comps = [read_picture(path) for path in files(whole, "comp")]
    mattes = [read_picture(path) for path in files(whole, "matte")]
    plate = read_picture(files(whole, "plate")[0])
    assert len(comps) == 5
    assert all((comp[matte == 0] == plate[matte == 0]).all() for comp, matte in zip(comps, mattes, strict=True))
    assert (mattes[0] != mattes[4]).any()


def test_a_clip_with_nobody_in_it_is_refused_before_anything_is_made(small_shot: SmallShot, tmp_path: Path) -> None:
    empty = small_shot.plate
    code, events = Worker("replace", empty, small_shot.character, "--output", tmp_path, "--last", "2").end()
    assert code == 3
    assert refused(events).error == "NobodyFoundError"
    assert not list(tmp_path.glob("[!.]*"))
    assert not list((tmp_path / layout.WORK / layout.STAGES).glob("track-*"))


def test_a_picture_with_nobody_in_it_is_refused_before_any_frame_is_read(small_shot: SmallShot, tmp_path: Path) -> None:
    wall = tmp_path / "wall.png"
    write_picture(wall, read_picture(next(small_shot.plate.iterdir()))[..., :3])
    code, events = Worker("replace", small_shot.clip, wall, "--output", tmp_path / "o").end()
    assert code == 3
    assert refused(events).error == "NobodyInPictureError"
    assert not list((tmp_path / "o" / layout.WORK / layout.STAGES).glob("frames-*"))


def refused(events: list[Event]) -> JobRefused:
    assert isinstance(events[-1], JobRefused)
    return events[-1]


def test_unicode_and_spaces_in_names_and_paths_are_kept(small_shot: SmallShot, tmp_path: Path) -> None:
    folder = tmp_path / "schöne Aufnahme 日本"
    whole = delivered(small_shot.replace(folder, "--last", "1", "--name", "Szene Ä 1"))
    assert whole == folder / "Szene Ä 1_v001"


def test_the_artists_own_matte_and_garbage_matte_decide(small_shot: SmallShot, tmp_path: Path) -> None:
    height, width = read_picture(next(small_shot.clip.iterdir())).shape[:2]
    own, garbage = np.zeros((height, width), np.uint8), np.full((height, width), 255, np.uint8)
    own[60:200, 200:300] = 255
    garbage[:, 250:] = 0
    for name, matte in (("own", own), ("garbage", garbage)):
        write_picture(tmp_path / f"{name}.png", matte)
    words = ("--last", "1", "--matte", tmp_path / "own.png", "--garbage-matte", tmp_path / "garbage.png")
    whole = delivered(small_shot.replace(tmp_path / "o", *words))
    assert (read_picture(files(whole, "performer_matte")[0]) == np.minimum(own, garbage)).all()


def _sequence(folder: Path, pictures: list[Pixels]) -> Path:
    folder.mkdir()
    for number, picture in enumerate(pictures):
        write_picture(folder / f"frame.{number:04d}.png", picture)
    return folder


def test_where_the_performer_is_not_in_the_shot_the_source_stands(small_shot: SmallShot, tmp_path: Path) -> None:
    room = [read_picture(path)[..., :3] for path in sorted(small_shot.plate.glob("*.png"))[:3]]
    acted = [read_picture(path) for path in sorted(small_shot.clip.iterdir())[3:6]]
    clip = _sequence(tmp_path / "enters", [*room, *acted])
    whole = delivered(Worker("replace", clip, small_shot.character, "--output", tmp_path / "o"))
    changes = [read_picture(path).max() for path in files(whole, "change_matte")]
    assert changes[:3] == [0, 0, 0]
    assert min(changes[3:]) == 255
    for comp, source in zip(files(whole, "comp"), room, strict=False):
        assert (read_picture(comp) == source).all()


def test_two_performers_are_cast_and_replaced_each_by_its_own_character(small_shot: SmallShot, tmp_path: Path) -> None:
    frames = [read_picture(path) for path in sorted(small_shot.clip.iterdir())]
    twice = [np.concatenate([left, right], axis=1) for left, right in zip(frames[:3], frames[8:11], strict=True)]
    clip, width = _sequence(tmp_path / "twice", twice), frames[0].shape[1]
    words = ("--performer", f"point:{width // 2},135", "--also", f"point:{width * 3 // 2},135", small_shot.character)
    whole = delivered(Worker("replace", clip, small_shot.character, *words, "--output", tmp_path / "o"))
    for name in ("matte", "performer_matte"):
        left, right = np.split(read_picture(files(whole, name)[1]), 2, axis=1)
        assert left.max() == 255
        assert right.max() == 255
    first, second = (read_picture(files(whole, f"performer_matte_{n}")[1]) for n in (1, 2))
    assert not (np.minimum(first, second) > 0).any()


def test_the_same_performer_can_not_be_cast_twice(small_shot: SmallShot, tmp_path: Path) -> None:
    words = ("--also", "id:1", small_shot.character.with_name("character_in_place.png"))
    code, events = small_shot.replace(tmp_path, *words).end()
    assert code == 3
    assert refused(events).error == "SamePerformerError"


def test_the_clips_rate_is_kept_as_a_rational(small_shot: SmallShot, tmp_path: Path) -> None:
    whole = delivered(small_shot.replace(tmp_path, "--last", "0", "--fps", "30000/1001"))
    assert json.loads((whole / f"{whole.name}.json").read_text("utf-8"))["fps"] == "30000/1001"
