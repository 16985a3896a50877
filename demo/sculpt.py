# SPDX-License-Identifier: GPL-3.0-or-later
"""bpy: melt overlapping solids into one smooth surface."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import bpy
import numpy as np

from .solid import Solid, join


def melt(solids: Iterable[Solid], *, voxel: float, smoothing: int = 6) -> Solid:
    """Unite solids on a grid of `voxel` metres, then relax the surface `smoothing` times."""
    mesh = mesh_of("melt", join(solids))
    thing = bpy.data.objects.new("melt", mesh)
    bpy.context.scene.collection.objects.link(thing)
    remesh: Any = thing.modifiers.new("remesh", "REMESH")
    remesh.mode, remesh.voxel_size = "VOXEL", voxel
    smooth: Any = thing.modifiers.new("smooth", "SMOOTH")
    smooth.factor, smooth.iterations = 0.5, smoothing
    melted = thing.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
    solid = _solid_of(melted)
    bpy.data.objects.remove(thing)
    bpy.data.meshes.remove(mesh)
    return solid


def mesh_of(name: str, solid: Solid) -> bpy.types.Mesh:
    """Make Blender's mesh of a solid, shaded smooth."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(solid.vertices, [], solid.faces.tolist())
    mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), bool))
    return mesh


def _solid_of(mesh: bpy.types.Mesh) -> Solid:
    vertices = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", vertices)
    corners = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("vertex_index", corners)
    return Solid(vertices.reshape(-1, 3).astype(float), corners.reshape(-1, 4))
