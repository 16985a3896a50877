# SPDX-License-Identifier: GPL-3.0-or-later
"""A result put right as an artist does it: a joint moved, a mask added, a strip as garbage matte; and all taken back.

FOLDER holds `clip/`, a picture sequence, `garbage/`, as many pictures, and `character.png`; see `jobs.py`.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import bpy

from tests.blender.inside.jobs import add_clip, do, is_over, newest, refused, switch_on, told, wait
from tests.blender.inside.mattes import rectangle
from tests.blender.inside.stage import FOLDER, Scene, add_images, new_scene, run

AT = (300.0, 120.0)


def shot_scene() -> Scene:
    """Give the scene; undo makes it anew."""
    return bpy.data.scenes["Shot"]


def started() -> Scene:
    """Replace the clip's performer, and say what can't be done before that is over."""
    scene = new_scene("Shot", 480, 270)
    bpy.context.window.scene = scene
    add_clip(scene)
    scene.understudy.folder = str(FOLDER / "out")
    scene.understudy.first.character = bpy.data.images.load(str(FOLDER / "character.png"))
    return scene


def stages() -> dict[str, list[str]]:
    """Say which stages of the newest job were computed, which were kept, and what was delivered."""
    from understudy.backend.contract.events import StageDone, StageKept
    from understudy.backend.contract.jobfolder import read_events

    wait(is_over)
    events, view = list(read_events(newest().folder)), newest()
    return {
        "state": [str(view.state), view.message],
        "done": sorted(event.stage for event in events if isinstance(event, StageDone)),
        "kept": sorted(event.stage for event in events if isinstance(event, StageKept)),
        "folder": [view.delivered.folder if view.delivered else ""],
        "strips": [name for name, *_ in told(shot_scene())],
    }


def updated() -> dict[str, list[str]]:
    """Press Update, and wait."""
    do.understudy.update_job()
    return stages()


def previewed(scene: Scene, frame: int) -> str:
    """Preview a frame, and name the folder in which its layers lie."""
    from understudy.session import questions

    scene.frame_current = frame
    do.understudy.preview_frame()
    wait(lambda: not questions.answers.is_asking)
    assert questions.answers.preview, questions.answers.hint
    return str(questions.answers.preview.parent)


def keyed(casting: Any) -> list[list[Any]]:
    """Tell the keys."""
    return [[key.joint, key.frame, [*key.place], key.before, key.after] for key in casting.joints]


def moved_by_mouse(scene: Scene) -> dict[str, Any]:
    """Drag a joint and let it go, then drag one and press Esc: through the operator's own handler."""
    from understudy.operators import correct, overlay
    from understudy.session import jobs
    from understudy.session.joints import Drag, figure_of

    view = jobs.active_view(bpy.context)
    assert view is not None
    figure = figure_of(view, 0)
    there: Any = correct  # the mouse is in no region here: its place is the pixel
    there.preview_under = lambda context, event: SimpleNamespace(x=0, y=0)
    there.under_mouse = lambda region, placement, mouse: mouse
    before = len(scene.understudy.first.joints)

    def send(kind: str, value: str, at: tuple[float, float]) -> str:
        event: Any = SimpleNamespace(type=kind, value=value, mouse_x=at[0], mouse_y=at[1])
        return next(iter(correct.UNDERSTUDY_OT_move_joints.modal(operator, bpy.context, event)))

    operator: Any = SimpleNamespace(_placement=figure.placement, _drag=Drag(figure), report=lambda *_: None)
    for name in ("_follow", "_pixel", "_end"):
        method = getattr(correct.UNDERSTUDY_OT_move_joints, name)
        setattr(operator, name, method.__get__(operator))
    operator._overlay = overlay.Overlay(figure.placement, lambda: correct.marks_of(operator._drag))
    wrist = figure.places()["right_wrist"]  # type: ignore[index]
    said: dict[str, Any] = {"away": send("LEFTMOUSE", "PRESS", (0.0, 0.0)), "before": before}
    send("LEFTMOUSE", "PRESS", (wrist[0] + 3, wrist[1]))
    send("MOUSEMOVE", "NOTHING", (50.0, 60.0))
    said["held"] = [mark.caption for mark in correct.marks_of(operator._drag) if mark.caption]
    said["while held"] = len(scene.understudy.first.joints)
    send("LEFTMOUSE", "RELEASE", (55.0, 65.0))
    said["keyed"] = keyed(scene.understudy.first)[-1]
    said["drawn"] = [round(x) for x in figure.places()["right_wrist"]]  # type: ignore[index]
    said["undone"] = []
    for step in (bpy.ops.ed.undo, bpy.ops.ed.redo):
        with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
            step()
        said["undone"].append(len(keyed(shot_scene().understudy.first)))
    said["shown"] = refused(lambda: do.understudy.move_joints(joint="left_elbow", at=AT))
    scene = shot_scene()
    send("LEFTMOUSE", "PRESS", (55.0, 65.0))
    send("MOUSEMOVE", "NOTHING", (90.0, 90.0))
    said["scrubs"] = send("RIGHT_ARROW", "PRESS", (90.0, 90.0))
    said["esc"] = send("ESC", "PRESS", (90.0, 90.0))
    said["after esc"] = [keyed(scene.understudy.first)[-1], len(overlay._shown)]
    return said


def foreign() -> list[str]:
    """Take in jobs that would have a matte rendered by another program than this Blender."""
    from understudy.backend.contract.job import Casting, Delivery, Job, Mode, Rendering, Shot
    from understudy.backend.contract.jobfolder import write_job
    from understudy.session import jobs

    said = []
    for name in ("matte_rendering", "garbage_rendering"):
        other: Any = {name: Rendering(command=("/bin/false", "--into"))}
        cast = (Casting(character="character.png", **other),)
        delivery = Delivery(folder="..", name="foreign")
        folder = FOLDER / f"foreign {name}"
        write_job(folder, Job(id=name, mode=Mode.REPLACE, shot=Shot(source="clip"), cast=cast, delivery=delivery))
        jobs.add(folder)
        wait(is_over)
        said.append(newest().message)
        jobs.forget(name)
    return said


def work() -> dict[str, Any]:
    """Do all of it."""
    switch_on()
    scene = started()
    casting = scene.understudy.first
    says: dict[str, Any] = {"foreign": foreign()}
    says |= {"no job": [refused(do.understudy.move_joints), refused(do.understudy.update_job)]}
    do.understudy.start_job()
    says["first"] = stages()
    says["nothing"] = refused(do.understudy.update_job)
    scene.frame_current = 13
    do.understudy.move_joints(joint="left_elbow", at=AT)
    says["keyed"] = keyed(casting)
    scene.frame_current = 400
    says["away"] = refused(lambda: do.understudy.move_joints(joint="left_elbow", at=AT))
    says["joint"] = updated()
    mask = rectangle("patch", 0.0, 0.3, 0.2, 0.6)
    casting.matte.source, casting.combine = "mask", "add"
    says["no mask"] = refused(do.understudy.update_job)
    scene.understudy.mode = "animate"
    says["animate"] = [refused(do.understudy.check_job), refused(do.understudy.preview_frame)]
    scene.understudy.mode = "replace"
    casting.matte.mask = mask
    says["mask"] = updated()
    says["mask again"] = updated()
    add_images(scene, sorted((FOLDER / "garbage").glob("*.png"))[:3], channel=20).name = "short"
    casting.garbage.source, casting.garbage.strip = "strip", "short"
    says["short"] = refused(do.understudy.update_job)
    add_images(scene, sorted((FOLDER / "garbage").glob("*.png")), channel=21, start=11).name = "roto"
    casting.garbage.strip = "roto"
    says["garbage"] = updated()
    says["preview"] = previewed(scene, 14)
    says["mouse"] = moved_by_mouse(scene)
    scene = shot_scene()
    casting = scene.understudy.first
    do.understudy.recall_job()
    says["recalled"] = [keyed(casting), casting.matte.source, casting.matte.mask.name, casting.garbage.strip]
    casting.joints[0].frame = 40
    says["stray"] = refused(do.understudy.update_job)
    do.understudy.remove_joint(place=0, key=0)
    casting.matte.source = casting.garbage.source = "none"
    says["taken back"] = updated()
    return says


if __name__ == "__main__":
    run(work)
