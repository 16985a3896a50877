# SPDX-License-Identifier: GPL-3.0-or-later
"""Invent what no frame shows: copy small patches of the seen set into the rest so that they fit each other.

A small version is filled by examples (exemplar.py); then up a pyramid as Wexler, Shechtman and Irani 2007 do, with the
search of Barnes et al. 2009 (PatchMatch), all patches of a level at once. Slower than cv2.inpaint and without its
streaks; run once per segment of a shot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from .exemplar import fill_by_examples

Picture = NDArray[np.float32]
Region = NDArray[np.bool_]

_RADIUS = 3
_SIDE = 2 * _RADIUS + 1
_COARSEST_ROWS = 110
_SEARCHED_ROWS = 300
_ROUNDS = 2
_WIDE, _NARROW = 1.5, 0.45
"""How much say a patch has away from its centre, as a Gaussian's sigma in pixels: wide agrees, narrow is sharp."""
_NEARNESS = 300.0
"""Cost (squared code values a patch pixel) of taking a patch from a whole picture height away."""


def fill(image: Picture, unknown: Region, source: Region) -> Picture:
    """Fill the unknown pixels of `image` (`h w 3`, 0..255) from patches that lie wholly in `source`.

    Pixels outside `unknown` come back unchanged. The coarsest level is filled by examples, the next are searched from
    there, those over `_SEARCHED_ROWS` only copy. Without a whole source patch the surroundings are spread smoothly.
    """
    if not unknown.any():
        return image
    known = source & ~unknown
    levels = _pyramid(np.where(unknown[..., None], spread(image, known), image).astype(np.float32), unknown, known)
    coarsest = levels[-1]
    begun = fill_by_examples(coarsest.image, coarsest.unknown, coarsest.source)
    if begun is None:
        return levels[0].image
    filled, places = begun
    for level in reversed(levels[:-1]):
        size = (level.image.shape[1], level.image.shape[0])
        level.image = np.where(level.unknown[..., None], cv2.resize(filled, size), level.image)
        patches = _Patches.of(level)
        found = _begin(patches, places, level)
        rounds = _ROUNDS if level.image.shape[0] <= _SEARCHED_ROWS else 0
        for turn in range(rounds):
            found = _search(patches, level, found, turn)
            level.image = _vote(patches, level, found, _WIDE)
        level.image = _vote(patches, level, found, _NARROW)
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
    """Halve until examples can be searched for exhaustively. A pixel is unknown where any part of it is."""
    levels = [_Level(image, unknown, source)]
    while levels[-1].image.shape[0] > _COARSEST_ROWS:
        last = levels[-1]
        size = (max(1, last.image.shape[1] // 2), last.image.shape[0] // 2)
        small, part, whole = (_halved(picture, size) for picture in (last.image, last.unknown, last.source))
        levels.append(_Level(small, part > 0, whole > 0.999))
    return levels


@dataclass(frozen=True, slots=True)
class _Patches:
    """Centres `n 2` (row, column) of patches that touch the unknown, and `h w` where a whole source patch is."""

    targets: NDArray[np.intp]
    allowed: Region
    sources: NDArray[np.intp]

    @classmethod
    def of(cls, level: _Level) -> _Patches:
        square = np.ones((_SIDE, _SIDE), np.uint8)
        border: Any = {"borderType": cv2.BORDER_CONSTANT, "borderValue": 0}
        allowed = cv2.erode(level.source.astype(np.uint8), square, **border) > 0
        touched = cv2.dilate(level.unknown.astype(np.uint8), square) > 0
        touched[:_RADIUS] = touched[-_RADIUS:] = False
        touched[:, :_RADIUS] = touched[:, -_RADIUS:] = False
        return cls(np.argwhere(touched), allowed, np.argwhere(allowed))


def _begin(patches: _Patches, coarse: NDArray[np.intp], level: _Level) -> NDArray[np.intp]:
    """Start from the coarser level's answer, moved to the nearest place that holds a whole source patch."""
    at = np.minimum(patches.targets // 2, np.array(coarse.shape[:2]) - 1)
    guess = coarse[at[:, 0], at[:, 1]] * 2 + patches.targets - at * 2
    guess = np.clip(guess, 0, np.array(level.unknown.shape) - 1)
    blocked = (~patches.allowed).astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(blocked, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    nearest = np.zeros((int(labels.max()) + 1, 2), np.intp)
    nearest[labels[patches.allowed]] = patches.sources
    return np.where(
        patches.allowed[guess[:, 0], guess[:, 1]][:, None], guess, nearest[labels[guess[:, 0], guess[:, 1]]]
    )


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


def _vote(patches: _Patches, level: _Level, found: NDArray[np.intp], falloff: float) -> Picture:
    """Let every patch say what each of its pixels should be, its centre most of all."""
    total = np.zeros_like(level.image)
    weight = np.zeros(level.unknown.shape, np.float32)
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
