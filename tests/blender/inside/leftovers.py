# SPDX-License-Identifier: GPL-3.0-or-later
"""Run by Blender's Python: `leftovers.py MODULE` switches an extension on and off twice and sees that nothing is left.

What Blender lists is compared before and after, so whatever the extension comes to register is covered. Timers and
functions at exit are not listed anywhere: they are watched as they are registered.
"""

import atexit
import os
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
    }


class Watch:
    """Knows every timer, and every function at exit of the extension's own, that was registered since it was made."""

    def __init__(self, module: str) -> None:
        self._timers: list[Callable[..., Any]] = []
        self._at_exit: list[Callable[..., Any]] = []
        start, register, unregister = bpy.app.timers.register, atexit.register, atexit.unregister

        def timer(function: Callable[..., Any], *words: Any, **options: Any) -> None:
            self._timers.append(function)
            start(function, *words, **options)

        def at_exit(function: Callable[..., Any], *words: Any, **options: Any) -> Callable[..., Any]:
            if function.__module__.startswith(module):  # a library that it imports registers once for all
                self._at_exit.append(function)
            return register(function, *words, **options)

        def not_at_exit(function: Callable[..., Any]) -> None:
            self._at_exit = [other for other in self._at_exit if other != function]
            unregister(function)

        bpy.app.timers.register, atexit.register, atexit.unregister = timer, at_exit, not_at_exit  # type: ignore[assignment]

    def left(self) -> list[str]:
        running = [function for function in self._timers if bpy.app.timers.is_registered(function)]
        return [f"{function.__module__}.{function.__qualname__}" for function in running + self._at_exit]


def main(module: str) -> None:
    before, watch = registered(), Watch(module)
    for turn in ("first", "second"):
        addon_utils.enable(module)
        assert addon_utils.check(module)[1] is True, f"not switched on, the {turn} time"
        addon_utils.disable(module)
        assert addon_utils.check(module)[1] is False, f"not switched off, the {turn} time"
        after = registered()
        changed = {kind: (after[kind] - before[kind], before[kind] - after[kind]) for kind in before}
        left = {kind: change for kind, change in changed.items() if any(change)}
        assert not (left or watch.left()), f"left behind and taken away, the {turn} time: {left} {watch.left()}"


try:
    main(sys.argv[1])
except BaseException:
    sys.excepthook(*sys.exc_info())
    sys.stderr.flush()
    os._exit(1)
os._exit(0)  # Blender's own end now and then never comes, and a timer that was left can keep it from coming
