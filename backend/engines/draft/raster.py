# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw a deformed textured mesh: where in the picture does each pixel of the frame come from.

The answer is a backward map for `cv2.remap`, so that one mesh can be rasterised small and sampled at full size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]
"""float32; the wider type is what OpenCV's stubs give back."""

OUTSIDE = -1e4
"""Map value where no triangle lies; `cv2.remap` finds nothing there."""

_BUCKETS_PX = (4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512)
_CANDIDATES_AT_ONCE = 1_000_000
_EDGE = 1e-3
_FOLD_PX = 6.0
_SAME_PX = 2.0
"""How far apart two patches' places in the picture may be that show the same of it: their maps are made coarse."""
_NO_MAP = np.empty(0, np.float32)
_EMPTY = np.zeros((0, 0, 4), np.float32)


@dataclass(frozen=True, slots=True)
class Patch:
    """A premultiplied RGBA picture `h w 4` float32 with its upper left pixel at x, y of the frame.

    places: where in the texture each pixel is from, `h w 2`, if it is from one.
    """

    x: int
    y: int
    rgba: Floats
    places: Floats | None = None

    def faded(self, opacity: float) -> Patch:
        """Show less of it: opacity 0..1."""
        return Patch(self.x, self.y, self.rgba * np.float32(opacity))

    def lay_over(self, canvas: Floats) -> None:
        """Lay this over a premultiplied `canvas` in place. Porter and Duff 1984, `over`."""
        height, width = self.rgba.shape[:2]
        if not height or not width:
            return
        under = canvas[self.y : self.y + height, self.x : self.x + width]
        under *= 1.0 - self.rgba[..., 3:]
        under += self.rgba


def merged(patches: Sequence[Patch]) -> Patch:
    """Lay patches that textures drew over each other, the later in front, into one that holds them all.

    What two patches in a row both show of one picture counts once: laid over itself, a soft edge would harden.
    """
    drawn = [patch for patch in patches if patch.rgba.size]
    if not drawn:
        return Patch(0, 0, _EMPTY)
    x, y = min(patch.x for patch in drawn), min(patch.y for patch in drawn)
    right, bottom = (
        max(at) for at in zip(*((p.x + p.rgba.shape[1], p.y + p.rgba.shape[0]) for p in drawn), strict=True)
    )
    canvas = np.zeros((bottom - y, right - x, 4), np.float32)
    shown = np.full((bottom - y, right - x, 2), OUTSIDE, np.float32)
    for patch in drawn:
        top, left = patch.y - y, patch.x - x
        part = np.s_[top : top + patch.rgba.shape[0], left : left + patch.rgba.shape[1]]
        assert patch.places is not None
        # elsewhere either of them shows all that there is
        soft = np.nonzero((patch.rgba[..., 3] > 0) & (patch.rgba[..., 3] < 1) & (canvas[part][..., 3] > 0))
        before, now = canvas[part][soft], patch.rgba[soft]
        same = np.abs(shown[part][soft] - patch.places[soft]).max(-1) < _SAME_PX
        Patch(left, top, patch.rgba).lay_over(canvas)
        once = np.where(before[:, 3:] > now[:, 3:], before, now)
        canvas[part][soft] = np.where(same[:, None], once, canvas[part][soft])
        is_seen = patch.rgba[..., 3] > 0
        shown[part][is_seen] = patch.places[is_seen]
    return Patch(x, y, canvas)


def draw_mesh(picture: Floats, points: Floats, triangles: NDArray[np.int32], texture: Floats, frame: Frame) -> Patch:
    """Draw a mesh textured by `picture` (premultiplied RGBA `h w 4`).

    points: `v 2` where the vertices go in the frame; texture: `v 2` where they are in the picture, both in pixels with
    whole numbers at pixel centres. triangles: `t 3`; where two overlap the later one is in front, and those whose
    orientation differs from the mesh's as a whole are seen from behind and left out, but in a two-sided frame.
    """
    if frame.two_sided:
        triangles = _turned(points, triangles)
    if not len(triangles):
        return Patch(0, 0, _EMPTY)
    used = points[triangles].reshape(-1, 2)
    # on the coarse grid of the frame, not of the mesh: else a part's edge changes when a far point of it moves
    low = np.maximum(np.floor(used.min(0)).astype(int) - 1, 0) // frame.coarse * frame.coarse
    high = np.minimum(np.ceil(used.max(0)).astype(int) + 2, (frame.width_px, frame.height_px))
    if np.any(high <= low):
        return Patch(0, 0, _EMPTY)
    width, height = (int(side) for side in high - low)
    local = ((points - low + 0.5) / frame.coarse - 0.5).astype(np.float32)
    small = (-(-height // frame.coarse), -(-width // frame.coarse))
    lookup = _enlarge(backward_map(local, texture, triangles, small), frame.coarse)[:height, :width]
    rgba = cv2.remap(picture, lookup, _NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return Patch(int(low[0]), int(low[1]), rgba * _soft_border(lookup)[..., None], lookup)


@dataclass(frozen=True, slots=True)
class Frame:
    """What is drawn into. coarse: the map is made at 1/coarse of the size; 1 keeps mesh borders exact.

    two_sided: what is seen from behind is drawn too: a folded sleeve has an inside.
    """

    width_px: int
    height_px: int
    coarse: int = 2
    two_sided: bool = False


def backward_map(points: Floats, texture: Floats, triangles: NDArray[np.int32], shape: tuple[int, int]) -> Floats:
    """Tell for every pixel of `shape` (h, w) its place in the texture, `h w 2`; OUTSIDE where no triangle lies."""
    height, width = shape
    corners = points[triangles]
    low = np.floor(corners.min(1)).astype(np.int32)
    high = np.ceil(corners.max(1)).astype(np.int32)
    size = (high - low).max(1) + 1
    area = _doubled_area(corners)
    area = area * (1.0 if area.sum() >= 0 else -1.0)
    seen = (area > 1e-9) & (high >= 0).all(1) & (low[:, 0] < width) & (low[:, 1] < height)
    map_ = _Map(np.full((height * width, 2), OUTSIDE, np.float32), np.full(height * width, -1, np.int32), width)
    places = texture[triangles]
    previous = 0
    for bucket in _BUCKETS_PX:
        chosen = np.flatnonzero(seen & (size <= bucket) & (size > previous)).astype(np.int32)
        previous = bucket
        step = max(1, _CANDIDATES_AT_ONCE // (bucket * bucket))
        for start in range(0, len(chosen), step):
            _fill(map_, corners, places, chosen[start : start + step], bucket)
    return map_.places.reshape(height, width, 2)


def _doubled_area(corners: Floats) -> Floats:
    """Signed, `t`; positive where the corners go round clockwise on screen (y down)."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    return np.asarray((b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1]))


def _soft_border(lookup: Floats) -> Floats:
    """Rise from 0 at the mesh's border within three pixels: where it is folded or ends, that cuts what is solid."""
    inside = (lookup[..., 0] > OUTSIDE / 2).astype(np.float32)
    around = cv2.GaussianBlur(inside, (0, 0), 1.2, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(np.clip(2 * around - 1, 0, 1))


def _turned(points: Floats, triangles: NDArray[np.int32]) -> NDArray[np.int32]:
    """Turn round those triangles that are seen from behind."""
    area = _doubled_area(points[triangles])
    behind = area * (1.0 if area.sum() >= 0 else -1.0) < 0
    return np.where(behind[:, None], triangles[:, ::-1], triangles)


@dataclass(frozen=True, slots=True)
class _Map:
    """A backward map in the making. places: `hw 2`; front: the triangle that each pixel shows, `hw`, -1 for none."""

    places: Floats
    front: NDArray[np.int32]
    width: int


def _fill(map_: _Map, corners: Floats, places: Floats, chosen: NDArray[np.int32], bucket: int) -> None:
    """Write the pixels of some triangles, all smaller than `bucket` pixels, by barycentric coordinates.

    corners, places: `t 3 2`, of all triangles, in the frame and in the texture.
    """
    width, height = map_.width, len(map_.front) // map_.width
    low = np.floor(corners[chosen].min(1)).astype(np.int32)
    y, x = (grid.ravel() for grid in np.mgrid[0:bucket, 0:bucket].astype(np.int32))
    px, py = low[:, :1] + x, low[:, 1:] + y
    a, b, c = (corners[chosen, corner] for corner in range(3))
    e, f = b - a, c - a
    dx, dy = px - a[:, :1], py - a[:, 1:]
    scale = 1.0 / (e[:, 0] * f[:, 1] - f[:, 0] * e[:, 1])[:, None]
    second = (dx * f[:, 1:] - dy * f[:, :1]) * scale
    third = (dy * e[:, :1] - dx * e[:, 1:]) * scale
    inside = (second >= -_EDGE) & (third >= -_EDGE) & (second + third <= 1 + _EDGE)
    inside &= (px >= 0) & (py >= 0) & (px < width) & (py < height)
    row, column = np.nonzero(inside)
    pixel, triangle = py[row, column] * width + px[row, column], chosen[row]
    ahead = triangle > map_.front[pixel]
    row, column, pixel, triangle = row[ahead], column[ahead], pixel[ahead], triangle[ahead]
    u, v = second[row, column][:, None], third[row, column][:, None]
    p, q, r = (places[triangle, corner] for corner in range(3))
    # numpy keeps the last of equal indices, and triangles come in rising order: the one in front stays
    map_.places[pixel] = p + (q - p) * u + (r - p) * v
    map_.front[pixel] = triangle


def _enlarge(small: Floats, times: int) -> Floats:
    """Bring a map to `times` its size; the border between inside and outside stays sharp at half a coarse pixel."""
    if times == 1:
        return small
    inside = (small[..., 0] > OUTSIDE / 2).astype(np.float32)
    size = (small.shape[1] * times, small.shape[0] * times)
    cover = cv2.resize(inside, size, interpolation=cv2.INTER_LINEAR)
    large = cv2.resize(small * inside[..., None], size, interpolation=cv2.INTER_LINEAR)
    large = large / np.maximum(cover, 1e-3)[..., None]
    # where the mesh folds over itself, neighbours lie far apart in the picture: between them is nothing to see
    nearest = cv2.resize(small, size, interpolation=cv2.INTER_NEAREST)
    apart = cv2.absdiff(large, nearest) > _FOLD_PX
    folded = apart[..., 0] | apart[..., 1]
    large[folded] = nearest[folded]
    large[cover <= 0.5] = OUTSIDE
    return np.asarray(large, np.float32)
