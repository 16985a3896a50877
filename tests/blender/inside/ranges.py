# SPDX-License-Identifier: GPL-3.0-or-later
"""A part of a strip replaced as an artist does it: with a range, keys, a box, and versions of other ranges.

FOLDER holds `clip/`, a picture sequence, and `character.png`; see `jobs.py`. The strip shows scene frames 11 to 16.
"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import bpy

from tests.blender.inside.corrections import stages, started
from tests.blender.inside.jobs import do, newest, refused, switch_on, told
from tests.blender.inside.stage import Scene, Strip, run, strips_of

_MOVED = 20


def choose(scene: Scene, extent: str, first: int = 1, last: int = 250) -> None:
    """Choose a range as the panel does."""
    settings = scene.understudy
    settings.extent, settings.own_first, settings.own_last = extent, first, last


def ordered() -> Any:
    """Write a job, which is not run."""
    from understudy.session.order import take_order

    return take_order(bpy.context)


def talk(scene: Scene) -> Strip:
    """Give the clip."""
    return next(strip for strip in strips_of(scene) if strip.name == "talk")


def refusals(scene: Scene) -> dict[str, str]:
    """Choose ranges of which the strip has nothing."""
    said = {}
    for name, extent, first, last in (
        ("beside", "own", 100, 200),
        ("turned", "own", 15, 12),
        ("no preview range", "preview", 1, 1),
    ):
        choose(scene, extent, first, last)
        said[name] = refused(do.understudy.start_job)
    return said


def chosen(scene: Scene) -> dict[str, list[int]]:
    """Tell scene frames and content frames of ranges that reach beyond the strip, in words of the job."""
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 1, 12
    said = {}
    for extent in ("strip", "preview", "own"):
        choose(scene, extent, 14, 99)
        rendering = ordered().job.shot.rendering
        words = dict(word.split("=", 1) for word in rendering.command if word.startswith("--") and "=" in word)
        said[extent] = [
            rendering.scene_first,
            rendering.frame_count,
            rendering.content_first,
            int(words["--first"]),
            int(words["--last"]),
        ]
    return said


def boxes(scene: Scene) -> list[Any]:
    """Mean whoever is in a box in scene frame 15, over ranges with and without it."""
    casting = scene.understudy.first
    casting.pick, casting.box, casting.box_frame = "box", (1, 2, 30, 40), 5
    said: list[Any] = []
    for first, last in ((11, 16), (14, 16)):
        choose(scene, "own", first, last)
        said.append(ordered().job.cast[0].performer.frame)
    choose(scene, "own", 11, 13)
    said.append(refused(do.understudy.start_job))
    casting.pick = "largest"
    return said


def drawn(scene: Scene) -> list[Any]:
    """Drag a box over frames 13 to 16, with the playhead before them, then on one: told, chosen, frame, marks."""
    from understudy.backend.contract.events import FoundPerson, PersonAt
    from understudy.operators.find_performers import UNDERSTUDY_OT_find_performers as Find
    from understudy.session import questions

    choose(scene, "own", 13, 16)
    casting, told_words = scene.understudy.first, list[str]()
    operator: Any = SimpleNamespace(place=0, _order=ordered(), _from=None, _to=None)
    operator.report = lambda kinds, words: told_words.append(words)
    operator._casting = Find._casting.__get__(operator)
    there = [PersonAt(frame=frame, x=1.0, y=1.0, x1=9.0, y1=9.0, score=1.0) for frame in range(4)]
    questions.answers = replace(questions.answers, people=(FoundPerson(id=1, seen=tuple(there)),))
    said: list[Any] = []
    for frame in (12, 14):
        scene.frame_current = frame
        is_chosen = Find._choose(operator, bpy.context, (5.0, 5.0), (50.0, 60.0))
        said.append([len(told_words), is_chosen, casting.pick, casting.box_frame, len(Find._marks(operator))])
    questions.answers = questions.Answers()
    casting.pick = "largest"
    return said


def numbers(scene: Scene) -> dict[str, Any]:
    """Click the second of two in frame 14 of 13 to 16, and mean that person over other frames and on another strip."""
    from understudy.backend.contract.events import FoundPerson, PersonAt
    from understudy.backend.contract.job import PerformerChoice, Pick
    from understudy.operators.find_performers import UNDERSTUDY_OT_find_performers as Find
    from understudy.session import questions
    from understudy.session.performer import recall_choice

    choose(scene, "own", 13, 16)
    casting, people = scene.understudy.first, []
    for number, x in ((1, 0.0), (2, 200.0)):
        seen = [PersonAt(frame=frame, x=x, y=1.0, x1=x + 50.0, y1=90.0, score=1.0) for frame in range(4)]
        people.append(FoundPerson(id=number, seen=tuple(seen)))
    questions.answers = replace(questions.answers, people=tuple(people))
    operator: Any = SimpleNamespace(place=0, _order=ordered(), _from=None, _to=None)
    operator._casting = Find._casting.__get__(operator)
    scene.frame_current = 14
    Find._choose(operator, bpy.context, (210.0, 20.0), (210.0, 20.0))
    said: dict[str, Any] = {}

    def means(name: str, first: int, last: int) -> None:
        choose(scene, "own", first, last)
        choice = ordered().job.cast[0].performer
        said[name] = [choice.pick, choice.id, choice.frame, [choice.x, choice.y, choice.x1, choice.y1]]

    means("same", 13, 16)
    means("other", 12, 15)
    choose(scene, "own", 15, 16)
    said["without"] = refused(do.understudy.start_job)
    said["strip"] = ordered_of(casting, "other strip", scene)
    said["size"] = ordered_of(casting, casting.picked_on.partition(" ")[0] + " 1x1", scene)
    casting.id = 1
    means("typed", 12, 15)
    recall_choice(PerformerChoice(pick=Pick.ID, id=2), casting.picked_on, range(3, 7), casting)
    means("recalled", 13, 16)
    choose(scene, "own", 12, 15)
    said["recalled over others"] = refused(do.understudy.start_job)
    questions.answers = questions.Answers()
    casting.pick = "largest"
    return said


def ordered_of(casting: Any, mark: str, scene: Scene) -> str:
    """Tell what is said when somebody was picked on the strip of another mark."""
    choose(scene, "own", 13, 16)
    own, casting.picked_on = casting.picked_on, mark
    words = refused(do.understudy.start_job)
    casting.picked_on = own
    return words


def keys(scene: Scene) -> dict[str, Any]:
    """Say in which frames of shots a key in scene frame 14 is, over ranges with and without it."""
    said: dict[str, Any] = {}
    for name, extent, first, last in (("whole", "strip", 1, 1), ("late", "own", 14, 16), ("without", "own", 15, 16)):
        choose(scene, extent, first, last)
        said[name] = [fix.frame for fix in ordered().job.cast[0].joints]
    return said


def swapped(scene: Scene, first_job: str) -> dict[str, Any]:
    """Go through the versions from the first: one of the same frames, then only one of others."""
    from understudy.sequencer.take import take_strips, version_of

    strips = take_strips(scene, first_job)
    scene.sequence_editor.active_strip = strips[-1]
    do.understudy.next_version()
    said: dict[str, Any] = {"next": sorted({version_of(strip) for strip in strips})}
    said["other"] = refused(do.understudy.next_version)
    said["after"] = sorted({version_of(strip) for strip in strips})
    do.understudy.previous_version()
    said["back"] = sorted({version_of(strip) for strip in strips})
    return said


def work() -> dict[str, Any]:
    """Do all of it."""
    switch_on()
    scene = started()
    says: dict[str, Any] = {"refused": refusals(scene), "chosen": chosen(scene), "boxes": boxes(scene)}
    says["drawn"], says["numbers"] = drawn(scene), numbers(scene)
    choose(scene, "own", 13, 15)
    do.understudy.start_job()
    first_job = newest().id
    says["first"], says["placed"] = stages(), told(scene)
    scene.frame_current = 14
    do.understudy.move_joints(joint="left_elbow", at=(300.0, 120.0))
    says["keyed"] = scene.understudy.first.joints[0].frame
    says["updated"], says["placed again"] = stages_of(do.understudy.update_job), told(scene)
    says["keys"] = keys(scene)
    scene.sequence_editor.active_strip = talk(scene)
    talk(scene).blend_alpha = 0.5
    choose(scene, "strip")
    do.understudy.start_job()
    setattr(talk(scene), "content_start" if bpy.app.version >= (5, 1, 0) else "frame_start", 10 + _MOVED)
    says["whole"], says["moved"], says["faded"] = stages(), told(scene), bool(talk(scene).mute)
    says["swapped"] = swapped(scene, first_job)
    choose(scene, "strip")
    bpy.context.window_manager.understudy.active_job = 2
    do.understudy.recall_job()
    settings = scene.understudy
    says["recalled"] = [settings.extent, settings.own_first, settings.own_last]
    says["recalled keys"] = [key.frame for key in settings.first.joints]
    return says


def stages_of(what: Any) -> dict[str, list[str]]:
    """Press a button, and wait."""
    what()
    return stages()


if __name__ == "__main__":
    run(work)
