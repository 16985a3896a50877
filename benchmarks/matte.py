# SPDX-License-Identifier: GPL-3.0-or-later
"""How true and how steady the performer matte is, against rendered coverage."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from backend.media.images import Pixels, rgb_of
from backend.media.sequence import Sequence
from demo.truth import Truth

from .bench import Bench
from .pictures import HALF, carried, overlap, soft_overlap
from .table import Row

_GOAL_MEAN, _GOAL_LEAST, _GOAL_HANDS, _GOAL_FLICKER = 0.95, 0.93, 0.85, 0.01


def truth(bench: Bench) -> Iterator[Row]:
    """Yield a row for each seed: IoU, hand recall, and steadiness beside the true matte's."""
    for seed in bench.seeds:
        shot = bench.shot("solo", seed)
        matte = bench.replaced_shot(shot).matte
        bench.say("measuring the matte")
        overlaps = overlaps_with(matte, shot)
        hands = hand_recall(matte, shot)
        ours, true = (steadiness(Sequence(shot.beauty, len(shot)), mattes) for mattes in (matte, _true(shot)))
        worst = min(overlaps, key=lambda index: overlaps[index])
        mean, least = float(np.mean(list(overlaps.values()))), overlaps[worst]
        most = float(np.percentile(list(overlaps.values()), 10))
        yield Row(
            "performer matte against truth",
            bench.on(shot, seed),
            f"IoU mean {mean:.3f}, min {least:.3f} (frame {worst}), 90 % of frames above {most:.3f}; "
            f"hand recall {hands:.3f}; "
            f"steadiness {ours:.4f}, the true matte's {true:.4f}",
            f"mean {_GOAL_MEAN}, min {_GOAL_LEAST}, hands {_GOAL_HANDS}, steadiness within {_GOAL_FLICKER} of the true",
            mean >= _GOAL_MEAN and least >= _GOAL_LEAST and hands >= _GOAL_HANDS and ours >= true - _GOAL_FLICKER,
        )


def overlaps_with(mattes: Sequence, shot: Truth) -> dict[int, float]:
    """IoU of every frame in which the true matte covers any pixel by half."""
    true = _true(shot)
    pairs = ((index, _grey(mattes[index]), _grey(true[index])) for index in range(len(shot)))
    return {index: overlap(matte, truth) for index, matte, truth in pairs if (truth >= HALF).any()}


def hand_recall(mattes: Sequence, shot: Truth) -> float:
    """Tell what share of all pixels that hands cover by half the matte covers by half."""
    hands = Sequence(shot.hand_pixels(), len(shot))
    covered, total = 0, 0
    for index in range(len(shot)):
        true = _grey(hands[index]) >= HALF
        total += int(np.count_nonzero(true))
        covered += int(np.count_nonzero(true & (_grey(mattes[index]) >= HALF)))
    return covered / total if total else 1.0


def steadiness(pictures: Sequence, mattes: Sequence) -> float:
    """Mean soft IoU of each matte with the one before, carried along by the pictures' flow. 1 never flickers.

    Frames that are empty both times are left out.
    """
    values = []
    before, matte_before = rgb_of(pictures[0]), _grey(mattes[0])
    for index in range(1, len(pictures)):
        here, matte = rgb_of(pictures[index]), _grey(mattes[index])
        if matte.any() or matte_before.any():
            values.append(soft_overlap(carried(matte_before, before, here), matte))
        before, matte_before = here, matte
    return float(np.mean(values)) if values else 1.0


def _true(shot: Truth) -> Sequence:
    return Sequence(shot.matte(), len(shot))


def _grey(image: Pixels) -> Pixels:
    return image if image.ndim == 2 else image[..., 0]
