# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way on real footage with a small checkpoint of random numbers: killed between windows, equal pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend.contract.events import Delivered, Event, StageDone, StageKept
from backend.media.clip import open_clip
from backend.media.images import read_picture
from tests.footage import footage_named
from tests.worker import Hold, Worker, delivered_bytes

from .checkpoints import write_models_folder

FIRST, LAST = 60, 65


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_models_folder(tmp_path_factory.mktemp("models"))


def words(models: Path, output: Path) -> list[str | Path]:
    settings = {"models": models, "area_px": 160 * 96, "longest_window": 5, "steps": 1}
    chosen = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    return ["--engine", "wan", "--first", str(FIRST), "--last", str(LAST), "--output", output, *chosen]


def version(events: list[Event]) -> Path:
    return Path(next(event.folder for event in events if isinstance(event, Delivered)))


def test_a_shot_killed_between_windows_comes_out_equal_and_its_plate_is_the_clips(models: Path, tmp_path: Path) -> None:
    clip, character = footage_named("alley_boy.mp4"), footage_named("scholar.jpeg")
    hold = Hold(StageDone, "generate", tmp_path / "never")
    worker = Worker("replace", clip, character, *words(models, tmp_path), hold=hold)
    worker.await_hold()
    worker.kill()
    [job] = (tmp_path / ".understudy" / "jobs").iterdir()
    code, events = Worker("resume", job).end()
    assert code == 0, events[-1]
    assert [event.stage for event in events if isinstance(event, StageKept)].count("generate") == 1
    resumed = version(events)
    for place, frame in enumerate(open_clip(clip).frames(FIRST, LAST, 8)):
        comp, change = (
            read_picture(next((resumed / name).glob(f"*.{1001 + place}.png"))) for name in ("comp", "change_matte")
        )
        assert np.array_equal(comp[change == 0], frame[change == 0])
        assert (change == 0).mean() > 0.5
    for window in (tmp_path / ".understudy" / "stages").glob("generate-*"):
        window.rename(window.with_name(f"gone-{window.name}"))
    code, events = Worker("replace", clip, character, *words(models, tmp_path)).end()
    assert code == 0, events[-1]
    assert delivered_bytes(version(events)) == delivered_bytes(resumed)


def test_a_character_is_animated_by_a_clip(models: Path, tmp_path: Path) -> None:
    clip, character = footage_named("alley_boy.mp4"), footage_named("scholar.jpeg")
    code, events = Worker("animate", character, clip, *words(models, tmp_path)).end()
    assert code == 0, events[-1]
    assert len(list((version(events) / "comp").glob("*.png"))) == LAST - FIRST + 1
