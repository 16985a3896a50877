# SPDX-License-Identifier: GPL-3.0-or-later
"""The Wan engine through the real operators: refused without weights, checked, run, and its settings brought back.

FOLDER holds `clip/`, `character.png` and `models/`. The Python with torch is named by UNDERSTUDY_WAN.
"""

from __future__ import annotations

import os
from typing import Any

import bpy

from tests.blender.inside.jobs import add_clip, do, is_over, newest, refused, told, wait
from tests.blender.inside.stage import FOLDER, new_scene, run

LORA = str(FOLDER / "models" / "relighting_lora" / "adapter_model.safetensors")


def generated() -> dict[str, Any]:
    """Choose the engine before anything is set up, then set it up, check and replace."""
    from understudy.session import questions

    scene: Any = new_scene("Shot", 480, 270)
    bpy.context.window.scene = scene
    add_clip(scene)
    settings, preferences = scene.understudy, bpy.context.preferences.addons["understudy"].preferences
    settings.folder, settings.engine, settings.seed = str(FOLDER / "out"), "wan", 7
    settings.first.character = bpy.data.images.load(str(FOLDER / "character.png"))
    settings.passes = {"comp", "matte"}
    says: dict[str, Any] = {"no models": refused(do.understudy.start_job)}
    preferences.models_folder = str(FOLDER / "models")
    says["no environment"] = started()
    preferences.wan_python = os.environ["UNDERSTUDY_WAN"]
    settings.wan.steps, settings.wan.relight = 1, 0.5
    do.understudy.add_lora()
    settings.wan.loras[0].path, settings.wan.loras[0].strength = LORA, 0.25
    do.understudy.check_job()
    wait(lambda: not questions.answers.is_asking)
    says["plan"] = list(questions.answers.plan.remarks) if questions.answers.plan else questions.answers.hint
    says["done"] = started()
    says["strips"], says["notices"] = told(scene), list(newest().notices)
    return says


def started() -> list[str]:
    """Start the job and wait for its end."""
    do.understudy.start_job()
    wait(is_over)
    return [str(newest().state), f"{newest().message} {newest().hint}"]


def recalled() -> dict[str, Any]:
    """Change the settings, and bring the job's back."""
    settings: Any = bpy.context.scene.understudy
    settings.engine, settings.seed, settings.wan.steps = "draft", 0, 30
    settings.wan.loras.clear()
    do.understudy.recall_job()
    [lora] = settings.wan.loras
    return {
        "engine": settings.engine,
        "numbers": [settings.seed, settings.wan.steps, round(settings.wan.relight, 4), settings.wan.area_px],
        "lora": [lora.path, lora.strength],
    }


if __name__ == "__main__":
    import addon_utils  # there only once bpy is

    addon_utils.enable("understudy", default_set=True)
    from understudy.session import program

    # here the extension is no extension of a repository, whose user folder Blender would name
    program.environment_folder = lambda: FOLDER / "environments"
    run(lambda: {act.__name__: act() for act in (generated, recalled)})
