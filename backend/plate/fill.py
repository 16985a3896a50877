# SPDX-License-Identifier: GPL-3.0-or-later
"""Invent what no frame shows: copy small patches of the seen set into the rest so that they fit each other.

Multi-scale patch completion after Wexler, Shechtman, Irani 2007, with the search of Barnes et al. 2009 (PatchMatch),
all patches of a level at once. Much slower than cv2.inpaint and without its streaks; run once per shot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
Region = NDArray[np.bool_]

_RADIUS = 3
_SIDE = 2 * _RADIUS + 1
_LEAST_SIDE_PX = 24
_ROUNDS_COARSE, _ROUNDS_FINE = 12, 3
_NEARNESS = 300.0
"""Cost (squared code values a patch pixel) of taking a patch from a whole picture height away."""


def fill(image: Picture, unknown: Region, source: Region, search_height_px: int = 270) -> Picture:
    """Fill the unknown pixels of `image` (`h w 3`, 0..255) from patches that lie wholly in `source`.

    Pixels outside `unknown` come back unchanged. The search runs at `search_height_px` at most, finer levels copy
    from where it ended. Without a single whole source patch the surroundings are spread smoothly.
    """
    if not unknown.any():
        return image
    smooth = spread(image, source & ~unknown)
    start = np.where(unknown[..., None], smooth, image).astype(np.float32)
    levels = _pyramid(start, unknown, source & ~unknown)
    filled, places = levels[-1].image, None
    for depth, level in reversed(list(enumerate(levels))):
        if depth < len(levels) - 1:
            size = (level.image.shape[1], level.image.shape[0])
            level.image = np.where(level.unknown[..., None], cv2.resize(filled, size), level.image)
        patches = _Patches.of(level)
        if patches is None:
            filled = level.image
            continue
        found = _begin(patches, places, level)
        rounds = _ROUNDS_COARSE if depth == len(levels) - 1 else _ROUNDS_FINE
        is_searched = level.image.shape[0] <= max(search_height_px, 2 * _LEAST_SIDE_PX)
        for turn in range(rounds if is_searched else 1):
            if is_searched:
                found = _search(patches, level, found, turn)
            level.image = _vote(patches, level, found, is_last=turn == rounds - 1 or not is_searched)
        filled, places = level.image, _as_map(patches, found, level)
    return filled


def spread(image: Picture, known: Region) -> Picture:
    """Continue the known pixels smoothly over the rest: pull down to one pixel, push back up (Gortler et al. 1996)."""
    weight = known.astype(np.float32)
    return _spread(image * weight[..., None], weight)


def _spread(weighted: Picture, weight: Picture) -> Picture:
    height, width = weight.shape
    if height <= 1 and width <= 1:
        return cast(Picture, weighted / np.maximum(weight, 1e-6)[..., None])
    size = (max(1, width // 2), max(1, height // 2))
    less = _halved(weighted, size).reshape(size[1], size[0], -1)
    coarse = _spread(less, _halved(weight, size))
    under = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR).reshape(height, width, -1)
    share = np.minimum(weight, 1)[..., None]
    return cast(Picture, weighted / np.maximum(weight, 1e-6)[..., None] * share + under * (1 - share))


def _halved(image: NDArray[Any], size: tuple[int, int]) -> Picture:
    return np.asarray(cv2.resize(image.astype(np.float32), size, interpolation=cv2.INTER_AREA), np.float32)


@dataclass(slots=True)
class _Level:
    image: Picture
    unknown: Region
    source: Region


def _pyramid(image: Picture, unknown: Region, source: Region) -> list[_Level]:
    """Halve until the unknown is a few pixels deep. A pixel is unknown where any part of it is."""
    levels = [_Level(image, unknown, source)]
    while True:
        last = levels[-1]
        depth = cv2.distanceTransform(last.unknown.astype(np.uint8), cv2.DIST_L2, 3).max()
        height, width = last.unknown.shape
        if depth <= _RADIUS or min(height, width) < 2 * _LEAST_SIDE_PX:
            return levels
        size = (width // 2, height // 2)
        image, part, whole = (_halved(picture, size) for picture in (last.image, last.unknown, last.source))
        levels.append(_Level(image, part > 0, whole > 0.999))


@dataclass(frozen=True, slots=True)
class _Patches:
    """Centres `n 2` (row, column) of patches that touch the unknown, and `h w` where a whole source patch is."""

    targets: NDArray[np.intp]
    allowed: Region
    sources: NDArray[np.intp]

    @classmethod
    def of(cls, level: _Level) -> _Patches | None:
        square = np.ones((_SIDE, _SIDE), np.uint8)
        border: Any = {"borderType": cv2.BORDER_CONSTANT, "borderValue": 0}
        allowed = cv2.erode(level.source.astype(np.uint8), square, **border) > 0
        touched = cv2.dilate(level.unknown.astype(np.uint8), square) > 0
        touched[:_RADIUS] = touched[-_RADIUS:] = False
        touched[:, :_RADIUS] = touched[:, -_RADIUS:] = False
        if not allowed.any() or not touched.any():
            return None
        return cls(np.argwhere(touched), allowed, np.argwhere(allowed))


def _begin(patches: _Patches, coarse: NDArray[np.intp] | None, level: _Level) -> NDArray[np.intp]:
    """Start from the coarser level's answer, or from the nearest allowed places."""
    if coarse is None:
        picks = np.random.default_rng(7).integers(0, len(patches.sources), len(patches.targets))
        return patches.sources[picks]
    height, width = level.unknown.shape
    at = np.minimum(patches.targets // 2, np.array(coarse.shape[:2]) - 1)
    guess = coarse[at[:, 0], at[:, 1]] * 2 + patches.targets - at * 2
    return _allow(guess, patches, np.random.default_rng(11), (height, width))


def _allow(
    guess: NDArray[np.intp], patches: _Patches, chance: np.random.Generator, size: tuple[int, int]
) -> NDArray[np.intp]:
    """Replace places that hold no whole source patch by arbitrary ones that do."""
    guess = np.clip(guess, 0, np.array(size) - 1)
    wrong = ~patches.allowed[guess[:, 0], guess[:, 1]]
    guess[wrong] = patches.sources[chance.integers(0, len(patches.sources), int(wrong.sum()))]
    return guess


def _search(patches: _Patches, level: _Level, found: NDArray[np.intp], turn: int) -> NDArray[np.intp]:
    """Better each patch's source: those of its neighbours, shifted, then random ones in shrinking circles."""
    height, width = level.unknown.shape
    chance = np.random.default_rng(100 + turn)
    windows = np.lib.stride_tricks.sliding_window_view(level.image, (_SIDE, _SIDE), (0, 1))  # type: ignore[call-overload]
    wanted = windows[patches.targets[:, 0] - _RADIUS, patches.targets[:, 1] - _RADIUS].copy()
    rank = np.full((height, width), -1, np.intp)
    rank[patches.targets[:, 0], patches.targets[:, 1]] = np.arange(len(patches.targets))
    cost = _cost(windows, wanted, patches, found, height)
    jumps = (1, 4, 1) if turn % 2 == 0 else (2, 1)
    for jump in jumps:
        for step in ((0, jump), (jump, 0), (0, -jump), (-jump, 0)):
            at = np.clip(patches.targets + step, 0, (height - 1, width - 1))
            neighbour = rank[at[:, 0], at[:, 1]]
            guess = np.where(neighbour[:, None] >= 0, found[neighbour] - step, found)
            found, cost = _keep_better(windows, wanted, patches, found, cost, guess)
    reach = float(max(height, width))
    while reach >= 1:
        guess = found + np.rint(chance.uniform(-reach, reach, found.shape)).astype(np.intp)
        found, cost = _keep_better(windows, wanted, patches, found, cost, guess)
        reach /= 2
    return found


def _keep_better(
    windows: NDArray[np.float32],
    wanted: NDArray[np.float32],
    patches: _Patches,
    found: NDArray[np.intp],
    cost: NDArray[np.float32],
    guess: NDArray[np.intp],
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    height, width = patches.allowed.shape
    held = np.clip(guess, 0, (height - 1, width - 1))
    usable = (held == guess).all(1) & patches.allowed[held[:, 0], held[:, 1]] & (guess != found).any(1)
    who = np.flatnonzero(usable)
    tried = _cost(windows, wanted[who], patches, guess[who], height, patches.targets[who])
    better = tried < cost[who]
    found, cost = found.copy(), cost.copy()
    found[who[better]], cost[who[better]] = guess[who[better]], tried[better]
    return found, cost


def _cost(
    windows: NDArray[np.float32],
    wanted: NDArray[np.float32],
    patches: _Patches,
    places: NDArray[np.intp],
    height: int,
    targets: NDArray[np.intp] | None = None,
) -> NDArray[np.float32]:
    """Mean squared difference of whole patches, and a little for distance: grass should come from beside the grass."""
    there = windows[places[:, 0] - _RADIUS, places[:, 1] - _RADIUS]
    error = np.square(there - wanted).mean((1, 2, 3))
    away = (places - (patches.targets if targets is None else targets)) / height
    return cast(NDArray[np.float32], (error + _NEARNESS * np.square(away).sum(1)).astype(np.float32))


def _vote(patches: _Patches, level: _Level, found: NDArray[np.intp], is_last: bool) -> Picture:
    """Let every patch say what each of its pixels should be; on the last turn its centre has most of the say."""
    total = np.zeros_like(level.image)
    weight = np.zeros(level.unknown.shape, np.float32)
    falloff = 0.6 if is_last else 4.0
    for row in range(-_RADIUS, _RADIUS + 1):
        for column in range(-_RADIUS, _RADIUS + 1):
            say = np.float32(np.exp(-(row * row + column * column) / (2 * falloff * falloff)))
            to, came = patches.targets + np.array((row, column)), found + np.array((row, column))
            total[to[:, 0], to[:, 1]] += say * level.image[came[:, 0], came[:, 1]]
            weight[to[:, 0], to[:, 1]] += say
    voted = total / np.maximum(weight, 1e-6)[..., None]
    return np.where((level.unknown & (weight > 0))[..., None], voted, level.image).astype(np.float32)


def _as_map(patches: _Patches, found: NDArray[np.intp], level: _Level) -> NDArray[np.intp]:
    """Write the answers into a picture of places, for the next finer level; elsewhere a pixel is its own source."""
    height, width = level.unknown.shape
    places = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"), -1)
    places[patches.targets[:, 0], patches.targets[:, 1]] = found
    return places
