# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a strip is: metas hold strips, and these hold strips."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, cast

from .compat import strips_of

if TYPE_CHECKING:
    from bpy.types import MetaStrip, Scene, Strip


class Found(NamedTuple):
    """A strip, and the metas that it is in, the outermost first."""

    strip: Strip
    metas: tuple[MetaStrip, ...]

    def owner(self, scene: Scene) -> Scene | MetaStrip:
        """Return what holds it directly."""
        return self.metas[-1] if self.metas else scene


def every_strip(scene: Scene) -> Iterator[Found]:
    """Yield the scene's strips, those in metas too. A scene without a sequencer is left without one."""
    if scene.sequence_editor is not None:
        yield from _within(scene, ())


def find_strip_or_none(scene: Scene, name: str) -> Found | None:
    """Find a strip by its name, which is its own in its scene."""
    return next((found for found in every_strip(scene) if found.strip.name == name), None)


def _within(owner: Scene | MetaStrip, metas: tuple[MetaStrip, ...]) -> Iterator[Found]:
    for strip in strips_of(owner):
        yield Found(strip, metas)
        if strip.type == "META":
            yield from _within(strip, (*metas, cast("MetaStrip", strip)))
