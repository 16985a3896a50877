# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.contract.errors import FileMissingError
from backend.contract.layout import pass_file
from backend.contract.wire import MessageInvalidError, MessageTooNewError
from backend.media.sidecar import SidecarUnreadableError, read_sidecar_job, sidecar_text
from backend.media.versions import Version

from .test_deliver import job_of, making_of


@pytest.fixture
def sidecar(tmp_path: Path) -> Path:
    path = tmp_path / "shot_v003.json"
    path.write_text(sidecar_text(Version(tmp_path, "shot", 3), job_of(), making_of(4), ["comp", "matte"]), "utf-8")
    return path


def test_a_sidecar_gives_its_job_back_equal(sidecar: Path) -> None:
    assert read_sidecar_job(sidecar) == job_of()


def test_a_sidecar_says_the_same_every_time(sidecar: Path) -> None:
    again = sidecar_text(Version(sidecar.parent, "shot", 3), job_of(), making_of(4), ["comp", "matte"])
    assert sidecar.read_text("utf-8") == again


def test_a_sidecar_names_its_files_and_the_space_of_the_comp(sidecar: Path) -> None:
    data = json.loads(sidecar.read_text("utf-8"))
    assert data["passes"]["comp"]["files"] == "comp/shot_v003_comp.####.png"
    assert pass_file(Version(sidecar.parent, "shot", 3).stem, "comp", "1001") == "comp/shot_v003_comp.1001.png"
    assert "linear" in data["comp_space"]
    assert data["made_with"]["numpy"]


def test_what_is_no_sidecar_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(FileMissingError):
        read_sidecar_job(tmp_path / "none.json")
    for text in ("", "[]", "{}", '{"job_id": "claimed only"}'):
        (tmp_path / "a.json").write_text(text)
        with pytest.raises(SidecarUnreadableError, match=r"a\.json"):
            read_sidecar_job(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("field", "value", "error"), [("v", 99, MessageTooNewError), ("mode", "juggle", MessageInvalidError)]
)
def test_a_newer_or_hand_edited_sidecar_is_refused(
    field: str, value: object, error: type[Exception], sidecar: Path
) -> None:
    data = json.loads(sidecar.read_text("utf-8"))
    data["job"][field] = value
    sidecar.write_text(json.dumps(data), "utf-8")
    with pytest.raises(error):
        read_sidecar_job(sidecar)
