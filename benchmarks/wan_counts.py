# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Wan engine computes, copies and generates: exact numbers, which no busy machine can change."""

from __future__ import annotations

import statistics
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import suppress

import torch

from backend.contract.errors import StoppedError
from backend.engines.wan.generate import Recipe
from backend.engines.wan.keys import DitSizes
from backend.engines.wan.memory import context_parts, face_parts, lasting_keys, step_parts
from backend.engines.wan.transformer import Transformer
from backend.engines.wan.windows import OVERLAPS, WindowPlan, fitted_plan, official_plan
from tests.engines.wan.peer_transformer import TINY

from .bench import Bench
from .table import Row
from .wan_small import Nobody, SmallJob

_GOAL_COPIED = 0.75
_SHOTS = range(24, 301)
_GOAL_GENERATED = {1: 1.05, 5: 1.08}
_WINDOWS, _STEPS = 2, 3
_PLAN = official_plan(17, 1, 9)
_RECIPE = Recipe(steps=_STEPS)
_RECIPE_GUIDED = Recipe(steps=_STEPS, guidance=2.0)
_CONSTANT = {
    "face encoder": ("face_encoder", _WINDOWS + 1),
    "faces' keys and values": ("face_adapter.fuser_blocks.0.linear1_kv", _WINDOWS + 1),
    "pose patches": ("pose_patch_embedding", _WINDOWS),
    "text": ("text_embedding", 2),
    "picture": ("img_emb", 2),
    "text's keys": ("blocks.0.cross_attn.k", 2),
    "picture's keys": ("blocks.0.cross_attn.k_img", 2),
}
"""Layers that see what is the same in all steps, and how often that is new."""
_STOPPED_IN = 13
_GOAL_STOP_BLOCKS = 2


def rows(_: Bench) -> Iterator[Row]:
    """Yield rows: bytes a step, calls a job, frames a shot, blocks after a stop, what guidance costs."""
    yield _copied()
    yield _constant_work()
    for overlap in OVERLAPS:
        yield _generated(overlap)
    yield _after_stop()
    yield _guidance()


def _copied() -> Row:
    """Count what a step needs of the released model's weights where none of them can stay on the device."""
    sizes = DitSizes()
    table = {key: torch.Size(shape).numel() for key, shape in sizes.table().items()}

    def count(keys: Iterator[str]) -> int:
        return sum(table[key] for key in keys)

    copied = count(key for part in step_parts(sizes) for key in part.keys)
    once = count(key for part in context_parts(sizes) + face_parts(sizes) for key in part.keys)
    share = copied / sum(table.values())
    lasting = count(iter(lasting_keys(sizes)))
    whole = sum(table.values()) / 1e9
    measured = f"{share:.3f}: of {whole:.2f} billion numbers {once / 1e9:.2f} are read once a job or window, "
    measured += f"{lasting / 1e9:.2f} stay"
    return Row(
        "bytes copied to the device a step, to the file's",
        "released sizes, all blocks streamed",
        measured,
        f"at most {_GOAL_COPIED}",
        share <= _GOAL_COPIED,
    )


def _constant_work() -> Row:
    """Count the calls of what does not change over steps in a job with guidance, which has two texts and two faces."""
    calls = _calls(_RECIPE_GUIDED)
    found = {what: calls[name] for what, (name, _) in _CONSTANT.items()}
    wanted = {what: often for what, (_, often) in _CONSTANT.items()}
    return Row(
        "calls of what does not change over steps",
        f"{_WINDOWS} windows of {_STEPS} steps with guidance: {_WINDOWS * _STEPS * 2} runs of the transformer",
        ", ".join(f"{what} {count}" for what, count in found.items()),
        "pose 1 a window, faces 1 a window and 1 for none, all others 1 a text",
        found == wanted,
    )


def _calls(recipe: Recipe) -> Counter[str]:
    """Count how often each layer of the transformer runs in a small job."""
    calls: Counter[str] = Counter()
    job = SmallJob()
    for name, module in job.models.transformer.named_modules():
        module.register_forward_hook(lambda *_, name=name: calls.update([name]))
    deque(job.draw(_PLAN, recipe), maxlen=0)
    return calls


def _generated(overlap: int) -> Row:
    """Count frames drawn to frames asked for, on average over shots, with equal windows and with official ones."""

    def ratio(plan: Callable[[int, int], WindowPlan]) -> float:
        return statistics.mean(plan(length, overlap).generated_frames / length for length in _SHOTS)

    fitted, goal = ratio(fitted_plan), _GOAL_GENERATED[overlap]
    return Row(
        "frames generated to frames asked for",
        f"shots of {_SHOTS[0]} to {_SHOTS[-1]} frames, overlap {overlap}",
        f"{fitted:.3f}; official windows {ratio(official_plan):.3f}",
        f"at most {goal}",
        fitted <= goal,
    )


class _Stopping(Nobody):
    """Asks to stop as soon as a block was begun so many times."""

    def __init__(self, model: Transformer) -> None:
        self.begun = 0
        for block in model.blocks:
            block.register_forward_pre_hook(self._begin)

    def _begin(self, *_: object) -> None:
        self.begun += 1

    def check_stop(self) -> None:
        if self.begun >= _STOPPED_IN:
            raise StoppedError


def _after_stop() -> Row:
    """Count the blocks that run from when a stop is asked for, in the middle of one, to the end."""
    job = SmallJob()
    stopping = _Stopping(job.models.transformer)
    with suppress(StoppedError):
        deque(job.draw(_PLAN, _RECIPE, stopping), maxlen=0)
    late = stopping.begun - _STOPPED_IN + 1
    on = f"asked for in block {_STOPPED_IN} of a job's {TINY.layers * _STEPS * _WINDOWS}"
    goal = f"at most {_GOAL_STOP_BLOCKS}"
    return Row("blocks from a stop to the end", on, str(late), goal, late <= _GOAL_STOP_BLOCKS)


def _guidance() -> Row:
    """Count the layers that a job with guidance runs more in its blocks, to those of one without."""
    plain, guided = (
        sum(count for name, count in _calls(recipe).items() if name.startswith(("blocks.", "face_adapter.")))
        for recipe in (_RECIPE, _RECIPE_GUIDED)
    )
    extra = (guided - plain) / plain
    on = f"calls of all layers of the blocks, {_WINDOWS} windows of {_STEPS} steps"
    return Row("what guidance adds, to the job without", on, f"{extra:.3f}", "at most 1.00", extra <= 1)
