# SPDX-License-Identifier: GPL-3.0-or-later
"""Results as strips: on free channels above the strip that the shot was read from, on the shot's own frames.

A strip in a meta has its results beside it in that meta, so that they take part in all that is done to it. What the
canvas shows of it has been through the meta already, and lies above that.
"""

from __future__ import annotations

import contextlib
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from ..backend.contract.errors import UnderstudyError
from ..backend.contract.job import Pass
from ..backend.contract.layout import version_stem
from .compat import end_frame, first_frame, muted_channels, split_off_copy_or_none, strips_of
from .findstrips import Found
from .look import copy_look, covers_fully
from .shot import Pixels
from .take import Files, Take, find_source_or_none, is_matte, mark, pass_of, scene_first_now, version_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpy.types import MetaStrip, Scene, Strip

_TOP_CHANNEL = 128
_FROM_BELOW = (
    Pass.CONTROL,
    Pass.PLATE_CONFIDENCE,
    Pass.CHANGE_MATTE,
    Pass.PERFORMER_MATTE,
    Pass.MATTE,
    Pass.PLATE,
    Pass.CHARACTER,
    Pass.COMP,
)
_BLENDED_AS_SOURCE = {Pass.PLATE, Pass.COMP}
_COLOUR_SPACE = "sRGB"
"""Of mattes, too: the sequencer takes values as they are in the file when they are said to be in its own space."""
_NO_FILE = "not read yet"
_TAGS = {Pass.COMP: "COLOR_04", Pass.CHARACTER: "COLOR_05", Pass.PLATE: "COLOR_06", Pass.CONTROL: "COLOR_03"}
_MATTE_TAG = "COLOR_09"


class PlaceAs(StrEnum):
    """What of a take is visible when it is placed; all of its passes are there."""

    COMP = "comp"
    """The finished picture."""
    LAYERS = "layers"
    """The character by its matte over the delivered plate, to be worked on. Soft edges differ: see `place`."""


class ChannelsFullError(UnderstudyError):
    """There are not enough free channels above a strip."""

    hint = "Move strips to lower channels, or delete some, then place the results again."

    def __init__(self, wanted: int, above: int) -> None:
        super().__init__(f"There are no {wanted} free channels in a row above channel {above}.")
        self.wanted, self.above = wanted, above


class TakeLengthError(UnderstudyError):
    """A version has another number of frames than the strips that should show it."""

    hint = "Place that version beside this one instead."

    def __init__(self, stem: str, has: int, wanted: int) -> None:
        super().__init__(f"{stem} has {has} frames, its strips show one of {wanted}.")
        self.stem, self.has, self.wanted = stem, has, wanted


def place(scene: Scene, take: Take, how: PlaceAs) -> list[Strip]:
    """Put every pass of a take on a strip of its own, and return them from the lowest channel up.

    Results of raw pixels get the place, fades, grade and animation of the strip that they were made from. That strip
    is muted if it does not cover what is below it, and none of its frames is without a result: a half faded comp over
    the half faded clip would show both.
    The sequencer blends in display space: LAYERS equal the comp where the matte is 0 or 1 only, and where layers
    fade, the plate is seen through the character. Raises ChannelsFullError, PassMissingError, FileMissingError.
    """
    shown = {Pass.COMP.value} if how is PlaceAs.COMP else {Pass.PLATE.value, Pass.CHARACTER.value}
    files = {name: take.files(name) for name in sorted({*take.passes, *shown}, key=_order)}
    source = find_source_or_none(scene, take)
    first = scene_first_now(take, source.strip if source else None)
    under = _under_results(source, take)
    owner = under.owner(scene) if under else scene
    channel = _free_channel(owner, under, range(first, first + take.frame_count), len(files))
    made = _new_strips(owner, list(files.values()), channel, first)
    for strip, name in zip(made, files, strict=True):
        strip.name = _strip_name(take.stem, name)
        strip.color_tag = _tag(name)
        mark(strip, take, name)
        strip.mute = name not in shown
    if source and take.pixels is Pixels.RAW:
        _dress(scene, source.strip, made)
    return made


def swap_version(strips: Sequence[Strip], take: Take) -> None:
    """Let strips of a take show another version's files, wherever they are and whatever was done to them.

    All or none: raises TakeLengthError, PassMissingError, FileMissingError before anything is changed.
    """
    files = {name: take.files(name) for name in sorted(set(map(pass_of, strips)))}
    for strip in strips:
        count = len(_elements(strip))
        if count != take.frame_count:
            raise TakeLengthError(take.stem, take.frame_count, count)
    for strip in strips:
        _show_files(strip, take, files[pass_of(strip)])


def _dress(scene: Scene, source: Strip, results: Sequence[Strip]) -> None:
    for strip in results:
        copy_look(scene, source, strip, is_matte=is_matte(pass_of(strip)))
        if pass_of(strip) in _BLENDED_AS_SOURCE:
            strip.blend_type = source.blend_type
    if _lie_over(results, source) and not covers_fully(scene, source):
        source.mute = True


def _lie_over(results: Sequence[Strip], source: Strip) -> bool:
    """Tell whether results, which lie on the same frames, lie on all that the source shows."""
    return first_frame(results[0]) <= first_frame(source) and end_frame(results[0]) >= end_frame(source)


def _under_results(source: Found | None, take: Take) -> Found | None:
    """Return the strip above which results lie: what the canvas shows is seen through metas, so then the outermost."""
    if source and source.metas and take.pixels is Pixels.CANVAS:
        return Found(source.metas[0], ())
    return source


def _order(name: str) -> tuple[int, str]:
    """Order passes from below; those of single performers lie with their sum."""
    places = [place for place, kind in enumerate(_FROM_BELOW) if name == kind or name.startswith(f"{kind}_")]
    return max(places, default=0), name


def _free_channel(owner: Scene | MetaStrip, under: Found | None, frames: range, wanted: int) -> int:
    """Find the lowest of so many consecutive channels that are free on some frames, and seen.

    Raises ChannelsFullError.
    """
    busy = {s.channel for s in strips_of(owner) if first_frame(s) < frames.stop and end_frame(s) > frames.start}
    above = under.strip.channel if under else max(busy, default=0)
    unfit = busy | muted_channels(owner)
    for lowest in range(above + 1, _TOP_CHANNEL - wanted + 2):
        if unfit.isdisjoint(range(lowest, lowest + wanted)):
            return lowest
    raise ChannelsFullError(wanted, above)


def _new_strips(owner: Scene | MetaStrip, passes: Sequence[Files], channel: int, first: int) -> list[Any]:
    """Make strips of equally many pictures, one a channel upwards.

    Blender copies all of a strip for each picture that is added: so one is filled, and the others are copies of it.
    """
    filled, *others = passes
    made = [_new_strip(owner, filled, channel, first)]
    for above, files in enumerate(others, start=channel + 1):
        copy = split_off_copy_or_none(made[0], above)
        if copy:
            _name_files(copy, files)
        made.append(copy or _new_strip(owner, files, above, first))
    return made


def _new_strip(owner: Scene | MetaStrip, files: Files, channel: int, first: int) -> Any:
    """Make a strip of pictures of which none is read: only a name that no file has is shown to Blender at first.

    Blender decodes the first file for its size, which takes longer than all the rest and which ORIGINAL does not need.
    It learns the size when it first shows the strip.
    """
    strip: Any = strips_of(owner).new_image(
        name=files.folder.name,
        filepath=_for_blend(files.folder / _NO_FILE),
        channel=channel,
        frame_start=first,
        fit_method="ORIGINAL",
    )
    elements = strip.elements
    elements[0].filename = files.names[0]
    for file in files.names[1:]:
        elements.append(file)
    with contextlib.suppress(TypeError):  # a colour configuration of the studio's own may have another name for it
        strip.colorspace_settings.name = _COLOUR_SPACE
    return strip


def _name_files(strip: Strip, files: Files) -> None:
    """Let a strip show other files, as many as it has."""
    pictures: Any = strip
    pictures.directory = _for_blend(files.folder) + "/"
    for element, name in zip(_elements(strip), files.names, strict=True):
        element.filename = name


def _show_files(strip: Strip, take: Take, files: Files) -> None:
    old_name = _strip_name(version_stem(take.shot, version_of(strip)), pass_of(strip))
    _name_files(strip, files)
    if strip.name.startswith(old_name):
        strip.name = strip.name.replace(old_name, _strip_name(take.stem, pass_of(strip)), 1)
    mark(strip, take, pass_of(strip))


def _strip_name(stem: str, name: str) -> str:
    return f"{stem} {name}"


def _tag(name: str) -> str:
    return _MATTE_TAG if is_matte(name) else _TAGS.get(Pass(name), "NONE")


def _elements(strip: Strip) -> Any:
    pictures: Any = strip
    return pictures.elements


def _for_blend(path: Path) -> str:
    """Write a path as the artist's files do: relative to a saved .blend, if that is preferred and can be."""
    preferences = bpy.context.preferences
    if bpy.data.is_saved and preferences and preferences.filepaths.use_relative_paths:
        with contextlib.suppress(ValueError):  # on another drive
            return bpy.path.relpath(str(path))
    return str(path)
