# SPDX-License-Identifier: GPL-3.0-or-later
"""Results as strips: where they are put, how they look, and that they are found again whatever happens meanwhile."""

from pathlib import Path
from typing import Any

import pytest

from tests.blender.blenders import EVERY
from tests.blender.conftest import blender_or_skip
from tests.blender.delivery import write_delivery
from tests.blender.inside_run import run_inside
from tests.painted import painted, write_movie

FROM_BELOW = ["control", "change_matte", "performer_matte", "matte", "plate", "character", "comp"]


@pytest.fixture(scope="module", params=EVERY)
def said(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What that Blender tells of `inside/placing.py`."""
    folder: Path = tmp_path_factory.mktemp("placing")
    blender = blender_or_skip(request.param, folder / "blender")
    write_movie(folder / "dance.mov", 12)
    for version in (1, 2):
        write_delivery(folder / "delivered", [painted(number) for number in range(3, 9)], version)
    write_delivery(folder / "delivered", [painted(number) for number in range(3, 9)], 3, first_number=7)
    return run_inside(blender, "placing.py", folder)


def test_results_lie_above_the_clip_on_free_channels_and_on_its_frames(said: dict[str, Any]) -> None:
    strips = said["placed"]["comp"]
    assert [strip[0] for strip in strips] == [f"shot_v001 {name}" for name in FROM_BELOW]
    assert [strip[1] for strip in strips] == [*range(7, 14)]
    assert {(strip[2], strip[3]) for strip in strips} == {(14, 20)}
    assert [strip[0] for strip in strips if not strip[4]] == ["shot_v001 comp"]
    assert said["placed"]["found"] == [strip[0] for strip in strips]
    assert len({strip[5] for strip in strips} - {"NONE"}) == 5


def test_every_strip_shows_its_own_files(said: dict[str, Any]) -> None:
    for name, (files, folder) in zip(FROM_BELOW, said["placed"]["files"], strict=True):
        assert files == [f"shot_v001_{name}.{number}.png" for number in range(1001, 1007)]
        assert Path(folder).parts[-2:] == ("shot_v001", name)


def test_files_of_a_delivery_that_begins_at_another_number_are_shown(said: dict[str, Any]) -> None:
    assert said["numbered"] == [f"shot_v003_comp.{number:04d}.png" for number in range(7, 13)]


def test_pictures_are_blended_as_the_strip_whose_own_pixels_they_are_and_what_the_canvas_shows_is_not_blended_again(
    said: dict[str, Any],
) -> None:
    comp, plate, matte = said["blended"]["raw"]
    assert comp == plate == ["MULTIPLY", 0.5]
    assert matte[0] != "MULTIPLY"
    assert all(blend != "MULTIPLY" and alpha == 1 for blend, alpha in said["blended"]["canvas"])


def test_a_take_of_one_frame_is_placed(said: dict[str, Any]) -> None:
    assert [strip[1:4] for strip in said["placed"]["single"]] == [[2, 14, 15], [3, 14, 15]]


def test_a_locked_channel_stops_no_take(said: dict[str, Any]) -> None:
    strips = said["locked"]
    assert [strip[0] for strip in strips] == [f"shot_v001 {name}" for name in FROM_BELOW]
    assert [strip[1:4] for strip in strips] == [[channel, 14, 20] for channel in range(2, 9)]


def test_no_picture_is_read_while_results_are_placed(said: dict[str, Any]) -> None:
    assert said["unread"]["read"] == []
    assert set(said["unread"]["differs"]) <= {"name", "channel", "color_tag", "select"}
    assert said["unread"]["size"] == [*painted(3).shape[1::-1]]  # as soon as it is shown


def test_layers_are_the_character_over_the_delivered_plate(said: dict[str, Any]) -> None:
    shown = [strip for strip in said["placed"]["layers"] if not strip[4]]
    assert [strip[0].split(".")[0] for strip in shown] == ["shot_v001 plate", "shot_v001 character"]
    assert said["placed"]["source_muted"] is False


def test_results_look_as_the_strip_that_they_were_made_from(said: dict[str, Any]) -> None:
    dressed = said["dressed"]
    assert dressed["comp"] == [[True, True], 9, True, 0.5, 2, dressed["source_points"]]
    assert dressed["matte"] == [[True, True], 9, True, 1.0, 0]
    assert dressed["source_muted"] is True


def test_a_faded_strip_is_muted_only_where_no_frame_of_it_is_lost(said: dict[str, Any]) -> None:
    assert said["faded"] == [False, True]


@pytest.mark.parametrize("what", ["renamed", "cut", "scene_renamed"])
def test_results_find_their_place_after_all(said: dict[str, Any], what: str) -> None:
    assert said["meanwhile"][what] == [["shot_v001 comp", 8, 14, 20, False, "COLOR_04"], 1]


def test_results_move_with_the_clip(said: dict[str, Any]) -> None:
    assert said["meanwhile"]["moved"][0][2:4] == [24, 30]


def test_results_of_a_deleted_clip_lie_above_everything(said: dict[str, Any]) -> None:
    assert said["meanwhile"]["deleted"][0][1:4] == [10, 14, 20]


def test_results_of_a_clip_in_a_meta_lie_beside_it_in_the_meta(said: dict[str, Any]) -> None:
    assert said["meanwhile"]["in_meta"] == [["shot_v001 comp", 8, 14, 20, False, "COLOR_04"], 0]
    assert said["meanwhile"]["canvas_in_meta"] == [["shot_v001 comp", 9, 14, 20, False, "COLOR_04"], 1]


def test_a_version_takes_the_place_of_another_on_all_strips_that_are_left(said: dict[str, Any]) -> None:
    swapped = said["swapped"]
    assert swapped["versions"] == [2]
    assert "my matte" in swapped["names"]
    assert len([name for name in swapped["names"] if name.startswith("shot_v002 comp")]) == 2
    assert [Path(path).name for path in swapped["files"]] == [f"shot_v002_comp.{n}.png" for n in range(1001, 1007)]
    assert all(Path(path).is_file() for path in swapped["files"])


def test_a_version_that_can_not_be_swapped_is_refused_whole(said: dict[str, Any]) -> None:
    swapped = said["swapped"]
    assert "shot_v001 has 5 frames" in swapped["shorter"]
    assert "does not exist" in swapped["gone"]
    assert "without the pass" in swapped["without"]
    assert swapped["versions_after"] == [2]


def test_too_few_channels_are_told(said: dict[str, Any]) -> None:
    assert "no 7 free channels in a row above channel 123" in said["full"]


def test_results_are_found_when_the_file_is_saved_elsewhere(said: dict[str, Any]) -> None:
    assert said["saved_elsewhere"] == [True, True, True]


def test_placing_is_undone_and_redone(said: dict[str, Any]) -> None:
    assert said["undone"] == [7, 0, 7]
