# SPDX-License-Identifier: GPL-3.0-or-later
"""Each window's colours, measured against the plate and the first window, recorded, and told when they stray."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from ...contract.watch import Watch
from ...contract.wire import Json, to_json
from .conditioning import WindowFrames, signed
from .drift import Drift, drift_from_first, drift_from_plate

_RECORD, _FIRST = "drift.json", "first.safetensors"
_TOLD_LEVELS = 1.0
"""Steps of 8 bits from which a change is told."""
_EVERY = 8
"""Of the first window's frames, so many are kept to compare with; of a frame's pixels, one of as many each way."""


@dataclass(frozen=True, slots=True)
class Colours:
    """What would bring a window's colours back to the plate's, and the figure's to the first window's."""

    from_plate: Drift | None
    from_first: Drift | None

    def corrected(self, frames: Tensor) -> Tensor:
        """Bring frames `3 t h w` back to the plate, or where there is none, to the first window."""
        drift = self.from_plate or self.from_first
        return frames if drift is None else drift.corrected(frames)


def follow_colours(frames: Tensor, driven: WindowFrames, before: Path | None, into: Path, watch: Watch) -> Colours:
    """Measure a window `3 t h w`, in -1..1, and write `drift.json`; hand on what the next window is compared with."""
    region = torch.ones(frames.shape[1:]) if driven.plate is None else torch.from_numpy(driven.plate.region)
    first = load_file(before / _FIRST) if before else _sampled(frames, region)
    save_file(first, into / _FIRST)
    own = _sampled(frames, region)
    colours = Colours(
        from_plate=None if driven.plate is None else drift_from_plate(frames, signed(driven.plate.frames), region),
        from_first=drift_from_first(own["frames"], first["frames"], own["region"], first["region"]) if before else None,
    )
    facts: dict[str, Json] = {
        name: None if drift is None else to_json(drift)
        for name, drift in (("plate", colours.from_plate), ("first_window", colours.from_first))
    }
    (into / _RECORD).write_text(json.dumps(facts), "utf-8")
    _tell(colours, watch)
    return colours


def _sampled(frames: Tensor, region: Tensor) -> dict[str, Tensor]:
    return {
        "frames": frames[:, ::_EVERY, ::_EVERY, ::_EVERY].contiguous(),
        "region": region[::_EVERY, ::_EVERY, ::_EVERY].contiguous(),
    }


def _tell(colours: Colours, watch: Watch) -> None:
    if colours.from_plate and colours.from_plate.largest_levels >= _TOLD_LEVELS:
        watch.notice(
            "colour_drift",
            f"A window shows the plate up to {colours.from_plate.largest_levels:.1f} levels of 255 off its colours. "
            "The plate itself is untouched; set correct_drift=yes to bring the character back by as much.",
        )
