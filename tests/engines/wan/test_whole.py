# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way with a small checkpoint of random numbers: through the worker, killed between windows, both modes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend.contract.events import Delivered, Event, JobRefused, Noticed, PictureShown, StageDone, StageKept, StepsDone
from backend.media.images import read_picture
from tests.shot.conftest import SmallShot, small_shot
from tests.worker import Worker, delivered_bytes

from .checkpoints import write_models_folder

__all__ = ["small_shot"]

FRAMES = 6
SETTINGS = {"area_px": 160 * 96, "longest_window": 5, "steps": 2}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_models_folder(tmp_path_factory.mktemp("models"))


def words(folder: Path, **more: object) -> list[str]:
    settings = {"models": folder} | SETTINGS | more
    return ["--engine", "wan", *(word for name, value in settings.items() for word in ("--set", f"{name}={value}"))]


def delivered(events: list[Event]) -> Delivered:
    return next(event for event in events if isinstance(event, Delivered))


@pytest.fixture(scope="module")
def undisturbed(
    small_shot: SmallShot, models: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[Event]]:
    output = tmp_path_factory.mktemp("undisturbed")
    code, events = small_shot.replace(output, *words(models)).end()
    assert code == 0, events[-1]
    return Path(delivered(events).folder), events


def test_a_shot_is_replaced_window_by_window(undisturbed: tuple[Path, list[Event]]) -> None:
    version, events = undisturbed
    assert delivered(events).frame_count == FRAMES
    generated = [event for event in events if isinstance(event, StageDone) and event.stage == "generate"]
    assert len(generated) == 2
    steps = [(event.done_steps, event.total_steps) for event in events if isinstance(event, StepsDone)]
    assert (2, 2) in steps
    assert any(isinstance(event, PictureShown) for event in events)
    comps = [read_picture(path) for path in sorted((version / "comp").glob("*.png"))]
    assert len(comps) == FRAMES


def test_the_plate_stays_to_the_bit_however_the_vae_saw_it(
    undisturbed: tuple[Path, list[Event]], small_shot: SmallShot
) -> None:
    version, _ = undisturbed
    changed = 0
    for place in range(FRAMES):
        comp, change = (
            read_picture(next((version / name).glob(f"*.{1001 + place}.png"))) for name in ("comp", "change_matte")
        )
        clip = read_picture(small_shot.clip / f"frame.{place + 101:04d}.png")
        assert np.array_equal(comp[change == 0], clip[change == 0])
        changed += int((change > 0).sum())
    assert changed


def test_where_nobody_is_found_in_what_was_generated_the_region_stands_in_and_that_is_said(
    undisturbed: tuple[Path, list[Event]],
) -> None:
    _, events = undisturbed
    told = {event.code for event in events if isinstance(event, Noticed)}
    assert "generated_matte_unfound" in told


def test_a_kill_between_windows_changes_no_pixel(
    small_shot: SmallShot, models: Path, tmp_path: Path, undisturbed: tuple[Path, list[Event]]
) -> None:
    worker = small_shot.replace(tmp_path, *words(models))
    for event in worker.events():
        if isinstance(event, StageDone) and event.stage == "generate":
            break
    worker.kill()
    [job] = (tmp_path / ".understudy" / "jobs").iterdir()
    code, events = Worker("resume", job).end()
    assert code == 0, events[-1]
    kept = [event.stage for event in events if isinstance(event, StageKept)]
    assert kept.count("generate") == 1
    assert delivered_bytes(Path(delivered(events).folder)) == delivered_bytes(undisturbed[0])


def test_a_character_is_animated(small_shot: SmallShot, models: Path, tmp_path: Path) -> None:
    worker = Worker(
        "animate", small_shot.character, small_shot.clip, "--last", "5", "--output", tmp_path, *words(models)
    )
    code, events = worker.end()
    assert code == 0, events[-1]
    version = Path(delivered(events).folder)
    mattes = [read_picture(path) for path in (version / "matte").glob("*.png")]
    assert len(mattes) == FRAMES
    assert all((matte == 255).all() for matte in mattes)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"models": "nowhere"}, "models folder"),
        ({"overlap": 2}, "share 2"),
        ({"relight": 2.5}, "0 to 2"),
        ({"steps": "few"}, "whole number"),
        ({"device": "cuda:7"}, "cuda:7"),
    ],
)
def test_what_can_not_work_is_refused_before_a_frame_is_read(
    more: dict[str, object], said: str, small_shot: SmallShot, models: Path, tmp_path: Path
) -> None:
    code, events = small_shot.replace(tmp_path, *words(models, **more)).end()
    assert code != 0
    [refused] = [event for event in events if isinstance(event, JobRefused)]
    assert said in refused.message
    assert not any(isinstance(event, StageDone) for event in events)
