# SPDX-License-Identifier: GPL-3.0-or-later
"""What the results of stages hang on beside their inputs."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from backend.engines.draft.engine import DraftEngine
from backend.pipeline.engines import ENGINES
from backend.pipeline.fingerprint import Fingerprint
from backend.pipeline.stage import Result
from backend.pipeline.stages import Character, Find


def test_a_new_version_of_an_engine_makes_its_own_results_anew_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    other: Any = SimpleNamespace(version=1)
    monkeypatch.setitem(ENGINES, "other", lambda settings: other)
    picture = Fingerprint(Path("character.png"), "digest")
    stages = (Character("draft", picture, False), Character("other", picture, False), Find(Result(Path(), "frames")))
    before = [stage.key for stage in stages]
    monkeypatch.setattr(DraftEngine, "version", DraftEngine.version + 1)
    assert [stage.key == key for stage, key in zip(stages, before, strict=True)] == [False, True, True]
