# SPDX-License-Identifier: GPL-3.0-or-later
"""Nobody changes what a stage computes and leaves its version: old results would be taken for new ones."""

from __future__ import annotations

import json
from pathlib import Path

from tools.stage_sources import RECORD, stage_sources


def test_a_stage_whose_code_changed_has_a_new_version() -> None:
    now, recorded = stage_sources(), json.loads(RECORD.read_text("utf-8"))
    stale = [
        name
        for name, source in now.items()
        if source["sha256"] != recorded.get(name, source)["sha256"] and source["version"] == recorded[name]["version"]
    ]
    assert not stale, (
        f"The code of {', '.join(stale)} changed. If its result can differ by a bit, raise `version` in "
        "backend/pipeline/stages.py, or in the engine's engine.py; then record the state with "
        "`python3.11 -m tools.stage_sources`."
    )


def test_every_stage_and_version_is_recorded() -> None:
    now, recorded = stage_sources(), json.loads(RECORD.read_text("utf-8"))
    assert {name: source["version"] for name, source in now.items()} == {
        name: source["version"] for name, source in recorded.items()
    }


def test_the_hash_reaches_code_that_is_imported_within_functions() -> None:
    """Some libraries are slow to import; the code that uses them decides over pixels all the same."""
    from tools import stage_sources as module

    seen: set[Path] = set()
    module._follow(module.ROOT / "backend" / "pipeline" / "engines.py", seen)
    assert module.ROOT / "backend" / "engines" / "draft" / "engine.py" in seen


def test_an_engine_is_recorded_apart_from_the_stages_that_it_computes() -> None:
    from tools import stage_sources as module

    seen: set[Path] = set()
    module._follow(module.STAGES, seen, (module.ENGINES / "draft", module.ENGINES / "wan"))
    assert module.ENGINES / "base.py" in seen
    assert not [path for path in seen if path.is_relative_to(module.ENGINES) and path.parent != module.ENGINES]
    assert {"engine draft", "engine wan"} <= module.stage_sources().keys()
