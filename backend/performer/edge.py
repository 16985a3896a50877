# SPDX-License-Identifier: GPL-3.0-or-later
"""From a coarse map of one frame to a matte whose edge follows the picture's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from .colours import colour_evidence
from .guided import guided_filter
from .part import part_round

Bytes = NDArray[np.uint8]
Grey = NDArray[np.float32]
Mask = NDArray[np.bool_]

SURE = 0.8
"""Coverage from which a pixel is the performer's, and below 1 minus which it is background, whatever its colour."""
_SURE_INSET = 1.0
_NEAR, _WIDE = 8.0, 32.0
_COLOUR_STRIDE = 0.5
_GUIDED_RADIUS = 2.5
_SOFT_WIDTH = 2.5
"""Lengths in cells: what one pixel of the segmentation networks spans in the frame."""
_GUIDED_REACH = 3
"""So many radii from all that isn't 0 the guided filter gives 0, and knows of nothing beyond."""
_COVERAGE_WEIGHT, _COLOUR_WEIGHT = 2.0, 0.7
"""Of the log odds that the coarse map and the colours give: more makes a crisper decision, their ratio who wins."""
_MOST_EVIDENCE = 3.0
_HAND_COVERAGE, _LIMB_COVERAGE, _FLESH_COVERAGE = 0.95, 0.8, 0.2
"""What a drawn hand or limb, and the flesh round it, is worth where the networks saw nothing: a doubt for colours."""
_FLESH_WIDTH = 4.0
_DOUBT = 0.25
"""What the networks' word is worth at least where other frames speak against it."""
_GUESS = 0.5
"""What coverage is worth that was only moved on, where the set is seen: limbs swing."""
QUESTION = 1.0
"""Log odds from which other frames are heard at all where the networks are sure."""
_FLATNESS = 0.02
"""Standard deviation of colour, 0..1, below which the guided filter sees no edge."""
_BLACK, _WHITE = 0.2, 0.8
"""Levels of the filtered map that become exactly 0 and 1."""


@dataclass(frozen=True, slots=True)
class Elsewhen:
    """What other frames tell of a frame, or of a part of it.

    odds: `h w` float32, log odds that the set is not what is seen; 0 where it isn't known. reach: `h w` uint8, 255
    where the performer may be though the networks saw nothing. last_seen: `h w 3` and `h w`, uint8, of one who has not
    been tracked since: the picture then, moved to where the performer should be, and the coverage then.
    """

    odds: Grey
    reach: Bytes
    last_seen: tuple[Bytes, Bytes] | None = None

    @classmethod
    def unknown(cls, shape: tuple[int, ...]) -> Self:
        """Tell nothing of a part `h w`."""
        return cls(np.zeros(shape, np.float32), np.zeros(shape, np.uint8))


def lay_edge(frame: Bytes, coverage: Bytes, limbs: Bytes, hands: Bytes, cell_px: float, elsewhen: Elsewhen) -> Bytes:
    """Return the matte `h w` of a frame or a part of it; exactly 0 and 255 but for a soft band along its outline.

    frame: `h w 3`. coverage: `h w`, how likely the performer is. limbs, hands: `h w`, 0 or 255, see limbs.py.
    """
    rgb = _unit(frame)
    likely = _doubted(_with_limbs(_unit(coverage), limbs, hands, cell_px), elsewhen)
    decided = decide(rgb, likely, cell_px, elsewhen)
    radius_px = max(1, round(_GUIDED_RADIUS * cell_px))
    part = part_round(decided > 0, _GUIDED_REACH * radius_px)
    filtered = guided_filter(rgb[part], decided[part], radius_px, _FLATNESS**2)
    levelled = np.clip((filtered - _BLACK) / (_WHITE - _BLACK), 0, 1)
    matte = np.zeros(decided.shape, np.uint8)
    matte[part] = np.round(confine_softness(levelled, _SOFT_WIDTH * cell_px) * 255)
    return matte


def decide(rgb: Grey, likely: Grey, cell_px: float, elsewhen: Elsewhen) -> Grey:
    """Weigh the map `likely`, `h w` 0..1, with the colours of what is sure near each pixel, and with other frames.

    Bayes' rule in log odds, with the coarse map as the prior. Sure pixels become 0 and 1.
    """
    performer = _inset(likely > SURE, _SURE_INSET * cell_px)
    background = _inset(likely < 1 - SURE, _SURE_INSET * cell_px)
    doubtful = ~(performer | background)
    stride_px = max(1, round(_COLOUR_STRIDE * cell_px))
    radii_px = _NEAR * cell_px, _WIDE * cell_px
    last_seen = (
        None if elsewhen.last_seen is None else (_unit(elsewhen.last_seen[0]), _unit(elsewhen.last_seen[1]) > SURE)
    )
    evidence = colour_evidence(rgb, performer, background, radii_px, stride_px, last_seen)
    prior = np.clip(likely[doubtful], 0.01, 0.99)
    odds = _COVERAGE_WEIGHT * np.log(prior / (1 - prior))
    odds += np.clip(_COLOUR_WEIGHT * evidence, -_MOST_EVIDENCE, _MOST_EVIDENCE) + elsewhen.odds[doubtful]
    decided = performer.astype(np.float32)
    decided[doubtful] = 1 / (1 + np.exp(-odds))
    return decided


def confine_softness(matte: Grey, width_px: float) -> Grey:
    """Make a matte solid farther inside its half-covered outline than `width_px`, and empty farther outside.

    Translucent patches in a body and wisps beside it are faults of segmentation; hair and blur are narrow.
    """
    inside = (matte >= 0.5).astype(np.uint8)
    solid = _ramp(_depth_px(inside) / np.float32(width_px))
    empty = _ramp(_depth_px(1 - inside) / np.float32(width_px))
    return np.clip(matte, solid, 1 - empty)


def _doubted(likely: Grey, elsewhen: Elsewhen) -> Grey:
    """Open a question where the networks are sure and other frames show the contrary."""
    absent = np.maximum(likely, np.float32(_DOUBT) * _unit(elsewhen.reach))
    likely = np.where(elsewhen.odds >= QUESTION, absent, likely)
    most = np.float32(1 - _DOUBT if elsewhen.last_seen is None else _GUESS)
    return np.where(elsewhen.odds <= -QUESTION, np.minimum(likely, most), likely)


def _unit(image: Bytes) -> Grey:
    """0..1 of 0..255."""
    return image.astype(np.float32) / np.float32(255)


def _with_limbs(likely: Grey, limbs: Bytes, hands: Bytes, cell_px: float) -> Grey:
    """Raise coverage where something was drawn, and a little round the parts of it that the coverage misses."""
    part = part_round(np.maximum(limbs, hands), round(_FLESH_WIDTH * cell_px))
    raised, limb, hand = likely.copy(), np.float32(_LIMB_COVERAGE), np.float32(_HAND_COVERAGE)
    drawn = np.where(hands[part] > 0, hand, np.where(limbs[part] > 0, limb, np.float32(0)))
    missed = (drawn > 0) & (likely[part] < 0.5)
    flesh = cv2.dilate(missed.astype(np.uint8), _disc(_FLESH_WIDTH * cell_px)) * np.float32(_FLESH_COVERAGE)
    raised[part] = np.maximum(np.maximum(likely[part], drawn), flesh)
    return raised


def _ramp(distance: Grey) -> Grey:
    """From 0 at half the way to 1 at the whole."""
    return np.clip(2 * distance - 1, 0, 1)


def _depth_px(mask: Bytes) -> Grey:
    """Distance of each pixel of a mask from its outside; 0 outside."""
    return np.asarray(cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_3), np.float32)


def _inset(mask: Mask, radius_px: float) -> Mask:
    return np.asarray(cv2.erode(mask.astype(np.uint8), _disc(radius_px)) > 0)


def _disc(radius_px: float) -> Bytes:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(radius_px) + 1,) * 2), np.uint8)
