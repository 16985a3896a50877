# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way in real Blenders: a strip goes in, a job runs in the real worker, strips come out."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.media.images import read_picture
from tests.blender.blenders import THOROUGH
from tests.blender.conftest import blender_or_skip
from tests.blender.inside_run import run_inside
from tests.rendered import character_picture, write_cut

SIZE = (480, 270)
FRAMES = 7
"""Of the clip; the first is trimmed off."""


@pytest.fixture(scope="module", params=THOROUGH)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What that Blender tells of `inside/jobs.py`, and the folder it was given."""
    folder: Path = tmp_path_factory.mktemp("jobs")
    blender = blender_or_skip(request.param, folder / "blender")
    write_cut(folder / "clip", FRAMES)
    (folder / "character.png").write_bytes(character_picture().read_bytes())
    return {"folder": folder, **run_inside(blender, "jobs.py", folder)}


def test_what_is_missing_is_said_before_anything_is_made(told: dict[str, Any]) -> None:
    assert "strip" in told["replaced"]["no strip"]
    assert "character" in told["replaced"]["no character"]


def test_a_job_that_is_stopped_is_resumed_to_its_end(told: dict[str, Any]) -> None:
    assert told["replaced"]["stopped"] == "stopped"
    assert told["replaced"]["resumed"] == "done", told["replaced"]["message"]


def test_every_pass_lies_over_the_strip_as_it_is_trimmed(told: dict[str, Any]) -> None:
    strips = told["replaced"]["strips"]
    assert {(first, last) for _, first, last, _ in strips} == {(11, 16)}
    assert [name for name, _, _, is_muted in strips if not is_muted] == ["comp"]
    assert len(strips) == 8


def test_how_the_newest_frame_comes_out_is_shown(told: dict[str, Any]) -> None:
    frame, path = told["replaced"]["newest"]
    assert 0 <= frame < FRAMES
    assert read_picture(Path(path)).shape == (144, 256, 3)


def test_the_frames_that_go_in_are_those_that_the_strip_shows(told: dict[str, Any]) -> None:
    folder, delivered = told["folder"], Path(told["replaced"]["delivered"])
    for place in range(FRAMES - 1):
        stem = f"{delivered.name}_{{}}.{1001 + place}.png"
        comp, change = (read_picture(delivered / name / stem.format(name)) for name in ("comp", "change_matte"))
        clip = read_picture(folder / "clip" / f"frame.{place + 1:04d}.png")
        assert np.array_equal(comp[change == 0], clip[change == 0])


def test_a_change_makes_the_next_version_and_the_strips_can_show_it(told: dict[str, Any]) -> None:
    assert told["replaced"]["again"] == ["done", 2]
    assert told["versions"]["next"] == [2]
    assert "no version after v002" in told["versions"]["beyond"]


def test_questions_are_answered(told: dict[str, Any]) -> None:
    assert told["asked"]["hint"] == ""
    assert told["asked"]["people"] == 1
    assert told["asked"]["planned"] == FRAMES - 1
    [found] = told["asked"]["found"]
    assert "face" in found
    assert read_picture(Path(told["asked"]["preview"])).shape == (SIZE[1], SIZE[0], 3)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere Blender's own operator opens files")
def test_folder_and_preview_are_opened_without_waiting_or_it_is_said_why_not(told: dict[str, Any]) -> None:
    opened = told["opened"]
    for name, path in (("folder", opened["job"]), ("preview", told["asked"]["preview"])):
        shown, refused = opened[name]
        assert shown == path
        assert f"Nothing is here that would open {path}" in refused and "Install xdg-utils" in refused
    assert opened["waited"] is False


def test_jobs_left_to_their_workers_are_found_again_and_placed(told: dict[str, Any]) -> None:
    assert told["left_behind"]["ends"] == [["done", 8], ["done", 8]]
