# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between Blender 4.2 and 5.2. Nothing else here knows a version, and only this file reads old names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import bpy

if TYPE_CHECKING:
    from bpy.types import (
        ActionFCurves,
        Context,
        FCurve,
        ImageFormatSettings,
        MetaStrip,
        NodeTree,
        Scene,
        Strip,
        StripModifier,
    )

VERSION = bpy.app.version
STRIP_TYPE: type = getattr(bpy.types, "Strip", None) or bpy.types.Sequence  # type: ignore[attr-defined]
"""What every strip is an instance of."""

_HAS_NEW_TIMES = VERSION >= (5, 1, 0)
_HAS_SLOTS = VERSION >= (4, 4, 0)
_HAS_COMP_GROUPS = VERSION >= (5, 0, 0)

BLEND_RELATIVE: set[str] = {"PATH_SUPPORTS_BLEND_RELATIVE"} if VERSION >= (4, 5, 0) else set()
"""Options of a property that takes `//`: without them Blender shows such a path as wrong."""
OLD_TIMES = frozenset(
    {
        "frame_start",
        "frame_duration",
        "frame_final_start",
        "frame_final_end",
        "frame_final_duration",
        "frame_offset_start",
        "frame_offset_end",
        "animation_offset_start",
        "animation_offset_end",
    }
    if _HAS_NEW_TIMES
    else ()
)
"""Names that this Blender still answers to, with a warning."""


def sequencer_scene(context: Context) -> Scene | None:
    """Say whose strips the sequencer shows: from 5.0 on not always those of the window's scene."""
    return getattr(context, "sequencer_scene", None) or context.scene


def strips_of(owner: Scene | MetaStrip) -> Any:
    """Return the collection of a scene's or a meta's own strips; a scene's is made where there is none."""
    editor: Any = owner
    if isinstance(owner, bpy.types.Scene):
        editor = owner.sequence_editor or owner.sequence_editor_create()
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def all_strips_name() -> str:
    """Name the sequence editor's list of all strips, those in metas too."""
    return "strips_all" if VERSION >= (4, 4, 0) else "sequences_all"


def muted_channels(owner: Scene | MetaStrip) -> set[int]:
    """Return the channels of a scene or a meta on which nothing is seen."""
    holder: Any = owner.sequence_editor if isinstance(owner, bpy.types.Scene) else owner
    return {number for number, channel in enumerate(holder.channels) if channel.mute}


def first_frame(strip: Strip) -> int:
    """Return the first frame that the strip shows."""
    return int(getattr(strip, "left_handle" if _HAS_NEW_TIMES else "frame_final_start"))


def end_frame(strip: Strip) -> int:
    """Return the frame after the last one that the strip shows."""
    return int(getattr(strip, "right_handle" if _HAS_NEW_TIMES else "frame_final_end"))


def content_start(strip: Strip) -> int:
    """Return the frame on which the strip's content would begin if it were not trimmed."""
    return int(getattr(strip, "content_start" if _HAS_NEW_TIMES else "frame_start"))


def handle_offsets(strip: Strip) -> tuple[int, int]:
    """Return how many frames of the content are trimmed from its start and its end; negative ones are held."""
    names = ("left", "right") if _HAS_NEW_TIMES else ("start", "end")
    form = "{}_handle_offset" if _HAS_NEW_TIMES else "frame_offset_{}"
    start, end = (int(getattr(strip, form.format(name))) for name in names)
    return start, end


def split_off_copy_or_none(strip: Strip, channel: int) -> Strip | None:
    """Copy a strip to a channel that is free over its frames, which it keeps: no other way leads through the API.

    None where that does not go: of a strip of one frame, or on a locked channel, where nothing can be split.
    """
    first, end = first_frame(strip), end_frame(strip)
    names = ("left_handle", "right_handle") if _HAS_NEW_TIMES else ("frame_final_start", "frame_final_end")
    copy: Any = None
    with suppress(RuntimeError):
        copy = strip.split(frame=first + 1, split_method="SOFT")
    if copy is None:
        return None
    copy.channel = channel  # first of all: nothing may overlap while it is made longer
    setattr(copy, names[0], first)
    setattr(strip, names[1], end)
    return copy  # type: ignore[no-any-return]


def new_modifier(scene: Scene, strip: Strip, name: str, kind: str) -> StripModifier:
    """Add a modifier to a strip. 5.0 and 5.1 crash here unless the workspace has a sequencer scene."""
    workspace: Any = bpy.context.workspace
    if workspace is not None and getattr(workspace, "sequencer_scene", scene) is None:
        workspace.sequencer_scene = scene
    return strip.modifiers.new(name=name, type=kind)  # type: ignore[arg-type]


def fcurves_of(scene: Scene) -> Iterator[FCurve]:
    """Yield the curves that move the scene's own properties, its strips' among them."""
    curves = _fcurves_or_none(scene)
    yield from () if curves is None else curves


def remove_fcurve(scene: Scene, curve: FCurve) -> None:
    """Take one of `fcurves_of` away."""
    curves = _fcurves_or_none(scene)
    assert curves is not None
    curves.remove(curve)


def new_fcurve(scene: Scene, path: str, index: int) -> FCurve:
    """Add a curve beside those that the scene has."""
    curves = _fcurves_or_none(scene)
    assert curves is not None
    return curves.new(path, index=index)


def _fcurves_or_none(scene: Scene) -> ActionFCurves | None:
    """Curves lie in an action, from 4.4 on in that part of it which is the scene's."""
    data = scene.animation_data
    action: Any = data.action if data else None
    if action is None:
        return None
    if not _HAS_SLOTS:
        return action.fcurves  # type: ignore[no-any-return]
    bags = [strip.channelbag(data.action_slot) for layer in action.layers for strip in layer.strips]  # type: ignore[union-attr]
    return next((bag.fcurves for bag in bags if bag), None)


def set_image_format(settings: ImageFormatSettings, name: str) -> None:
    """Choose a format of pictures."""
    if hasattr(settings, "media_type"):
        settings.media_type = "IMAGE"
    settings.file_format = name  # type: ignore[assignment]


def comp_tree(scene: Scene) -> NodeTree:
    """Return the scene's compositor nodes; made where there are none."""
    holder: Any = scene
    if not _HAS_COMP_GROUPS:
        is_new = holder.node_tree is None
        holder.use_nodes = True
        if is_new:
            holder.node_tree.nodes.clear()  # a 3D render, which may have no camera
        return holder.node_tree  # type: ignore[no-any-return]
    if holder.compositing_node_group is None:
        tree: Any = bpy.data.node_groups.new("Compositing", "CompositorNodeTree")
        tree.interface.new_socket(name="Image", in_out="OUTPUT", socket_type="NodeSocketColor")
        tree.nodes.new("NodeGroupOutput")
        holder.compositing_node_group = tree
    return holder.compositing_node_group  # type: ignore[no-any-return]


def comp_output_type() -> str:
    """Name the node that ends the compositor's tree."""
    return "NodeGroupOutput" if _HAS_COMP_GROUPS else "CompositorNodeComposite"


def set_node_value(node: Any, prop: str, socket: str, value: Any) -> None:
    """Set what was a node's property once and is one of its inputs now."""
    if socket in node.inputs:
        node.inputs[socket].default_value = value
    else:
        setattr(node, prop, value)
