# SPDX-License-Identifier: GPL-3.0-or-later
"""The Wan engine's environment as an artist makes it: real operators, the real worker, a mirror on this machine.

FOLDER holds `list.txt`. The mirror is named by pip's own variables. Only an installed extension has a user folder, so
it is imported as one.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import bpy

from tests.blender.inside.stage import FOLDER, run, wait_until

EXTENSION = "bl_ext.user_default.understudy"
do: Any = bpy.ops
"""Blender's operators, the extension's among them, which no stub knows."""


def part(name: str) -> Any:
    """Import a module of the extension."""
    return import_module(f"{EXTENSION}.{name}")


def wait(is_so: Callable[[], bool]) -> None:
    """Tick as Blender's timer does, until something is so. Raises TimeoutError."""
    wait_until(is_so, part("session.timer").tick)


def said_of(what: Callable[[], object]) -> str:
    """Return what refuses it."""
    try:
        what()
    except RuntimeError as error:
        return str(error)
    return ""


def refusals() -> dict[str, str]:
    """Ask for what can't be: offline, and of an engine without an environment."""
    preferences = part("preferences")
    program = part("session.program")

    said = {"offline": said_of(do.understudy.create_environment), "none": said_of(do.understudy.check_environment)}
    for name, path in (("gone", FOLDER / "gone" / "bin" / "python"), ("unfinished", unfinished())):
        preferences.choose_wan_python(bpy.context, path)
        try:
            program.program("wan")
        except part("backend.contract.errors").UnderstudyError as error:
            said[name] = error.advice
    preferences.choose_wan_python(bpy.context, Path())
    return said


def unfinished() -> Path:
    """Lay down what a making that was cut short leaves."""
    environment_of = part("backend.contract.environment").environment_of
    python_of = part("backend.contract.environment").python_of
    environment_folder = part("session.program").environment_folder

    python = python_of(environment_of(environment_folder()))
    python.parent.mkdir(parents=True)
    python.touch()
    return python


def allow_online() -> None:
    """Do what the artist is told to."""
    bpy.context.preferences.system.use_online_access = True
    assert bpy.app.online_access


def create() -> dict[str, Any]:
    """Stop it in the middle, then go on to the end."""
    environment = part("session.environment")
    program = part("session.program")

    do.understudy.create_environment()
    goes_on = not environment._worker.is_over()
    twice = said_of(do.understudy.create_environment)
    wait(lambda: environment.shown.done_mb >= 6)
    shown = environment.shown
    do.understudy.stop_environment()
    wait(lambda: not environment.shown.is_busy)
    stopped = environment.shown
    (FOLDER / "go_on").touch()
    do.understudy.create_environment()
    wait(lambda: not environment.shown.is_busy)
    made = program.program("wan")
    return {
        "goes_on": goes_on,
        "twice": twice,
        "in_between": [shown.stage, shown.done_mb, shown.total_mb, shown.is_busy],
        "stopped": stopped.message,
        "end": [environment.shown.message, environment.shown.hint, environment.shown.ready],
        "python": str(made.python),
        "libraries": list(map(str, made.libraries)),
        "draft": str(program.program().python),
    }


def drawn() -> list[str]:
    """Draw the preferences' part, with something to show, and list the texts."""
    draw_environment = part("panels.environment").draw_environment
    environment = part("session.environment")

    class Layout:
        def __init__(self) -> None:
            self.texts: list[str] = []
            self.alert = False

        def row(self, **_: Any) -> Layout:
            return self

        column = row

        def operator(self, name: str, **_: Any) -> None:
            self.texts.append(name)

        def label(self, text: str = "", **_: Any) -> None:
            self.texts.append(text)

        def progress(self, factor: float, text: str) -> None:
            self.texts.append(f"{factor:.2f} {text}")

    layout: Any = Layout()
    kept = environment.shown
    environment.shown = environment.Shown(
        is_busy=True, stage="fetch", done_mb=500, total_mb=2000, seconds_left=90.0, ready="torch 2"
    )
    draw_environment(layout, bpy.context)
    environment.shown = kept
    return list(layout.texts)


def work() -> dict[str, Any]:
    """Do all of it."""
    import addon_utils  # there only once bpy is

    addon_utils.enable(EXTENSION, default_set=True)
    session = part("session.environment")
    start = session.start_worker

    def with_list(folder: Path, command: str, *words: str, engine: str) -> Any:
        more = [f"--list={FOLDER / 'list.txt'}"] if command == "create-environment" else []
        return start(folder, command, *words, *more, engine=engine)

    session.start_worker = with_list
    said = {"refused": refusals()}
    allow_online()
    return {**said, "created": create(), "drawn": drawn()}


run(work)
