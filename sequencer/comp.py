# SPDX-License-Identifier: GPL-3.0-or-later
"""A take as compositor nodes: one group of the artist's own, with plate, character, matte, and what one does to edges.

The compositor mixes in linear light as the delivered comp does; so with its controls at rest the group gives that comp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

from ..backend.contract.job import Pass
from .compat import comp_output_type, comp_tree, set_node_value
from .take import JOB, VERSION, Take, find_source_or_none, scene_first_now

if TYPE_CHECKING:
    from bpy.types import Node, NodeGroup, NodeTree, Scene

_COLUMN, _ROW = 220, 300


def build_comp(scene: Scene, take: Take) -> Node:
    """Make a node group of a take and put it into the scene's compositor; return its node.

    It is led to the output and to a viewer where nothing else is. The pictures have the delivery's size, and the
    clip's place on the canvas is not applied. Blender renders the sequencer rather than the compositor while
    *Post Processing > Sequencer* is on and there are strips. Raises PassMissingError, FileMissingError.
    """
    source = find_source_or_none(scene, take)
    first = scene_first_now(take, source.strip if source else None)
    group = _new_group(take, first)
    tree = comp_tree(scene)
    node: Any = tree.nodes.new("CompositorNodeGroup")
    node.node_tree, node.label, node.width = group, take.stem, _COLUMN
    _lead_to(tree, node, comp_output_type(), 2 * _COLUMN, 0)
    _lead_to(tree, node, "CompositorNodeViewer", 2 * _COLUMN, -_ROW)
    return node  # type: ignore[no-any-return]


def _new_group(take: Take, first: int) -> NodeTree:
    pictures = {name: _load(take, name) for name in (Pass.PLATE, Pass.CHARACTER, Pass.MATTE)}
    group: Any = bpy.data.node_groups.new(f"Understudy {take.stem}", "CompositorNodeTree")
    group[JOB], group[VERSION] = take.job_id, take.version
    ends = _Ends(group)
    images = {name: _image_node(group, take, name, picture, first) for name, picture in pictures.items()}
    matte = _edge(ends, images[Pass.MATTE].outputs["Image"])
    lit = _light(ends, images[Pass.CHARACTER].outputs["Image"])
    held = ends.node("CompositorNodeSetAlpha", "Character by Its Matte", 4, 1)
    ends.link(lit, held.inputs["Image"])
    ends.link(matte, held.inputs["Alpha"])
    over = ends.node("CompositorNodeAlphaOver", "Over the Plate", 5, 0)
    back, front = [socket for socket in over.inputs if socket.type == "RGBA"][:2]
    ends.link(images[Pass.PLATE].outputs["Image"], back)
    ends.link(held.outputs["Image"], front)
    ends.give("Image", over.outputs["Image"])
    ends.give("Character", held.outputs["Image"])
    ends.give("Matte", matte)
    return group  # type: ignore[no-any-return]


class _Ends:
    """A group, its two ends, and how nodes come into it. `offer` is a control on the group's own node."""

    def __init__(self, group: Any) -> None:
        self._group = group
        self._in = self.node("NodeGroupInput", "", 0, 3)
        self._out = self.node("NodeGroupOutput", "", 6, 0)

    def node(self, kind: str, label: str, column: int, row: int) -> Any:
        made = self._group.nodes.new(kind)
        made.label, made.location = label, (column * _COLUMN, -row * _ROW)
        return made

    def link(self, source: Any, target: Any) -> None:
        self._group.links.new(source, target)

    def give(self, name: str, source: Any) -> None:
        kind = "NodeSocketFloat" if source.type == "VALUE" else "NodeSocketColor"
        self._group.interface.new_socket(name=name, in_out="OUTPUT", socket_type=kind)
        self.link(source, self._out.inputs[name])

    def offer(self, name: str, target: Any, kind: str, rest: Any) -> None:
        socket = self._group.interface.new_socket(name=name, in_out="INPUT", socket_type=kind)
        socket.default_value = rest
        self.link(self._in.outputs[name], target)


def _edge(ends: _Ends, matte: Any) -> Any:
    """Let the matte grow or shrink, and soften. Before 4.5 both are set on the nodes themselves."""
    grow = ends.node("CompositorNodeDilateErode", "Edge: Grow or Shrink", 2, 2)
    soften = ends.node("CompositorNodeBlur", "Edge: Soften", 3, 2)
    set_node_value(grow, "distance", "Size", 0)
    ends.link(matte, grow.inputs["Mask"])
    ends.link(grow.outputs["Mask"], soften.inputs["Image"])
    if "Size" in grow.inputs:
        ends.offer("Edge Size", grow.inputs["Size"], "NodeSocketInt", 0)
        ends.offer("Edge Softness", soften.inputs["Size"], "NodeSocketVector", (0.0, 0.0, 0.0))
    return soften.outputs["Image"]


def _light(ends: _Ends, character: Any) -> Any:
    exposure = ends.node("CompositorNodeExposure", "Light: Exposure", 2, 1)
    colour = ends.node("CompositorNodeHueSat", "Light: Saturation", 3, 1)
    ends.link(character, exposure.inputs["Image"])
    ends.link(exposure.outputs["Image"], colour.inputs["Image"])
    ends.offer("Exposure", exposure.inputs["Exposure"], "NodeSocketFloat", 0.0)
    ends.offer("Saturation", colour.inputs["Saturation"], "NodeSocketFloat", 1.0)
    return colour.outputs["Image"]


def _load(take: Take, name: Pass) -> Any:
    """Load a pass as a sequence. The character's colours are wanted as they are, for its matte may be changed."""
    files = take.files(name)
    image = bpy.data.images.load(str(files.folder / files.names[0]))
    image.name = f"{take.stem} {name}"
    image.source = "SEQUENCE"
    if name is Pass.MATTE:
        image.colorspace_settings.name = "Non-Color"  # type: ignore[union-attr]
    image.alpha_mode = "NONE"
    return image


def _image_node(group: Any, take: Take, name: Pass, image: Any, first: int) -> Any:
    """Show a sequence from a scene frame on. Blender counts by the number in the file's name, from 1."""
    node = group.nodes.new("CompositorNodeImage")
    row = (Pass.PLATE, Pass.CHARACTER, Pass.MATTE).index(name)
    node.image, node.label, node.location = image, name.value.capitalize(), (_COLUMN, -row * _ROW)
    node.frame_start, node.frame_duration, node.frame_offset = first, take.frame_count, take.first_number - 1
    return node


def _lead_to(tree: NodeTree, node: NodeGroup | Any, kind: str, right: int, down: int) -> None:
    """Lead a group's picture to the tree's node of a kind, unless the artist has led something there."""
    target = next((each for each in tree.nodes if each.bl_idname == kind), None)
    if target is None:
        target = tree.nodes.new(kind)
        target.location = (node.location.x + right, node.location.y + down)
    if not target.inputs[0].is_linked:
        tree.links.new(node.outputs["Image"], target.inputs[0])
