# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way with a small checkpoint of random numbers: through the worker, killed between windows, both modes."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from backend.contract.errors import UnderstudyError
from backend.contract.events import Delivered, Event, JobDone, Noticed, PictureShown, StageDone, StageKept, StepsDone
from backend.contract.job import Casting, Delivery, Job, Mode, Setting, Shot
from backend.contract.jobfolder import job_folder, write_job
from backend.media.images import read_picture
from backend.pipeline.perform import perform
from backend.pipeline.preflight import clear
from tests.shot.conftest import SmallShot, small_shot
from tests.worker import Hold, delivered_bytes

from .checkpoints import tiny_vae, write_models_folder, write_pth

__all__ = ["small_shot"]

FRAMES = 6
SETTINGS = {"area_px": 160 * 96, "longest_window": 5, "steps": 2}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_models_folder(tmp_path_factory.mktemp("models"))


def settings(folder: Path, **more: object) -> dict[str, object]:
    return {"models": folder} | SETTINGS | more


def job_of(shot: SmallShot, output: Path, settings: dict[str, object], mode: Mode = Mode.REPLACE) -> Job:
    return Job(
        id="small",
        mode=mode,
        shot=Shot(source=str(shot.clip), last=FRAMES - 1),
        cast=(Casting(character=str(shot.character)),),
        delivery=Delivery(folder=str(output), name="small"),
        engine="wan",
        settings=tuple(Setting(name=name, value=str(value)) for name, value in settings.items()),
    )


def performed(folder: Path) -> tuple[Path, list[Event]]:
    """Do a folder's job in this process, which has torch already: a new one would take longer than the job."""
    events: list[Event] = []
    ending = perform(folder, events.append, lambda: False)
    assert isinstance(ending, JobDone), ending
    return Path(next(event for event in events if isinstance(event, Delivered)).folder), events


def done(job: Job) -> tuple[Path, list[Event]]:
    folder = job_folder(Path(job.delivery.folder), job.id)
    write_job(folder, job)
    return performed(folder)


@pytest.fixture(scope="module")
def undisturbed(
    small_shot: SmallShot, models: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[Event]]:
    return done(job_of(small_shot, tmp_path_factory.mktemp("undisturbed"), settings(models)))


def test_a_shot_is_replaced_window_by_window(undisturbed: tuple[Path, list[Event]]) -> None:
    version, events = undisturbed
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


def test_the_sidecar_tells_the_very_weights_that_made_the_version_and_their_reading_is_told_in_megabytes(
    undisturbed: tuple[Path, list[Event]], models: Path
) -> None:
    version, events = undisturbed
    told = json.loads((version / f"{version.name}.json").read_text("utf-8"))["weights"]
    there = {path.as_posix(): path.read_bytes() for path in models.rglob("*") if path.is_file()}
    assert told == {name: hashlib.sha256(there[name]).hexdigest() for name in told}
    assert {name.rpartition("/")[2] for name in told} >= {"Wan2.1_VAE.pth"}
    *_, last = [event for event in events if isinstance(event, StepsDone) and event.stage == "weights"]
    assert last.done_steps == last.total_steps == sum(len(there[name]) for name in told) // 1_000_000 > 0


def test_a_kill_between_windows_changes_no_pixel(
    small_shot: SmallShot, models: Path, tmp_path: Path, undisturbed: tuple[Path, list[Event]]
) -> None:
    words = (word for name, value in settings(models).items() for word in ("--set", f"{name}={value}"))
    hold = Hold(StageDone, "generate", tmp_path / "never")
    worker = small_shot.replace(tmp_path, "--engine", "wan", *words, hold=hold)
    worker.await_hold()
    worker.kill()
    [job] = (tmp_path / ".understudy" / "jobs").iterdir()
    version, events = performed(job)
    kept = [event.stage for event in events if isinstance(event, StageKept)]
    assert kept.count("generate") == 1
    assert delivered_bytes(version) == delivered_bytes(undisturbed[0])


@pytest.fixture(scope="module")
def animated(small_shot: SmallShot, models: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Event]]:
    """Animated with a models folder that holds the tiny VAE, too."""
    folder = tmp_path_factory.mktemp("animated")
    shutil.copytree(models, folder / "models", dirs_exist_ok=True)
    write_pth(folder / "models" / "taew2_1.pth", tiny_vae())
    return done(job_of(small_shot, folder / "out", settings(folder / "models"), Mode.ANIMATE))


def test_a_character_is_animated(animated: tuple[Path, list[Event]]) -> None:
    version, _ = animated
    mattes = [read_picture(path) for path in (version / "matte").glob("*.png")]
    assert len(mattes) == FRAMES
    assert all((matte == 255).all() for matte in mattes)


def test_the_tiny_vae_shows_pictures_of_the_generated_size(
    animated: tuple[Path, list[Event]], undisturbed: tuple[Path, list[Event]]
) -> None:
    """The linear map's are three eighths of it. Of a killed or ended job the last picture is kept."""
    shown = [[e for e in events if isinstance(e, PictureShown)][-1].path for _, events in (animated, undisturbed)]
    tiny, linear = (read_picture(Path(path)) for path in shown)
    assert tiny.shape[0] % 16 == tiny.shape[1] % 16 == 0
    assert tiny.std() > 0
    assert tiny.size > 4 * linear.size


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"models": "nowhere"}, "models folder"),
        ({"overlap": 2}, "share 2"),
        ({"relight": 2.5}, "0 to 2"),
        ({"steps": "few"}, "whole number"),
        ({"device": "cuda:7"}, "cuda:7"),
        ({"lora": "nowhere.safetensors"}, "nowhere.safetensors"),
    ],
)
def test_what_can_not_work_is_refused_before_a_frame_is_read(
    more: dict[str, object], said: str, small_shot: SmallShot, models: Path, tmp_path: Path
) -> None:
    job = job_of(small_shot, tmp_path, settings(models, **more))
    with pytest.raises(UnderstudyError) as refused:
        clear(job, tmp_path)
    assert said in str(refused.value)
