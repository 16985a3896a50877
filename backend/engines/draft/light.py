# SPDX-License-Identifier: GPL-3.0-or-later
"""The plate's light on the character: level and tint of the place, its changes over the shot, and its side.

A gain in linear light is a gain in display values raised to 1/2.2, so that nothing need be linearised pixel by pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..base import Inputs
from .character import Character
from .motion import Motion
from .raster import Floats

_GAMMA = 2.2
_EVERY_FRAMES = 6
"""Light is measured on a lattice of frames that does not depend on the window, and interpolated between."""
_REFERENCE_FRAMES = 9
_LEVEL, _TINT, _FOLLOW, _SIDE = 0.35, 0.6, 0.7, 0.6
"""How much of each is laid on: shares of the logarithm of the light's ratio."""
_GAIN = (0.5, 1.7)
_SIDE_LIMIT = 0.35
_SMALL_PX = 160
_LUMINANCE = np.array((0.2126, 0.7152, 0.0722), np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """Light per frame from `first`. gain: `n 3`, linear. side: `n`, log gain per half shoulder width to the right."""

    first: int
    level: Floats
    side: Floats

    def gain(self, motion: Motion, index: int, shape: tuple[int, int]) -> Floats:
        """Factor for display values, `1 w 3`: it changes from left to right only, and smoothly."""
        joints = motion.joints[index]
        centre = joints[[11, 12, 23, 24], 0].mean()
        half = max(float(motion.height[index]) * 0.13, 1.0)
        across = np.tanh((np.arange(shape[1], dtype=np.float32) - centre) / half)
        side = self.side[index - self.first] * across
        log_gain = np.log(self.level[index - self.first])[None] + side[:, None]
        return np.asarray(np.exp(log_gain / _GAMMA)[None], np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    """One measured frame: light of the place and of the performer (linear), and the performer's lit side."""

    place: Floats
    performer: float
    side: float


def measure_light(inputs: Inputs, character: Character, motion: Motion, first: int, last: int) -> Light:
    """Measure what frames first..last need, and a few frames of the whole shot for reference."""
    count = len(motion.scale)
    lattice = sorted({*range(0, count, _EVERY_FRAMES), count - 1})
    reference_frames = [
        lattice[i] for i in np.linspace(0, len(lattice) - 1, min(_REFERENCE_FRAMES, len(lattice))).astype(int)
    ]
    # two more points on either side: what smoothing reaches
    near = [i for i in lattice if first - 3 * _EVERY_FRAMES <= i <= last + 3 * _EVERY_FRAMES]
    samples = {i: _measure(inputs, motion, i) for i in sorted({*near, *reference_frames})}
    known = {i: sample for i, sample in samples.items() if sample is not None}
    usual = [known[i] for i in reference_frames if i in known]
    if not usual:
        return Light(
            first=first, level=np.ones((last - first + 1, 3), np.float32), side=np.zeros(last - first + 1, np.float32)
        )
    base = _base_gain(np.median([sample.place for sample in usual], axis=0), character)
    performer = float(np.median([sample.performer for sample in usual]))
    own_side = _side(character.layers[0].picture[..., :3], character.layers[0].picture[..., 3], _own_centre(character))
    places = [i for i in near if i in known] or [min(known)]
    follow = np.array([np.clip(known[i].performer / max(performer, 1e-4), 0.4, 2.5) ** _FOLLOW for i in places])
    side = np.array([np.clip(_SIDE * (known[i].side - own_side), -_SIDE_LIMIT, _SIDE_LIMIT) for i in places])
    where = np.arange(first, last + 1)
    level = np.interp(where, places, _settled(follow))[:, None] * base
    return Light(
        first=first,
        level=np.clip(level, *_GAIN).astype(np.float32),
        side=np.interp(where, places, _settled(side)).astype(np.float32),
    )


def _settled(values: Floats) -> Floats:
    """Smooth by a short window over the lattice; the same for every window of frames but at the shot's ends."""
    padded = np.concatenate([values[:1], values, values[-1:]])
    return np.asarray(0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:], np.float32)


def _base_gain(place: Floats, character: Character) -> Floats:
    """From the light round the character in its picture to the light of the plate, linear RGB."""
    own = character.points.surroundings
    if own.max() <= 0:
        own = np.full(3, float(np.sqrt(0.18 * max(float(place @ _LUMINANCE), 1e-4))), np.float32)
    ratio = np.maximum(place, 1e-3) / np.maximum(own, 1e-3)
    level = float(ratio @ _LUMINANCE)
    return np.asarray(np.clip(level**_LEVEL, 0.6, 1.5) * np.clip((ratio / level) ** _TINT, 0.6, 1.6), np.float32)


def _measure(inputs: Inputs, motion: Motion, index: int) -> _Sample | None:
    """Measure one frame, small; None where the performer hardly shows."""
    if not motion.drawn[index] or inputs.performer_matte is None:
        return None
    frame, plate, matte = inputs.frames[index], inputs.plate[index], inputs.performer_matte[index]
    top = np.iinfo(frame.dtype).max
    scale = min(1.0, _SMALL_PX / max(frame.shape[:2]))
    size = (max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale)))
    source = cv2.resize(frame[..., :3], size, interpolation=cv2.INTER_AREA).astype(np.float32) / top
    empty = cv2.resize(plate[..., :3], size, interpolation=cv2.INTER_AREA).astype(np.float32) / top
    cover = cv2.resize(matte, size, interpolation=cv2.INTER_AREA).astype(np.float32) / np.iinfo(matte.dtype).max
    if cover.sum() < 30:
        return None
    around = cv2.GaussianBlur(cover, (0, 0), 0.12 * size[1]) + 1e-4
    place = ((empty**_GAMMA) * around[..., None]).sum((0, 1)) / around.sum()
    performer = float(((source**_GAMMA @ _LUMINANCE) * cover).sum() / cover.sum())
    neck = motion.joints[index, [11, 12, 23, 24], 0].mean() * scale
    return _Sample(place=place.astype(np.float32), performer=performer, side=_side(source, cover, float(neck)))


def _side(picture: Floats, cover: Floats, centre_x: float) -> float:
    """How much brighter the right half of a figure is than its left, log of linear light; 0 if one half is missing."""
    light = np.log(np.maximum(picture, 1e-2) ** _GAMMA @ _LUMINANCE + 1e-2)
    right = np.arange(picture.shape[1]) > centre_x
    halves = cover[:, right].sum(), cover[:, ~right].sum()
    if min(halves) < 0.15 * sum(halves):
        return 0.0
    total = (light * cover)[:, right].sum() / halves[0] - (light * cover)[:, ~right].sum() / halves[1]
    return float(total / 2)


def _own_centre(character: Character) -> float:
    return float(character.points.joints[[11, 12, 23, 24], 0].mean())
