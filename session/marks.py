# SPDX-License-Identifier: GPL-3.0-or-later
"""The marks by which strips are found again, kept through undo: a step from before a shot was read has none.

No undo step is made of a mark: undo would then seem to do nothing once. What a marked strip was like is noted before
each undo instead, and whichever strip is like that afterwards is marked again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy
from bpy.app.handlers import load_post, persistent, redo_post, redo_pre, undo_post, undo_pre

from ..sequencer.compat import content_start
from ..sequencer.findstrips import every_strip
from ..sequencer.take import give_source_id, source_id_or_none

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpy.types import Strip


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a strip was like."""

    scene: str
    kind: str
    name: str
    channel: int
    start: int

    def likeness(self, other: _Seen) -> int:
        """Count in how much it is alike, by name and by place; 0 of another kind or in another scene."""
        if (self.scene, self.kind) != (other.scene, other.kind):
            return 0
        return (self.name == other.name) + ((self.channel, self.start) == (other.channel, other.start))


_seen: dict[str, _Seen] = {}
"""Mark -> what the strip that bore it was like when it was last there."""
_there: set[str] = set()
"""Marks that were there before the latest step: one step changes the name of a strip, or its place."""


def _looks() -> Iterator[tuple[Strip, _Seen]]:
    for scene in bpy.data.scenes:
        for strip in (each.strip for each in every_strip(scene)):
            yield strip, _Seen(scene.name, strip.type, strip.name, strip.channel, content_start(strip))


@persistent  # type: ignore[untyped-decorator]
def note(*_: object) -> None:
    """Note what marked strips are like, before they may lose their marks; of one that was cut, its first piece."""
    marked = {mark: look for strip, look in reversed([*_looks()]) if (mark := source_id_or_none(strip))}
    _seen.update(marked)
    _there.clear()
    _there.update(marked)


@persistent  # type: ignore[untyped-decorator]
def restore(*_: object) -> None:
    """Mark those again that have lost their marks. One that was gone has to be back by name and by place."""
    looks = [*_looks()]
    borne = {source_id_or_none(strip) for strip, _ in looks}
    for mark, seen in _seen.items():
        if mark in borne:
            continue
        alike = [(seen.likeness(look), strip) for strip, look in looks if source_id_or_none(strip) is None]
        likeness, likeliest = max(alike, key=lambda pair: pair[0], default=(0, None))
        if likeliest is not None and likeness >= (1 if mark in _there else 2):
            give_source_id(likeliest, mark)


@persistent  # type: ignore[untyped-decorator]
def _forget(*_: object) -> None:
    _seen.clear()
    _there.clear()


_HANDLERS = ((undo_pre, note), (redo_pre, note), (undo_post, restore), (redo_post, restore), (load_post, _forget))


def register() -> None:
    """Be told of undo and redo."""
    for event, handler in _HANDLERS:
        event.append(handler)


def unregister() -> None:
    """Be told no more."""
    for event, handler in _HANDLERS:
        event.remove(handler)
    _forget()
