# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs as an artist starts them: real operators, the real worker, results on strips.

FOLDER holds `clip/`, a picture sequence, and `character.png`. The worker's Python is named by UNDERSTUDY_WORKER.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

from tests.blender.inside.stage import FOLDER, Scene, Strip, add_images, new_scene, run, set_time, strips_of, wait_until

do: Any = bpy.ops
"""Blender's operators, the extension's among them, which no stub knows."""
_START = 11
_TRACKED = ("track", "matte", "plate", "generate", "deliver")
"""Stages of a job from its tracking on."""
_VIEWER = """#!/bin/sh
echo "$1" > "{folder}/shown"
for _ in $(seq 600); do [ -e "{folder}/closed" ] && exit; sleep 0.1; done
touch "{folder}/waited for"
"""
"""A desktop's opener that stays until its window is closed."""


def switch_on() -> None:
    """Enable the extension, and let the worker run in the Python that has its libraries."""
    import addon_utils  # there only once bpy is

    addon_utils.enable("understudy", default_set=True)
    from understudy.session import program
    from understudy.worker_client.launch import Program

    root = Path(__file__).resolve().parents[3]

    def with_libraries(engine: str = program.DRAFT) -> Program:
        assert engine == program.DRAFT
        return Program(python=Path(os.environ["UNDERSTUDY_WORKER"]), code=root, libraries=())

    program.program = with_libraries


def add_clip(scene: Scene) -> Strip:
    """Lay the pictures into a scene, the first frame trimmed, and make the strip the active one."""
    strip = add_images(scene, sorted((FOLDER / "clip").glob("*.png")), start=_START - 1)
    set_time(strip, "frame_offset_start", 1)
    strip.name = "talk"
    scene.sequence_editor.active_strip = strip
    return strip


def wait(is_so: Callable[[], bool]) -> None:
    """Tick as Blender's timer does, until something is so. Raises TimeoutError."""
    from understudy.session import timer

    wait_until(is_so, timer.tick)


def newest() -> Any:
    """Give the job that was started last."""
    from understudy.session import jobs

    return jobs.queue.views[-1]


def is_over() -> bool:
    """Whether nobody does anything."""
    from understudy.session import jobs

    return bool(jobs.queue.is_idle)


def told(scene: Scene) -> list[list[Any]]:
    """Tell of result strips: pass, first and last frame, whether muted."""
    from understudy.sequencer.compat import end_frame, first_frame
    from understudy.sequencer.take import pass_of, take_strips

    strips = take_strips(scene, newest().id)
    return [[pass_of(strip), first_frame(strip), end_frame(strip) - 1, bool(strip.mute)] for strip in strips]


def refused(what: Callable[[], object]) -> str:
    """Return what an operator says when it refuses."""
    try:
        what()
    except RuntimeError as error:
        return str(error)
    return "nothing"


def replaced() -> dict[str, Any]:
    """Stop a job and resume it, look at its strips, replace again, and go back a version."""
    scene = new_scene("Shot", 480, 270)
    bpy.context.window.scene = scene
    says: dict[str, Any] = {"no strip": refused(do.understudy.start_job)}
    add_clip(scene)
    settings = scene.understudy
    settings.folder = str(FOLDER / "out")
    says["no character"] = refused(do.understudy.start_job)
    settings.first.character = bpy.data.images.load(str(FOLDER / "character.png"))
    do.understudy.start_job()
    wait(lambda: newest().stage in _TRACKED)  # a busy Blender may hear of several stages at once
    do.understudy.cancel_job()
    wait(is_over)
    says["stopped"] = str(newest().state)
    do.understudy.resume_job()
    wait(is_over)
    view = newest()
    says |= {"resumed": str(view.state), "message": view.message, "strips": told(scene)}
    says["delivered"] = view.delivered.folder if view.delivered else ""
    says["newest"] = [view.shown.frame, view.shown.path] if view.shown else []
    settings.first.scale = 0.9
    do.understudy.start_job()
    wait(is_over)
    says["again"] = [str(newest().state), newest().delivered.version]
    return says


def versions() -> dict[str, Any]:
    """Swap the strips of the first version for the second's, and find the end of the line."""
    from understudy.sequencer.take import take_strips, version_of
    from understudy.session import jobs

    scene: Any = bpy.context.scene
    strips = take_strips(scene, jobs.queue.views[0].id)
    scene.sequence_editor.active_strip = strips[-1]
    do.understudy.next_version()
    shown = sorted({version_of(strip) for strip in strips})
    return {"next": shown, "beyond": refused(do.understudy.next_version)}


def asked() -> dict[str, Any]:
    """Ask who is there, and for one frame."""
    from understudy.session import questions

    scene: Any = bpy.context.scene
    scene.sequence_editor.active_strip = next(strip for strip in strips_of(scene) if strip.name == "talk")
    scene.frame_current = _START + 3
    do.understudy.find_performers()
    wait(lambda: not questions.answers.is_asking)
    people = len(questions.answers.people)
    do.understudy.check_job()
    wait(lambda: not questions.answers.is_asking)
    planned = questions.answers.plan.frames if questions.answers.plan else 0
    do.understudy.preview_frame()
    wait(lambda: not questions.answers.is_asking)
    answers = questions.answers
    preview = answers.preview
    return {
        "planned": planned,
        "people": people,
        "preview": str(preview),
        "found": list(answers.found.values()),
        "hint": answers.hint,
    }


def opened() -> dict[str, Any]:
    """Open the folder of a job and the preview, on a desktop whose viewer stays, and then where there is none."""
    desktop = FOLDER / "desktop"
    desktop.mkdir()
    opener = desktop / "xdg-open"
    opener.write_text(_VIEWER.format(folder=desktop))
    opener.chmod(0o755)
    path, said = os.environ["PATH"], dict[str, Any]()
    for name, press in (("folder", do.understudy.open_folder), ("preview", do.understudy.open_preview)):
        (desktop / "shown").unlink(missing_ok=True)
        (desktop / "closed").unlink(missing_ok=True)
        os.environ["PATH"] = f"{desktop}:{path}"
        press()
        wait(lambda: (desktop / "shown").exists() and bool((desktop / "shown").read_text()))
        (desktop / "closed").touch()
        os.environ["PATH"] = str(FOLDER)
        said[name] = [(desktop / "shown").read_text().strip(), refused(press)]
    os.environ["PATH"] = path
    return {**said, "waited": (desktop / "waited for").exists(), "job": str(newest().delivered.folder)}


def left_behind() -> dict[str, Any]:
    """Leave jobs to workers that need no Blender, and find them as a Blender opened later would: at work, and done."""
    from understudy.backend.contract.jobfolder import is_running
    from understudy.session import jobs

    scene: Any = bpy.context.scene
    bpy.context.preferences.addons["understudy"].preferences.keep_running = True
    do.wm.save_as_mainfile(filepath=str(FOLDER / "shot.blend"))
    ends = []
    for scale, is_left_to_its_end in ((0.8, False), (0.7, True)):
        scene.understudy.first.scale = scale
        do.understudy.start_job()
        wait(lambda: newest().stage != "")
        folder = newest().folder
        jobs.shutdown()
        if is_left_to_its_end:
            wait_until(lambda: not is_running(folder))  # noqa: B023  called before the next round
        jobs.look_for_jobs([FOLDER / "out" / ".understudy"])
        wait(lambda: folder in {view.folder for view in jobs.queue.views})  # noqa: B023  called before the next round
        wait(is_over)
        ends.append([str(newest().state), len(told(scene))])
    return {"ends": ends}


if __name__ == "__main__":
    switch_on()
    run(lambda: {act.__name__: act() for act in (replaced, versions, asked, opened, left_behind)})
