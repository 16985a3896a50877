# SPDX-License-Identifier: GPL-3.0-or-later
"""A result is put right in real Blenders, through the real worker, and only what depends on it is done again."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.media.images import read_picture, write_picture
from backend.performer.tracks import Tracks
from tests.blender.blenders import THOROUGH
from tests.blender.conftest import blender_or_skip
from tests.blender.inside_run import run_inside
from tests.rendered import character_picture, write_cut

SIZE = (480, 270)
FRAMES = 7
"""Of the clip; the first is trimmed off."""
TRACKED = ["cast", "character", "find", "frames", "track"]
DRAWN = ["generate", "matte", "plate"]
SHOT_FRAME = 2
"""That is on scene frame 13."""
TRIMMED = 1
"""Keys are counted from where the strip's content starts."""


def write_clip(folder: Path) -> None:
    write_cut(folder / "clip", FRAMES)
    (folder / "garbage").mkdir()
    for number in range(FRAMES):
        write_picture(folder / "garbage" / f"roto.{number:04d}.png", garbage(number - 1))
    (folder / "character.png").write_bytes(character_picture().read_bytes())


def garbage(frame: int) -> NDArray[np.uint8]:
    """Hold out what is right of a line that moves; half of it comes through above."""
    matte = np.full((SIZE[1], SIZE[0], 3), 255, np.uint8)
    matte[:, 230 + 5 * frame :] = 0
    matte[:90] //= 2
    return matte


@pytest.fixture(scope="module", params=THOROUGH)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What that Blender tells of `inside/corrections.py`, and the folder it was given."""
    folder: Path = tmp_path_factory.mktemp("corrections")
    blender = blender_or_skip(request.param, folder / "blender")
    write_clip(folder)
    return {"folder": folder, **run_inside(blender, "corrections.py", folder)}


def mattes(told: dict[str, Any], act: str) -> list[NDArray[np.float64]]:
    [folder] = told[act]["folder"]
    found = [read_picture(path).astype(float) for path in sorted((Path(folder) / "performer_matte").glob("*.png"))]
    assert len(found) == FRAMES - 1
    return found


def test_what_can_not_be_done_yet_says_why(told: dict[str, Any]) -> None:
    assert ["job" in words for words in told["no job"]] == [True, True]
    assert "Nothing of talk was corrected" in told["nothing"]
    assert "no joints in frame 400" in told["away"]
    assert "The left elbow is keyed in frame 50: the strip shows 11 to 16" in told["stray"]
    assert "No mask is chosen" in told["no mask"]
    checked, previewed = told["animate"]
    assert checked == "nothing"  # is refused: it takes no mattes
    assert "Only what Replace makes can be previewed" in previewed
    assert "short has no frames 11 to 16" in told["short"]


def test_a_matte_that_another_program_would_render_is_refused(told: dict[str, Any]) -> None:
    assert ["made by another Blender" in words for words in told["foreign"]] == [True, True]


def test_every_update_is_done_and_placed(told: dict[str, Any]) -> None:
    acts = ("first", "joint", "mask", "mask again", "garbage", "taken back")
    assert [told[act]["state"] for act in acts] == [["done", ""]] * len(acts)
    assert [Path(told[act]["folder"][0]).name for act in acts] == [f"talk_v{n:03d}" for n in range(1, len(acts) + 1)]
    assert {len(told[act]["strips"]) for act in acts} == {8}


def test_a_moved_joint_redoes_no_frames_finding_or_tracking(told: dict[str, Any]) -> None:
    assert told["keyed"] == [["left_elbow", SHOT_FRAME + TRIMMED, [300.0, 120.0], SHOT_FRAME, 5 - SHOT_FRAME]]
    assert told["joint"]["done"] == sorted(["correct", *DRAWN])
    assert told["joint"]["kept"] == TRACKED
    [moved] = (told["folder"] / "out" / ".understudy" / "stages").glob("correct-*")
    assert Tracks.load(moved / "tracks.safetensors").body[SHOT_FRAME, 13, :2] == pytest.approx((300, 120))


def test_a_mask_is_added_to_the_matte_and_what_is_equal_is_not_done_again(told: dict[str, Any]) -> None:
    assert told["mask"]["done"] == sorted(["roto", *DRAWN])
    assert told["mask"]["kept"] == sorted([*TRACKED, "correct"])
    assert told["mask again"]["done"] == ["roto"]
    inside, outside = np.s_[125:180, 2:94], np.s_[:, 98:]  # 0.2 of the width; 0.3 to 0.6 of it from below its middle
    for before, after in zip(mattes(told, "joint"), mattes(told, "mask"), strict=True):
        assert (after[inside] == 255).all()
        np.testing.assert_array_equal(after[outside], before[outside])


def test_a_strip_holds_out_what_is_black_in_it_frame_by_frame(told: dict[str, Any]) -> None:
    assert told["garbage"]["done"] == sorted(["roto", "roto", *DRAWN])  # the mask, too: nothing tells what moves it
    for frame, (before, after) in enumerate(zip(mattes(told, "mask"), mattes(told, "garbage"), strict=True)):
        np.testing.assert_allclose(after, before * garbage(frame - 1)[..., 0] / 255, atol=0.5)


def test_a_preview_shows_the_frame_with_mask_and_garbage_matte(told: dict[str, Any]) -> None:
    [picture] = (Path(told["preview"]) / "part_0" / "matte").iterdir()
    matte, holding = read_picture(picture).astype(float), garbage(3 - TRIMMED)[..., 0] / 255  # frame 14 is the fourth
    assert (holding == 0).any()
    assert (matte[holding == 0] == 0).all()
    patch = np.s_[125:180, 2:94]
    np.testing.assert_allclose(matte[patch], 255 * holding[patch], atol=0.5)
    assert np.abs(matte - mattes(told, "garbage")[3]).mean() < 2  # a quick matte, and the same joint


def test_a_joint_is_dragged_and_esc_leaves_no_trace(told: dict[str, Any]) -> None:
    mouse = told["mouse"]
    assert mouse["away"] == mouse["scrubs"] == "PASS_THROUGH"
    assert (mouse["before"], mouse["while held"], mouse["held"]) == (1, 1, ["Right Wrist"])
    assert mouse["keyed"] == ["right_wrist", 3 + TRIMMED, [55.0, 65.0], 3, 2]
    assert mouse["drawn"] == [55, 65]
    assert mouse["undone"] == [1, 2]
    assert "Esc" in mouse["shown"]
    assert mouse["esc"] == "CANCELLED"
    assert mouse["after esc"] == [mouse["keyed"], 0]


def test_a_jobs_corrections_are_recalled_and_can_be_taken_back(told: dict[str, Any]) -> None:
    assert told["recalled"] == [told["keyed"], "mask", "patch", "roto"]
    assert told["taken back"]["done"] == []
    for first, last in zip(mattes(told, "first"), mattes(told, "taken back"), strict=True):
        np.testing.assert_array_equal(first, last)
