# SPDX-License-Identifier: GPL-3.0-or-later
"""What an artist undoes between starting a job and its results.

FOLDER holds `dance.mov`, `character.png`, and `delivered/shot_v001` of 6 frames: see `delivery.py`. Jobs are written
as ever; what the worker would deliver stands already.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import bpy

from tests.blender.inside.jobs import do, switch_on
from tests.blender.inside.stage import FOLDER, Scene, Strip, add_movie, new_scene, run, strips_of

_MOVED = 5


def step(which: Callable[[], object]) -> None:
    """Undo or redo, as in a window."""
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
        which()


def undo() -> None:
    """Undo one step."""
    step(bpy.ops.ed.undo)


def redo() -> None:
    """Redo one step."""
    step(bpy.ops.ed.redo)


def push() -> None:
    """End a step, as each of Blender's own operators does."""
    bpy.ops.ed.undo_push(message="step")


def scene_for(name: str) -> Scene:
    """Make a scene that is ready for a job."""
    scene = new_scene(name)
    bpy.context.window.scene = scene
    settings = scene.understudy
    settings.folder, settings.name = str(FOLDER / "out"), "shot"
    settings.first.character = bpy.data.images.load(str(FOLDER / "character.png"), check_existing=True)
    push()
    return scene


def add_strip(scene: Scene, name: str = "talk") -> None:
    """Add the clip, as one step."""
    strip = add_movie(scene, FOLDER / "dance.mov")
    strip.name = name
    scene.sequence_editor.active_strip = strip
    push()


def start() -> str:
    """Start a job of the active strip, and let it be done."""
    from understudy.backend.contract.events import Delivered
    from understudy.session import jobs
    from understudy.session.order import take_order
    from understudy.worker_client.states import State
    from understudy.worker_client.view import view_of

    folder = FOLDER / "delivered" / "shot_v001"
    passes = tuple(sorted(path.name for path in folder.iterdir()))
    delivered = Delivered(
        folder=str(folder), version=1, first_number=1001, frame_count=6, passes=passes, sheet="sheet.png"
    )
    view = replace(view_of(take_order(bpy.context).folder), state=State.DONE, delivered=delivered)
    jobs.queue.add(view)
    jobs._list()
    bpy.context.window_manager.understudy.active_job = 0
    return view.id


def place(job: str) -> None:
    """Let the timer place a job's results."""
    from understudy.session import jobs, timer

    jobs._to_place.append(job)
    timer.tick()


def change(name: str) -> None:
    """Rename and move the clip, as two steps: by its name or its place it is not found any more."""
    strip = clip(bpy.data.scenes[name])
    strip.name = "renamed"
    push()
    setattr(strip, "content_start" if bpy.app.version >= (5, 1, 0) else "frame_start", 11 + _MOVED)
    push()


def clip(scene: Scene) -> Strip:
    """Give the one movie of a scene."""
    return next(strip for strip in strips_of(scene) if strip.type == "MOVIE")


def told(name: str, job: str) -> list[Any]:
    """Tell how many results there are, on which frame they start, and what is said of the job."""
    from understudy.sequencer.compat import first_frame
    from understudy.sequencer.take import take_strips
    from understudy.session import jobs

    strips = take_strips(bpy.data.scenes[name], job)
    view = jobs.queue.view(job)
    assert view is not None
    return [len(strips), sorted({first_frame(strip) for strip in strips}), view.message]


def something_else(name: str) -> list[Any]:
    """Undo and redo something else, then rename and move the strip."""
    scene = scene_for(name)
    add_strip(scene)
    job = start()
    scene.frame_end = 77
    push()
    undo()
    redo()
    change(name)
    place(job)
    return told(name, job)


def back_before_the_start(name: str) -> list[Any]:
    """Undo to before the job was started, then rename and move the strip."""
    scene = scene_for(name)
    add_strip(scene)
    scene.frame_end = 77
    push()
    job = start()
    undo()
    change(name)
    place(job)
    return told(name, job)


def name_of_before(name: str) -> list[Any]:
    """Undo the renaming that came before the start."""
    scene = scene_for(name)
    add_strip(scene, "of before")
    clip(scene).name = "talk"
    push()
    job = start()
    undo()
    was = clip(bpy.data.scenes[name]).name
    change(name)
    place(job)
    return [was, *told(name, job)]


def gone(name: str) -> dict[str, list[Any]]:
    """Undo back to before there was a strip; redo brings it back, and it is renamed and moved."""
    scene = scene_for(name)
    add_strip(scene)
    job = start()
    undo()
    place(job)
    said = {"undone": [len(strips_of(bpy.data.scenes[name])), *told(name, job)]}
    redo()
    change(name)
    do.understudy.place_again()
    said["redone"] = told(name, job)
    undo()
    said["placing undone"] = told(name, job)[:2]
    redo()
    said["placing redone"] = told(name, job)[:2]
    return said


def another(name: str) -> list[Any]:
    """Delete the strip, add another one where it was, undo something else: the other one is not taken for it."""
    scene = scene_for(name)
    add_strip(scene)
    job = start()
    for strip in [*strips_of(scene)]:
        strips_of(scene).remove(strip)
    push()
    add_strip(scene, "another")
    scene.frame_end = 77
    push()
    undo()
    place(job)
    return told(name, job)


def alike(name: str) -> dict[str, bool]:
    """Tell of strips that are like one that bore a mark, and is gone, whether they are given it."""
    from understudy.sequencer.take import source_id, source_id_or_none
    from understudy.session import marks

    scene, other = new_scene(name), new_scene(f"{name} elsewhere")

    def is_given(where: Scene, channel: int, start: int) -> bool:
        strip = add_movie(where, FOLDER / "dance.mov", channel, start)
        strip.name = "talk"
        marks.restore()
        found = source_id_or_none(strip) == mark
        strips_of(where).remove(strip)
        return found

    first = add_movie(scene, FOLDER / "dance.mov")
    first.name = "talk"
    mark = source_id(first)
    marks.note()
    strips_of(scene).remove(first)
    marks.note()
    return {
        "by name alone": is_given(scene, 3, 40),
        "in another scene": is_given(other, 1, 11),
        "by name and place": is_given(scene, 1, 11),
    }


def work() -> dict[str, Any]:
    """Do all of it."""
    switch_on()
    for scene in bpy.data.scenes:
        scene.understudy.folder = str(FOLDER / "out")  # type: ignore[attr-defined]
    acts: tuple[Callable[[str], Any], ...] = (
        something_else,
        back_before_the_start,
        name_of_before,
        gone,
        another,
        alike,
    )
    return {act.__name__: act(act.__name__) for act in acts}


if __name__ == "__main__":
    run(work)
