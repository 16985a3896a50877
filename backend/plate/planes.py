# SPDX-License-Identifier: GPL-3.0-or-later
"""Depth continued from points over the whole picture: rooms and streets are made of large planes, so those come first.

On a plane depth is linear in the picture, however the camera stands. A floor that feet hide lies on the plane of the
floor around, which hundreds of points agree on; where none goes through a place's neighbours, a small one does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

_MOST_PLANES = 8
_LEAST_SHARE = 0.02
"""Of all points' say: what less agree on is no large plane."""
_OWNED = 0.1
"""A point that fits a plane so well is no more asked for the next: what noise leaves over is no plane."""
_TRIALS = 400
_NEIGHBOURS, _AROUND = 14, 56
"""Points that say what a place's plane is, and those among which it is looked for who is on the place's side."""
_ROUNDS = 3
_AT_ONCE = 1024
_OWN_GAIN = 0.15
"""A place's own small plane must explain so much more of its neighbours, of 1, to be taken before large ones."""


def spread_depth(places: Numbers, depths: Numbers, doubt: Numbers, at: Numbers, least: float) -> Numbers:
    """Give the depth at places `m 2` from points at places `n 2` of known depths `n`.

    doubt: standard deviation of each depth. least: differences below this are nothing anyone can see.
    """
    sure = doubt <= 8 * np.quantile(doubt, 0.2)
    places, depths = places[sure], depths[sure]
    allowed = np.hypot(np.minimum(doubt[sure], 4 * least), least)
    planes = _large_planes(places, depths, allowed)
    parts = [at[start : start + _AT_ONCE] for start in range(0, len(at), _AT_ONCE)]
    return np.concatenate([_depth_at(part, places, depths, allowed, planes) for part in parts])


def _large_planes(places: Numbers, depths: Numbers, allowed: Numbers) -> Numbers:
    """Find planes `k 3`, the largest first: what explains most, then what explains most of the rest (RANSAC)."""
    terms = _terms(places)
    rest = 1 / np.square(allowed / allowed.min())
    enough = _LEAST_SHARE * rest.sum()
    chance = np.random.default_rng(1)
    nearest = np.argsort(np.square(places[:, None] - places[None]).sum(2), axis=1, kind="stable")[
        :, 1 : 2 * _NEIGHBOURS
    ]
    planes: list[Numbers] = []
    while len(planes) < _MOST_PLANES and rest.sum() >= enough:
        first = chance.choice(len(places), _TRIALS, p=rest / rest.sum())
        pick = chance.integers(0, nearest.shape[1], (2, _TRIALS))
        three = np.stack([first, nearest[first, pick[0]], nearest[first, pick[1]]], 1)
        corners = terms[three] + 1e-9 * np.eye(3)
        tried = np.linalg.solve(corners, depths[three][..., None])[..., 0]
        support = _fits(depths - tried @ terms.T, allowed) @ rest
        plane = tried[int(np.argmax(support))]
        for _ in range(2 * _ROUNDS):
            plane = _fitted(terms, depths, rest * np.square(_fits(depths - terms @ plane, allowed)))
        fits = _fits(depths - terms @ plane, allowed)
        if fits @ rest < enough:
            break
        planes.append(plane)
        rest = rest * (fits < _OWNED)
    return np.array(planes).reshape(-1, 3)


def _fits(error: Numbers, allowed: Numbers) -> Numbers:
    return np.asarray(1 / (1 + np.square(error / (2 * allowed))) ** 2)


def _fitted(terms: Numbers, depths: Numbers, weight: Numbers) -> Numbers:
    weighted = terms * weight[:, None]
    normal = weighted.T @ terms
    return np.asarray(np.linalg.solve(normal + 1e-9 * np.trace(normal) * np.eye(3), weighted.T @ depths))


def _terms(places: Numbers) -> Numbers:
    return np.concatenate([places, np.ones((*places.shape[:-1], 1))], -1)


def _depth_at(at: Numbers, places: Numbers, depths: Numbers, allowed: Numbers, planes: Numbers) -> Numbers:
    """Choose for each place a large plane, or one fitted to its nearest points where no large ones explain them."""
    away = np.square(at[:, None] - places[None]).sum(2)
    nearest = np.argsort(away, axis=1, kind="stable")[:, :_AROUND]
    near = np.take_along_axis(away, nearest, 1)
    reach = np.median(near[:, :_NEIGHBOURS], axis=1, keepdims=True) + 1e-12
    say = np.exp(-near / reach) / np.square(allowed[nearest])
    few = (slice(None), slice(_NEIGHBOURS))
    own = _own_planes(at, places[nearest[few]], depths[nearest[few]], allowed[nearest[few]], say[few], reach)
    fits = _fits(depths[nearest] - np.einsum("mc,mnc->mn", own, _terms(places[nearest])), allowed[nearest])
    if not len(planes):
        return np.asarray((own * _terms(at)).sum(1))
    support = _fits(depths[nearest] - np.einsum("pc,mnc->pmn", planes, _terms(places[nearest])), allowed[nearest])
    gain = ((fits - support.max(0)) * say)[few].sum(1) / say[few].sum(1)
    large = planes[_on_its_side(at, places[nearest], planes, support * say)]
    return np.asarray((np.where((gain > _OWN_GAIN)[:, None], own, large) * _terms(at)).sum(1))


def _on_its_side(at: Numbers, places: Numbers, planes: Numbers, support: Numbers) -> NDArray[np.intp]:
    """Choose the better of the two likeliest planes by those points alone that lie where the place does.

    Where a floor meets a wall the picture changes from one to the other on the line in which they cut each other. A
    hidden place beyond it may be nearer to the wall's points and is floor nevertheless.
    """
    order = np.argsort(-support[..., :_NEIGHBOURS].sum(2), axis=0, kind="stable")
    each, first, second = np.arange(len(at)), order[0], order[min(1, len(order) - 1)]
    apart = planes[first] - planes[second]
    here, there = (apart * _terms(at)).sum(1), np.einsum("mc,mnc->mn", apart, _terms(places))
    same = np.sign(here)[:, None] == np.sign(there)
    ours, theirs = ((support[which, each] * same).sum(1) for which in (first, second))
    return np.where(theirs > ours, second, first)


def _own_planes(
    at: Numbers, places: Numbers, depths: Numbers, allowed: Numbers, say: Numbers, reach: Numbers
) -> Numbers:
    """Fit a plane to each place's nearest points; points off it lose their say, round by round."""
    terms = _terms(places - at[:, None])
    tame = np.zeros((len(at), 3, 3))
    tame[:, [0, 1], [0, 1]] = 0.02 * reach * say.sum(1, keepdims=True)
    tame[:, 2, 2] = 1e-9 * say.sum(1)
    weight, fitted = say, np.zeros((len(at), 3))
    for _ in range(_ROUNDS):
        normal = np.einsum("mn,mna,mnb->mab", weight, terms, terms) + tame
        fitted = np.linalg.solve(normal, np.einsum("mn,mna,mn->ma", weight, terms, depths)[..., None])[..., 0]
        error = np.abs(depths - np.einsum("mna,ma->mn", terms, fitted))
        scale = np.maximum(1.5 * np.median(error, axis=1, keepdims=True), allowed)
        weight = say / np.square(1 + np.square(error / scale))
    fitted[:, 2] -= (fitted[:, :2] * at).sum(1)
    return fitted
