# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be set of the Wan engine, as a job words it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from backend.contract.job import Setting
from backend.engines.settings import SettingInvalidError, read_settings
from backend.engines.wan.sampler import SolverName
from backend.engines.wan.settings import LoraChoice, WanSettings, Windows
from backend.engines.wan.windows import OVERLAPS
from tools.layout import ROOT

OFFERED = {"_SOLVERS", "_WINDOWS", "_OVERLAPS"}


def read(**words: str) -> WanSettings:
    return read_settings(WanSettings, tuple(Setting(name=name, value=value) for name, value in words.items()))


def test_a_job_words_the_settings() -> None:
    settings = read(models="m", steps="6", solver="dpmpp", windows="official", correct_drift="yes", overlap="5")
    assert settings == WanSettings(
        models=Path("m"), steps=6, solver=SolverName("dpmpp"), windows=Windows.OFFICIAL, correct_drift=True, overlap=5
    )


def test_what_the_panel_offers_is_what_the_engine_takes() -> None:
    tree = ast.parse((ROOT / "properties.py").read_text("utf-8"))
    tables = {
        node.targets[0].id: [item[0] for item in ast.literal_eval(node.value)]
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in OFFERED
    }
    assert [SolverName(value) for value in tables["_SOLVERS"]] == list(SolverName)
    assert [Windows(value) for value in tables["_WINDOWS"]] == list(Windows)
    assert [int(value) for value in tables["_OVERLAPS"]] == list(OVERLAPS)


@pytest.mark.parametrize(
    ("word", "choice"),
    [
        ("a.safetensors", LoraChoice(Path("a.safetensors"))),
        ("a.safetensors:0.5", LoraChoice(Path("a.safetensors"), 0.5)),
        ("C:/loras/a.safetensors", LoraChoice(Path("C:/loras/a.safetensors"))),
        ("C:/loras/a.safetensors:-1", LoraChoice(Path("C:/loras/a.safetensors"), -1.0)),
    ],
)
def test_a_lora_is_a_file_with_or_without_a_strength(word: str, choice: LoraChoice) -> None:
    assert read(lora=word).lora == (choice,)


@pytest.mark.parametrize(("name", "value"), [("steps", "0"), ("guidance", "0.5"), ("relight", "2.1"), ("cells", "0")])
def test_a_number_out_of_its_range_is_refused(name: str, value: str) -> None:
    with pytest.raises(SettingInvalidError, match=f"{name} is {value}; it can be"):
        read(**{name: value})
