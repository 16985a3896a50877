# SPDX-License-Identifier: GPL-3.0-or-later
"""What will not do is refused in words before anything is generated, and nothing is lost."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from backend.contract import layout
from backend.contract.events import JobRefused
from backend.media.images import write_picture
from tests.painted import write_movie
from tests.worker import Worker

Make = Callable[[Path], Path]


def _missing(folder: Path) -> Path:
    return folder / "none.mp4"


def _empty(folder: Path) -> Path:
    (folder / "empty.mp4").touch()
    return folder / "empty.mp4"


def _text(folder: Path) -> Path:
    (folder / "text.mp4").write_text("This is no movie.\n" * 100)
    return folder / "text.mp4"


def _truncated(folder: Path) -> Path:
    whole = write_movie(folder / "whole.mp4", 12).read_bytes()
    (folder / "half.mp4").write_bytes(whole[: len(whole) // 2])
    return folder / "half.mp4"


def _audio(folder: Path) -> Path:
    with wave.open(str(folder / "sound.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16000))
    return folder / "sound.wav"


def _gap(folder: Path) -> Path:
    sequence = folder / "sequence"
    sequence.mkdir()
    for number in (1, 2, 5):
        write_picture(sequence / f"a.{number:04d}.png", np.zeros((48, 64, 3), np.uint8))
    return sequence


def _good_clip(folder: Path) -> Path:
    return write_movie(folder / "good.mp4", 4)


def _pixel(folder: Path) -> Path:
    write_picture(folder / "pixel.png", np.zeros((1, 1, 3), np.uint8))
    return folder / "pixel.png"


def _giant(folder: Path) -> Path:
    write_picture(folder / "giant.png", np.zeros((16000, 16000), np.uint8))
    return folder / "giant.png"


def _good_character(folder: Path) -> Path:
    write_picture(folder / "grey.png", np.full((64, 64, 3), 90, np.uint8))
    return folder / "grey.png"


@pytest.mark.parametrize(
    ("clip", "character", "said"),
    [
        (_missing, _good_character, "does not exist"),
        (_empty, _good_character, "empty"),
        (_text, _good_character, "text.mp4"),
        (_truncated, _good_character, "half.mp4"),
        (_audio, _good_character, "sound.wav"),
        (_gap, _good_character, "3 to 4"),
        (_good_clip, _missing, "character picture"),
        (_good_clip, _empty, "empty.mp4"),
        (_good_clip, _gap, "sequence can't be read"),
        (_good_clip, _good_clip, "good.mp4 can't be read"),
        (_good_clip, _pixel, "1 x 1"),
        (_good_clip, _giant, "16000 x 16000"),
    ],
)
def test_a_file_that_will_not_do_is_refused_by_name(clip: Make, character: Make, said: str, tmp_path: Path) -> None:
    words = ("replace", clip(tmp_path), character(tmp_path), "--output", tmp_path / "o")
    code, events = Worker(*words).end()
    ending = events[-1]
    assert isinstance(ending, JobRefused), ending
    assert code == 3
    assert said in ending.message
    assert ending.hint
    assert not list((tmp_path / "o").glob("[!.]*"))
    assert not list((tmp_path / "o" / layout.WORK / layout.STAGES).glob("*-*"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--first", "2", "--last", "9"), "9"),
        (("--fps", "24/0"), "shot.fps"),
        (("--scale", "0"), "scale"),
        (("--engine", "wand"), "no engine 'wand'"),
        (("--name", "a/b"), "delivery.name"),
        (("--matte", "nowhere"), "performer matte"),
    ],
)
def test_a_setting_that_will_not_do_is_refused_by_name(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    output = tmp_path / "o"
    worker = Worker("replace", _good_clip(tmp_path), _good_character(tmp_path), "--output", output, *words)
    code, events = worker.end()
    ending = events[-1]
    assert isinstance(ending, JobRefused), ending
    assert code == 3
    assert said in ending.message


def test_an_output_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "o").touch()
    code, events = Worker("replace", _good_clip(tmp_path), _good_character(tmp_path), "--output", tmp_path / "o").end()
    assert code == 3
    assert isinstance(events[-1], JobRefused)


def test_a_path_that_is_too_long_is_refused(tmp_path: Path) -> None:
    output = tmp_path / ("x" * 300)
    code, events = Worker("replace", _good_clip(tmp_path), _good_character(tmp_path), "--output", output).end()
    assert code == 3
    assert isinstance(events[-1], JobRefused)
    assert "too long" in events[-1].message
