# SPDX-License-Identifier: GPL-3.0-or-later
"""bpy: a room and its performers as glowing surfaces, drawn by Cycles on the CPU.

Light is worked out beforehand (`light.py`), so a frame needs no bounces and no graphics driver: a few samples for
smooth edges are all. Two view layers give the shot and the room without its performers in one go.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from .acting import Performance
from .figure import Figure
from .light import FIGURE_CELL, ROOM_CELL, Casters, Shade, highlight, lit
from .room import Room
from .sculpt import mesh_of
from .solid import Points, join
from .truth import BEAUTY, PLATE, Camera, hands_name, matte_name

_SAMPLES = 10
_PORTRAIT_SAMPLES = 48
_LIGHT = "light"


class Stage:
    """A Blender scene with one room and some figures. Make one a process: it empties Blender first."""

    def __init__(self, room: Room, figures: Sequence[Figure], width: int, height: int) -> None:
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self._scene = _scene(width, height)
        self._room, self._figures = room, figures
        live, clean = _collection("live"), _collection("clean")
        self._set, _ = _room_object(room, live), _room_object(room, clean)
        self._actors = [_figure_object(figure, i, live) for i, figure in enumerate(figures)]
        self._room_points = np.concatenate([s.solid.vertices for s in room.surfaces])
        self._room_normals = _normals(self._set)
        self._room_shade = _furniture_shade(room, self._room_points, self._room_normals)
        for thing in (self._set, *clean.objects):
            _glow(thing, lit(self._room_points, self._room_normals, room.lamps, self._room_shade))
        _layers(self._scene, len(figures))

    def act(self, performances: Sequence[Performance], camera: Camera) -> list[Points]:
        """Pose the figures and light everything; returns each figure's vertices."""
        posed = [figure.posed(performance) for figure, performance in zip(self._figures, performances, strict=True)]
        casters = Casters(self._room.lamps, np.concatenate(posed), FIGURE_CELL)
        for thing, figure, points in zip(self._actors, self._figures, posed, strict=True):
            _light_figure(thing, figure, points, casters, self._room, camera)
        figures_shade = casters.shade(self._room_points, self._room_normals)
        both = Shade(
            np.maximum(self._room_shade.sun, figures_shade.sun),
            1 - (1 - self._room_shade.sky) * (1 - figures_shade.sky),
        )
        _glow(self._set, lit(self._room_points, self._room_normals, self._room.lamps, both))
        _aim(self._scene, camera)
        return posed

    def render(self, into: Path, number: int) -> None:
        """Draw the frame as `into`/<layer>/<number>.png."""
        self._scene.frame_set(number)
        self._scene.cycles.seed = number
        for node in self._scene.node_tree.nodes:
            if node.type == "OUTPUT_FILE":
                node.base_path = str(into)
        bpy.ops.render.render()

    def portrait(self, path: Path, *, alone: bool) -> None:
        """Draw one finer picture of the shot, or of the performers alone as straight RGBA."""
        scene = self._scene
        scene.use_nodes = False
        scene.view_layers[PLATE].use = False
        scene.cycles.samples = _PORTRAIT_SAMPLES
        self._set.hide_render = scene.render.film_transparent = alone
        scene.render.image_settings.file_format = "PNG"
        scene.render.image_settings.color_mode = "RGBA" if alone else "RGB"
        scene.render.filepath = str(path)
        bpy.ops.render.render(write_still=True)


def _scene(width: int, height: int) -> Any:
    scene: Any = bpy.context.scene
    render, cycles = scene.render, scene.cycles
    render.engine = "CYCLES"
    render.resolution_x, render.resolution_y, render.resolution_percentage = width, height, 100
    render.use_persistent_data = True
    cycles.device, cycles.samples, cycles.use_adaptive_sampling = "CPU", _SAMPLES, False
    cycles.use_denoising, cycles.max_bounces, cycles.pixel_filter_type = False, 0, "BLACKMAN_HARRIS"
    for stamp in (name for name in dir(render) if name.startswith("use_stamp_")):
        setattr(render, stamp, False)  # equal frames are equal files: no date, no render time
    scene.view_settings.view_transform = "Standard"
    scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    scene.collection.objects.link(scene.camera)
    return scene


def _collection(name: str) -> bpy.types.Collection:
    collection = bpy.data.collections.new(name)
    bpy.context.scene.collection.children.link(collection)
    return collection


def _aim(scene: bpy.types.Scene, camera: Camera) -> None:
    right, down, ahead = camera.axes
    turn = np.eye(4)
    turn[:3, :3] = np.stack([right, -down, -ahead], axis=1)
    turn[:3, 3] = camera.location
    scene.camera.matrix_world = Matrix(turn.tolist())
    lens = scene.camera.data
    lens.sensor_fit, lens.sensor_width = "HORIZONTAL", 36.0
    lens.lens = camera.focal_widths * lens.sensor_width


def _glowing(name: str) -> tuple[bpy.types.Material, Any]:
    """Make a material that shows the attribute `light`; returns it with its emission node."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    material.cycles.emission_sampling = "NONE"  # else every face becomes a lamp: three times slower
    tree: Any = material.node_tree
    tree.nodes.clear()
    emission, output = tree.nodes.new("ShaderNodeEmission"), tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(emission.outputs[0], output.inputs["Surface"])
    tree.links.new(_attribute(tree, _LIGHT).outputs["Color"], emission.inputs["Color"])
    return material, emission


def _attribute(tree: Any, name: str) -> Any:
    node = tree.nodes.new("ShaderNodeAttribute")
    node.attribute_name = name
    return node


def _painted(name: str, picture: Points) -> bpy.types.Material:
    material, emission = _glowing(name)
    tree: Any = material.node_tree
    paint = tree.nodes.new("ShaderNodeTexImage")
    paint.image = _image(name, picture)
    product = tree.nodes.new("ShaderNodeMix")
    product.data_type, product.blend_type = "RGBA", "MULTIPLY"
    product.inputs["Factor"].default_value = 1.0
    tree.links.new(emission.inputs["Color"].links[0].from_socket, product.inputs["A"])
    tree.links.new(paint.outputs["Color"], product.inputs["B"])
    tree.links.new(product.outputs["Result"], emission.inputs["Color"])
    return material


def _image(name: str, picture: Points) -> bpy.types.Image:
    height, width = picture.shape[:2]
    image: Any = bpy.data.images.new(name, width, height)
    rgba = np.ones((height, width, 4), np.float32)
    rgba[..., :3] = picture[::-1]  # Blender's first row is the lowest
    image.pixels.foreach_set(rgba.ravel())
    image.pack()
    return image


def _figure_object(figure: Figure, performer: int, into: bpy.types.Collection) -> bpy.types.Object:
    thing = bpy.data.objects.new(f"performer {performer}", mesh_of(f"performer {performer}", figure.solid))
    into.objects.link(thing)
    _add_light(thing)
    hand = thing.data.attributes.new("hand", "FLOAT", "POINT")
    hand.data.foreach_set("value", figure.hand.astype(np.float32))
    material, _ = _glowing(f"performer {performer}")
    tree: Any = material.node_tree
    matte, hands = tree.nodes.new("ShaderNodeOutputAOV"), tree.nodes.new("ShaderNodeOutputAOV")
    matte.aov_name, hands.aov_name = matte_name(performer), hands_name(performer)
    matte.inputs["Value"].default_value = 1.0
    tree.links.new(_attribute(tree, "hand").outputs["Fac"], hands.inputs["Value"])
    thing.data.materials.append(material)
    return thing


def _room_object(room: Room, into: bpy.types.Collection) -> bpy.types.Object:
    solid = join(surface.solid for surface in room.surfaces)
    thing = bpy.data.objects.new("room", mesh_of("room", solid))
    into.objects.link(thing)
    _add_light(thing)
    uv = np.concatenate([surface.uv for surface in room.surfaces])[solid.faces.ravel()]
    thing.data.uv_layers.new(name="uv").uv.foreach_set("vector", uv.astype(np.float32).ravel())
    names = list(room.pictures)
    for name in names:
        thing.data.materials.append(bpy.data.materials.get(name) or _painted(name, room.pictures[name]))
    slots = np.concatenate([np.full(len(s.solid.faces), names.index(s.texture), np.int32) for s in room.surfaces])
    thing.data.polygons.foreach_set("material_index", slots)
    return thing


def _add_light(thing: bpy.types.Object) -> None:
    thing.data.attributes.new(_LIGHT, "FLOAT_COLOR", "POINT")


def _glow(thing: bpy.types.Object, colour: Points) -> None:
    """Give each vertex its linear RGB."""
    rgba = np.ones((len(colour), 4), np.float32)
    rgba[:, :3] = colour
    thing.data.attributes[_LIGHT].data.foreach_set("color", rgba.ravel())
    thing.data.update()


def _normals(thing: bpy.types.Object) -> Points:
    vectors = np.empty(len(thing.data.vertices) * 3, np.float32)
    thing.data.vertex_normals.foreach_get("vector", vectors)
    return vectors.reshape(-1, 3).astype(float)


def _furniture_shade(room: Room, points: Points, normals: Points) -> Shade:
    """Shadow that stands still: furniture on floor, walls and itself."""
    casting = np.concatenate([s.solid.vertices for s in room.surfaces if s.casts])
    return Casters(room.lamps, casting, ROOM_CELL).shade(points, normals)


def _light_figure(
    thing: bpy.types.Object, figure: Figure, points: Points, casters: Casters, room: Room, camera: Camera
) -> None:
    thing.data.vertices.foreach_set("co", points.astype(np.float32).ravel())
    thing.data.update()
    normals = _normals(thing)
    shade = casters.shade(points, normals)
    colour = figure.albedo * lit(points, normals, room.lamps, shade)
    _glow(thing, colour + highlight(points, normals, camera.location, room.lamps, shade, figure.gloss))


def _layers(scene: bpy.types.Scene, performers: int) -> None:
    """Two view layers, and a file for each of their passes."""
    beauty = scene.view_layers[0]
    beauty.name = BEAUTY
    plate = scene.view_layers.new(PLATE)
    beauty.layer_collection.children["clean"].exclude = True
    plate.layer_collection.children["live"].exclude = True
    passes = [name(i) for i in range(performers) for name in (matte_name, hands_name)]
    for name in passes:
        aov = beauty.aovs.add()
        aov.name, aov.type = name, "VALUE"
    scene.use_nodes = True
    tree: Any = scene.node_tree
    tree.nodes.clear()
    for layer in (BEAUTY, PLATE):
        source = tree.nodes.new("CompositorNodeRLayers")
        source.layer = layer
        _file(tree, source.outputs["Image"], layer, "RGB")
        for name in passes if layer == BEAUTY else ():
            _file(tree, source.outputs[name], name, "BW")


def _file(tree: Any, socket: Any, folder: str, mode: str) -> None:
    node = tree.nodes.new("CompositorNodeOutputFile")
    node.format.file_format, node.format.color_mode, node.format.color_depth = "PNG", mode, "8"
    node.format.compression = 25
    if mode == "BW":  # coverage is a number, not a colour: no view transform
        node.format.color_management = "OVERRIDE"
        node.format.view_settings.view_transform = "Raw"
    node.file_slots[0].path = f"{folder}/######"
    tree.links.new(socket, node.inputs[0])
