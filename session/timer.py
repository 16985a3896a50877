# SPDX-License-Identifier: GPL-3.0-or-later
"""The one timer: hears workers, places what stands, draws what changed again. It never waits.

It is Blender's timer, not a modal operator's: it survives a change of workspace or file.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import bpy
from bpy.app.handlers import persistent

from . import environment, jobs, questions
from .order import work_folder

log = logging.getLogger(__name__)

_BUSY_S, _IDLE_S = 0.1, 0.5
_REGIONS = {"SEQUENCE_EDITOR": "UI", "PREFERENCES": "WINDOW"}
"""Where there is something of ours to see: kinds of areas, and of the regions in them."""

_is_new_file = True
"""Whether the jobs of the file that is open were not looked for yet."""


def tick() -> float:
    """Do one bounded step; tell when to do the next. Never raises: Blender would drop the timer."""
    global _is_new_file
    try:
        if _is_new_file:
            _is_new_file = False
            jobs.look_for_jobs(map(work_folder, bpy.data.scenes))
        news = [jobs.hear(), questions.hear(), environment.hear()]
        if any(news):
            for region in _regions():
                region.tag_redraw()
    except Exception:  # the one wide net of Blender's side
        log.exception("Understudy's timer failed")
    is_busy = not jobs.queue.is_idle or questions.answers.is_asking or environment.shown.is_busy
    return _BUSY_S if is_busy else _IDLE_S


def _regions() -> Iterator[bpy.types.Region]:
    windows = (window for manager in bpy.data.window_managers for window in manager.windows)
    for area in (area for window in windows for area in window.screen.areas if area.type in _REGIONS):
        yield from (region for region in area.regions if region.type == _REGIONS[area.type])


@persistent  # type: ignore[untyped-decorator]
def _after_load(*_: object) -> None:
    global _is_new_file
    _is_new_file = True


def register() -> None:
    """Start it."""
    global _is_new_file
    _is_new_file = True
    bpy.app.timers.register(tick, first_interval=_IDLE_S, persistent=True)
    bpy.app.handlers.load_post.append(_after_load)


def unregister() -> None:
    """Stop it."""
    bpy.app.handlers.load_post.remove(_after_load)
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)
