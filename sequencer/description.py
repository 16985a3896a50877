# SPDX-License-Identifier: GPL-3.0-or-later
"""All that a strip's pixels depend on, as text: equal texts stand for equal frames.

It is read from the strips, never from the .blend's bytes: two saves of an unchanged scene differ. What can't be read
from strips (a 3D scene, a mask, a driver) makes a description opaque: it then bears a stamp, so that frames are
rendered anew whenever the shot is read anew, rather than taken from a picture of yesterday.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import bpy

from .animation import curves_of_strip, drivers_of_strip, moving_paths, root_of, steps_of
from .compat import end_frame, first_frame, muted_channels, strips_of
from .findstrips import Found, every_strip
from .look import LOOK
from .media import media_files
from .rna import is_shared, plain, properties

if TYPE_CHECKING:
    from bpy.types import MetaStrip, Scene, SceneStrip, Strip

Words = dict[str, Any]

_NOT_SEEN = frozenset(
    {
        *("lock", "color_tag", "proxy", "use_proxy", "sound", "volume", "pan", "show_waveform"),
        *("use_multiview", "views_format", "stereo_3d_format", "stream_index_audio", "channels", "connections"),
        *("elements", "directory", "filepath", "is_active", "open_mask_input_panel", "cache_settings"),
    }
)
"""Properties of the interface, of sound and of proxies, and those that are told otherwise below."""
_NOT_SEEN_OF_CURVES = {"data_path", "group", "color", "color_mode", "hide", "driver", "is_valid"}
_NOT_SEEN_OF_KEYS = {"co_ui"}
_NOT_SEEN_STARTS = ("select", "show_", "override_", "use_cache")
_SEES_BELOW = {"ADJUSTMENT", "MULTICAM"}
"""Strips that are made of what lies under them."""
_STRIPS = {"strips", "sequences"}
"""Of a meta, by the new name and the old; 4.5 knows both."""
_OPAQUE_STRIPS = {"MASK", "CLIP"}


@dataclass(frozen=True, slots=True)
class Description:
    """The text, and which of the files behind the strips that were read for it are not there."""

    text: str
    missing: tuple[Path, ...]


def describe_strip(scene: Scene, found: Found, *, is_raw: bool, frames: range, stamp: str) -> Description:
    """Write the description of frames (of the scene) of a strip as canonical JSON."""
    reader = _Reader()
    words: Words = {
        "blender": bpy.app.version_string,
        "colour_config": os.environ.get("OCIO", ""),
        "fps": [scene.render.fps, scene.render.fps_base],
        "frames": [frames[0], frames[-1]],
        "strip": reader.strip(scene, found, LOOK if is_raw else {"channel", "mute"}),
        "metas": [
            reader.record(scene, meta, {"name", *_STRIPS, *(LOOK if is_raw else {"channel", "mute"})})
            for meta in found.metas
        ],
    }
    if not is_raw:
        words["canvas"] = _canvas(scene)
        words["metas_curves"] = [reader.curves(scene, meta, ()) for meta in found.metas]
    if reader.is_opaque:
        words["stamp"] = stamp
    return Description(json.dumps(words, sort_keys=True, separators=(",", ":")), tuple(reader.missing))


def digest_of(description: str) -> str:
    """Shorten a description to what a command line can carry."""
    return hashlib.sha256(description.encode()).hexdigest()


def _canvas(scene: Scene) -> Words:
    render = scene.render
    return {
        "size": [render.resolution_x, render.resolution_y],
        "aspect": [render.pixel_aspect_x, render.pixel_aspect_y],
        "space": plain(scene.sequencer_colorspace_settings, "name"),
    }


class _Reader:
    """Reads records down to their parts.

    missing: files that are not there. is_opaque: something was met that can't be read.
    """

    def __init__(self) -> None:
        self.is_opaque = False
        self.missing: list[Path] = []
        self._seen: list[tuple[str, str]] = []

    def strip(self, scene: Scene, found: Found, without: Collection[str] = ()) -> Words:
        """Read a strip with everything that it is made of; a second time only say which it was."""
        strip = found.strip
        if (scene.name, strip.name) in self._seen:
            return {"seen": self._seen.index((scene.name, strip.name))}
        self._seen.append((scene.name, strip.name))
        words = self.record(scene, strip, {*without, "name", "scene", "scene_camera", "view_layer"})
        words["media"] = self._media(strip)
        words["times"] = [first_frame(strip), end_frame(strip)]
        if "strobe" in words:
            words["strobe"] = max(1.0, words["strobe"])  # Blender makes 1 of 0 when it loads a file
        words["curves"] = self.curves(scene, strip, without)
        for path in moving_paths(scene, strip):
            _forget(words, steps_of(path))
        if strip.type in _SEES_BELOW:
            words["below"] = [self.strip(scene, below) for below in _below(scene, found)]
        if strip.type == "META":
            words["muted_channels"] = sorted(muted_channels(cast("MetaStrip", strip)))
        if strip.type == "SCENE":
            words["inside"] = self._inside(cast("SceneStrip", strip))
        self.is_opaque |= strip.type in _OPAQUE_STRIPS
        return words

    def record(self, scene: Scene, record: Any, without: Collection[str] = ()) -> Words:
        """Read what an artist can change of a record."""
        return {
            prop.identifier: self._value(scene, record, prop)
            for prop in properties(record)
            if prop.identifier not in without and _is_seen(prop) and not _is_old_name(record, prop.identifier)
        }

    def _media(self, strip: Strip) -> list[Any] | str:
        """Tell the files of a strip; many of them by a digest, for a job carries its description along."""
        paths = media_files(strip)
        words = [_file_words(path) for path in paths]
        self.missing.extend(path for path, facts in zip(paths, words, strict=True) if len(facts) == 1)
        return words if len(words) <= 1 else digest_of(json.dumps(words))

    def curves(self, scene: Scene, strip: Strip, without: Collection[str]) -> list[Words]:
        """Read what moves a strip's properties. What a driver or the NLA makes of them is not followed."""
        has_layers = bool(scene.animation_data and scene.animation_data.nla_tracks)
        driven = [path for path, _ in drivers_of_strip(scene, strip) if root_of(path) not in without]
        self.is_opaque |= bool(driven) or (has_layers and without != LOOK)
        curves = [(path, curve) for path, curve in curves_of_strip(scene, strip) if root_of(path) not in without]
        return [{"path": path, **self.record(scene, curve, _NOT_SEEN_OF_CURVES)} for path, curve in curves]

    def _inside(self, strip: SceneStrip) -> Words:
        """Read the strips of the scene that a strip shows; of one that is seen by its camera only the name."""
        inner = strip.scene
        if inner is None:
            return {}
        if strip.scene_input != "SEQUENCER":
            return self._datablock(inner)
        strips = [self.strip(inner, found) for found in every_strip(inner) if not found.metas]
        muted = sorted(muted_channels(inner)) if strips else []
        return {"scene": inner.name_full, "canvas": _canvas(inner), "muted_channels": muted, "strips": strips}

    def _value(self, scene: Scene, record: Any, prop: Any) -> Any:
        name = prop.identifier
        if prop.type == "COLLECTION":
            return self._items(scene, getattr(record, name), is_strips=name in _STRIPS)
        if prop.type != "POINTER":
            return plain(record, name)
        value = getattr(record, name)
        return None if value is None else self._part(scene, value)

    def _items(self, scene: Scene, items: Collection[Any], *, is_strips: bool) -> list[Words] | Words:
        """Read a collection as a list; what has names of its own, by these, as paths of animation find it."""
        if is_strips:
            return [self._part(scene, item) for item in items if item.type != "SOUND"]
        words = [self.record(scene, item, _NOT_SEEN_OF_KEYS) for item in items]
        names = [getattr(item, "name", "") for item in items]
        if "" in names or len(set(names)) < len(names):
            return words
        return {"order": names, **dict(zip(names, words, strict=True))}

    def _part(self, scene: Scene, value: Any) -> Words:
        if not is_shared(value):
            return self.record(scene, value)
        if isinstance(value, bpy.types.ID):
            return self._datablock(value)
        return self.strip(scene, next(found for found in every_strip(scene) if found.strip == value))

    def _datablock(self, block: bpy.types.ID) -> Words:
        """Read a datablock that a strip points to: of a font its file, of all others the name."""
        path = getattr(block, "filepath", "")
        if isinstance(block, bpy.types.VectorFont):
            return {"font": path if path == "<builtin>" else _file_words(Path(bpy.path.abspath(path)))}
        self.is_opaque = True
        return {"datablock": block.name_full}


def _forget(words: Words, path: list[str]) -> None:
    """Drop the value that a moving property happens to have on the current frame."""
    *owners, name = path
    for owner in owners:
        words = words.get(owner) or {}
    words.pop(name, None)


def _is_seen(prop: Any) -> bool:
    is_part = prop.type in {"POINTER", "COLLECTION"}
    name = prop.identifier
    return (is_part or not prop.is_readonly) and name not in _NOT_SEEN and not name.startswith(_NOT_SEEN_STARTS)


def _is_old_name(record: Any, name: str) -> bool:
    return name == "sequences" and hasattr(record, "strips")


def _below(scene: Scene, top: Found) -> Iterable[Found]:
    """Yield the strips beside `top` that lie under it at some time."""
    start, end = first_frame(top.strip), end_frame(top.strip)
    for strip in strips_of(top.owner(scene)):
        is_under = strip.channel < top.strip.channel and first_frame(strip) < end and end_frame(strip) > start
        if is_under and strip.type != "SOUND":
            yield Found(strip, top.metas)


def _file_words(path: Path) -> list[Any]:
    """Tell a file by path, size and time; one that is not there by its path."""
    try:
        facts = path.stat()
    except OSError:
        return [path.as_posix()]
    return [path.as_posix(), facts.st_size, facts.st_mtime_ns]
