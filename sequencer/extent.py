# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the frames that a strip shows make the shot."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from ..backend.contract.errors import UnderstudyError
from .findstrips import find_strip_or_none
from .shot import StripFramesError, StripMissingError, frames_shown

if TYPE_CHECKING:
    from bpy.types import Scene, Strip


class Extent(StrEnum):
    """How much of a strip is meant."""

    STRIP = "strip"
    """All frames that it shows."""
    PREVIEW = "preview"
    """Those of them that are in the scene's preview range."""
    OWN = "own"
    """Those of them that are in a range of the artist's."""


class NoPreviewRangeError(UnderstudyError):
    """The preview range is meant, and the scene has none."""

    hint = "Set one in the timeline (P), or choose another range in the Shot panel."

    def __init__(self, scene: str) -> None:
        super().__init__(f"The scene {scene} has no preview range.")
        self.scene = scene


def frames_within(scene: Scene, strip: Strip, extent: Extent, own: range = range(0)) -> range:
    """Return the scene frames that are meant of a strip, clipped to those that it shows.

    own: the artist's range, of scene frames. Raises StripMissingError, NoPreviewRangeError, and StripFramesError where
    nothing is left.
    """
    found = find_strip_or_none(scene, strip.name)
    if found is None:
        raise StripMissingError(strip.name)
    shown = frames_shown(found)
    wanted = _wanted(scene, extent, own, shown)
    inside = range(max(wanted.start, shown.start), min(wanted.stop, shown.stop))
    if not inside:
        raise StripFramesError(strip.name, wanted.start, wanted.stop - 1, shown)
    return inside


def _wanted(scene: Scene, extent: Extent, own: range, shown: range) -> range:
    if extent is Extent.STRIP:
        return shown
    if extent is Extent.OWN:
        return own
    if not scene.use_preview_range:
        raise NoPreviewRangeError(scene.name)
    return range(scene.frame_preview_start, scene.frame_preview_end + 1)
