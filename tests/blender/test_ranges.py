# SPDX-License-Identifier: GPL-3.0-or-later
"""A range of a strip in real Blenders, through the real worker: its frames alone, on their own scene frames."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.media.images import read_picture
from backend.performer.tracks import Tracks
from tests.blender.blenders import THOROUGH
from tests.blender.conftest import blender_or_skip
from tests.blender.inside_run import run_inside
from tests.blender.test_corrections import write_clip

FIRST, LAST = 13, 15
CONTENT_START = 10


@pytest.fixture(scope="module", params=THOROUGH)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What that Blender tells of `inside/ranges.py`, and the folder it was given."""
    folder: Path = tmp_path_factory.mktemp("ranges")
    blender = blender_or_skip(request.param, folder / "blender")
    write_clip(folder)
    return {"folder": folder, **run_inside(blender, "ranges.py", folder)}


def test_a_range_without_a_frame_of_the_strip_is_refused_in_words(told: dict[str, Any]) -> None:
    assert "talk has no frames 100 to 200: it shows 11 to 16" in told["refused"]["beside"]
    assert "talk has no frames 15 to 12: it shows 11 to 16" in told["refused"]["turned"]
    assert "has no preview range" in told["refused"]["no preview range"]


def test_a_range_is_clipped_to_the_strip(told: dict[str, Any]) -> None:
    assert told["chosen"] == {
        "strip": [11, 6, 1, 11, 16],
        "preview": [11, 2, 1, 11, 12],
        "own": [14, 3, 4, 14, 16],
    }


def test_only_its_frames_are_made_and_they_lie_where_they_are_from(told: dict[str, Any]) -> None:
    assert told["first"]["state"] == ["done", ""]
    assert {(first, last) for _, first, last, _ in told["placed"]} == {(FIRST, LAST)}
    delivered = Path(told["first"]["folder"][0])
    assert len(list((delivered / "comp").iterdir())) == LAST - FIRST + 1
    for place, frame in enumerate(range(FIRST, LAST + 1)):
        stem = f"{delivered.name}_{{}}.{1001 + place}.png"
        comp, change = (read_picture(delivered / name / stem.format(name)) for name in ("comp", "change_matte"))
        clip = read_picture(told["folder"] / "clip" / f"frame.{frame - CONTENT_START:04d}.png")
        assert (change == 0).any()
        assert np.array_equal(comp[change == 0], clip[change == 0])


def test_a_key_is_in_the_same_scene_frame_whatever_the_range(told: dict[str, Any]) -> None:
    assert told["keyed"] == 14 - CONTENT_START
    assert told["updated"]["state"] == ["done", ""]
    corrected = (told["folder"] / "out" / ".understudy" / "stages").glob("correct-*/tracks.safetensors")
    elbows = {len(tracks.body): tracks.body[:, 13, :2] for tracks in map(Tracks.load, corrected)}
    assert sorted(elbows) == [3, 6]
    for first, elbow in ((FIRST, elbows[3]), (11, elbows[6])):
        assert elbow[14 - first] == pytest.approx((300, 120))
    assert {(first, last) for _, first, last, _ in told["placed again"]} == {(FIRST, LAST)}
    assert told["keys"] == {"whole": [14 - 11], "late": [0], "without": []}


def test_a_box_is_in_the_same_scene_frame_whatever_the_range(told: dict[str, Any]) -> None:
    assert told["boxes"][:2] == [15 - 11, 15 - 14]
    assert "shown in frame 15, which is not one of 11 to 13" in told["boxes"][2]


def test_a_number_is_meant_for_the_frames_it_was_given_in_and_a_box_stands_for_it_in_others(
    told: dict[str, Any],
) -> None:
    box = [200.0, 1.0, 250.0, 90.0]
    assert told["numbers"]["same"][:2] == ["id", 2]
    assert told["numbers"]["other"] == ["box", 0, 14 - 12, box]
    assert "shown in frame 14, which is not one of 15 to 16" in told["numbers"]["without"]
    assert "shown on another strip" in told["numbers"]["strip"]
    assert "of another size" in told["numbers"]["size"]
    assert told["numbers"]["typed"][:2] == ["id", 1]
    assert told["numbers"]["recalled"][:2] == ["id", 2]
    assert "Number 2 was given among other frames than 12 to 15" in told["numbers"]["recalled over others"]


def test_a_box_is_drawn_on_frames_that_go_in_alone(told: dict[str, Any]) -> None:
    assert told["drawn"] == [[1, False, "largest", 15 - CONTENT_START, 0], [1, True, "box", 14 - CONTENT_START, 1]]


def test_a_whole_strip_that_is_moved_meanwhile_has_its_results_over_it(told: dict[str, Any]) -> None:
    assert told["whole"]["state"] == ["done", ""]
    assert {(first, last) for _, first, last, _ in told["moved"]} == {(31, 36)}
    assert told["faded"] is True


def test_versions_of_the_same_frames_are_swapped_and_others_are_told(told: dict[str, Any]) -> None:
    assert told["swapped"]["next"] == [2]
    assert "talk_v003 has frames 2 to 7 of the strip, these strips show 4 to 6" in told["swapped"]["other"]
    assert told["swapped"]["after"] == [2]
    assert told["swapped"]["back"] == [1]


def test_use_its_settings_brings_the_range_back_where_the_strip_is_now(told: dict[str, Any]) -> None:
    assert told["recalled"] == ["own", FIRST + 20, LAST + 20]
    assert told["recalled keys"] == []
