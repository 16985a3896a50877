# SPDX-License-Identifier: GPL-3.0-or-later
"""A figure: parts that hang on a skeleton, joined into one surface that follows any pose and expression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .acting import Performance
from .anatomy import Skeleton
from .solid import Points, Quads, Solid, join

_SHARPNESS = 4.0
"""How quickly a bone's hold falls with distance in units of its radius; lower is rounder at joints."""
_HOLDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One piece of a figure at rest.

    albedo: `n 3` linear RGB. gloss: strength of the highlight, 0..1. bones: the ones that may hold it.
    open_by, shut_by: `n 3`, how far each vertex goes when the mouth opens, when the eyes shut.
    """

    name: str
    solid: Solid
    albedo: Points
    bones: tuple[str, ...]
    gloss: float = 0.04
    is_hand: bool = False
    open_by: Points | None = None
    shut_by: Points | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """All parts of one performer as one surface, with what holds every vertex."""

    skeleton: Skeleton
    solid: Solid
    albedo: Points
    gloss: Points
    hand: NDArray[np.bool_]
    open_by: Points
    shut_by: Points
    holds: NDArray[np.int32] = field(repr=False)
    weights: Points = field(repr=False)

    def posed(self, performance: Performance) -> Points:
        """Vertices `n 3` in the world: expression first, then linear blend skinning."""
        resting = self.solid.vertices + performance.mouth_open * self.open_by + performance.eyes_shut * self.shut_by
        pose = performance.pose
        heads = np.stack([bone.head for bone in self.skeleton.bones])
        moved = np.zeros_like(resting)
        for k in range(self.holds.shape[1]):
            bone = self.holds[:, k]
            turned = np.einsum("nij,nj->ni", pose.turn[bone], resting - heads[bone]) + pose.head[bone]
            moved += self.weights[:, k, None] * turned
        return moved

    @property
    def faces(self) -> Quads:
        """Faces `m 4` of the whole surface."""
        return self.solid.faces


def assemble(skeleton: Skeleton, parts: Sequence[Part]) -> Figure:
    """Join parts and bind each to the bones it names."""
    bound = [_bind(skeleton, part) for part in parts]
    counts = [len(part.solid.vertices) for part in parts]
    return Figure(
        skeleton,
        join(part.solid for part in parts),
        np.concatenate([part.albedo for part in parts]),
        np.repeat([part.gloss for part in parts], counts),
        np.repeat([part.is_hand for part in parts], counts),
        np.concatenate([_or_still(part.open_by, n) for part, n in zip(parts, counts, strict=True)]),
        np.concatenate([_or_still(part.shut_by, n) for part, n in zip(parts, counts, strict=True)]),
        np.concatenate([holds for holds, _ in bound]),
        np.concatenate([weights for _, weights in bound]),
    )


def _or_still(moves: Points | None, count: int) -> Points:
    return np.zeros((count, 3)) if moves is None else moves


def _bind(skeleton: Skeleton, part: Part) -> tuple[NDArray[np.int32], Points]:
    """Weigh the part's bones by their distance in units of their radius; keep the strongest few."""
    points = part.solid.vertices
    distance = np.stack([_distance(points, skeleton, name) for name in part.bones], axis=1)
    strength = np.maximum(distance, 0.3) ** -_SHARPNESS
    order = np.argsort(-strength, axis=1, kind="stable")[:, :_HOLDS]
    weights = np.take_along_axis(strength, order, axis=1)
    weights /= weights.sum(axis=1, keepdims=True)
    index = np.array([skeleton.index[name] for name in part.bones], np.int32)[order]
    short = _HOLDS - index.shape[1]
    return np.pad(index, ((0, 0), (0, short))), np.pad(weights, ((0, 0), (0, short)))


def _distance(points: Points, skeleton: Skeleton, name: str) -> Points:
    bone = skeleton[name]
    along = bone.tail - bone.head
    share = np.clip((points - bone.head) @ along / (along @ along), 0, 1)
    nearest = bone.head + share[:, None] * along
    distance: Points = np.linalg.norm(points - nearest, axis=1) / bone.radius
    return distance
