# SPDX-License-Identifier: GPL-3.0-or-later
"""Run by Blender's Python: `leftovers.py MODULE` switches an extension on and off twice and sees that nothing is left.

What Blender lists is compared before and after, so whatever the extension comes to register is covered. Timers and
draw handlers are not listed anywhere: they are watched as they are registered.
"""

import atexit
import sys
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import bpy

# isort: split
import addon_utils  # bpy's import makes it importable


def registered() -> dict[str, Counter[str]]:
    """Count all that an add-on can leave behind and that Blender tells of, by kind."""
    types = {name: getattr(bpy.types, name) for name in dir(bpy.types)}
    keyconfigs = bpy.context.window_manager.keyconfigs
    return {
        "types": Counter(types.keys()),
        "properties": Counter(
            f"{name}.{key.identifier}"
            for name, kind in types.items()
            if hasattr(kind, "bl_rna")
            for key in kind.bl_rna.properties
        ),
        "menu entries": Counter(
            f"{name}: {entry.__module__}.{entry.__qualname__}"
            for name, kind in types.items()
            for entry in getattr(getattr(kind, "draw", None), "_draw_funcs", ())
            if entry.__module__ != kind.__module__  # the menu's own, which Blender lists once another has been added
        ),
        "operators": Counter(f"{room}.{name}" for room in dir(bpy.ops) for name in dir(getattr(bpy.ops, room))),
        "handlers": Counter(
            f"{name}: {handler.__module__}.{handler.__qualname__}"
            for name in dir(bpy.app.handlers)
            if isinstance(listed := getattr(bpy.app.handlers, name), list)
            for handler in listed
        ),
        "keymaps": Counter(
            f"{config.name}/{keymap.name}/{item.idname}"
            for config in keyconfigs
            for keymap in config.keymaps
            for item in keymap.keymap_items
        ),
        "threads": Counter(thread.name for thread in threading.enumerate()),
        "functions at exit": Counter({"any": atexit._ncallbacks()}),  # type: ignore[attr-defined]
    }


class Timers:
    """Knows every timer that was registered since it was made."""

    def __init__(self) -> None:
        self._seen: list[Callable[[], Any]] = []
        self._register = bpy.app.timers.register
        bpy.app.timers.register = self._watch  # type: ignore[assignment]

    def _watch(self, function: Callable[[], Any], *words: Any, **options: Any) -> None:
        self._seen.append(function)
        self._register(function, *words, **options)

    def running(self) -> list[str]:
        return [function.__qualname__ for function in self._seen if bpy.app.timers.is_registered(function)]


def main(module: str) -> None:
    before, timers = registered(), Timers()
    for turn in ("first", "second"):
        addon_utils.enable(module)
        assert addon_utils.check(module)[1] is True, f"not switched on, the {turn} time"
        addon_utils.disable(module)
        assert addon_utils.check(module)[1] is False, f"not switched off, the {turn} time"
        after = registered()
        changed = {kind: (after[kind] - before[kind], before[kind] - after[kind]) for kind in before}
        left = {kind: change for kind, change in changed.items() if any(change)}
        assert not left, f"left behind and taken away, the {turn} time: {left}"
        assert not timers.running(), f"timers left, the {turn} time: {timers.running()}"


main(sys.argv[1])
