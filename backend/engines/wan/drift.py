# SPDX-License-Identifier: GPL-3.0-or-later
"""How a window's colours differ from where they should be, and the gain and offset that would bring them back.

Each window starts from decoded frames of the one before, so a slight change of colour grows along a shot. It is
measured always and corrected only when asked, after all windows are drawn: a correction changes no other window.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor

_FEW_PIXELS = 256
"""With no more than these nothing is measured: they would say more of what is shown than of its colour."""
_FLAT = 1 / 255
"""Standard deviation, 0..1, below which a picture says nothing of a gain."""


@dataclass(frozen=True, slots=True)
class Drift:
    """What brings colours back: `gain * value + offset` for red, green, blue, values 0..1, display-referred."""

    gain: tuple[float, float, float]
    offset: tuple[float, float, float]

    @property
    def largest_levels(self) -> float:
        """The most that black, white or any grey would change by, in steps of 8 bits."""
        ends = [
            value for gain, offset in zip(self.gain, self.offset, strict=True) for value in (offset, gain + offset - 1)
        ]
        return 255 * max(map(abs, ends))

    def corrected(self, frames: Tensor) -> Tensor:
        """Apply it to frames `3 t h w` in -1..1, and clamp."""
        gain, offset = (rearrange(torch.tensor(values), "c -> c 1 1 1") for values in (self.gain, self.offset))
        return (gain * frames + gain - 1 + 2 * offset).clamp(-1, 1)


def drift_from_plate(frames: Tensor, plate: Tensor, region: Tensor) -> Drift | None:
    """Compare what a window shows of the plate with the plate. None where too little of it is to be seen.

    frames, plate: `3 t h w` in -1..1. region: `t h w`, not 0 where the model draws.
    """
    kept = region == 0
    return _between(frames[:, kept], plate[:, kept])


def drift_from_first(
    frames: Tensor, first: Tensor, region: Tensor | None = None, first_region: Tensor | None = None
) -> Drift | None:
    """Compare the drawn figure with that of the first window, by mean and spread; None where there is too little of it.

    frames, first: `3 t h w` in -1..1, t may differ. Regions: `t h w`, not 0 where the model draws; None: everywhere.
    A figure that turns or comes nearer changes its mean colour, too: this is a hint, the plate is a measure.
    """
    return _between(_drawn(frames, region), _drawn(first, first_region))


def _drawn(frames: Tensor, region: Tensor | None) -> Tensor:
    return rearrange(frames, "c t h w -> c (t h w)") if region is None else frames[:, region != 0]


def _between(values: Tensor, wanted: Tensor) -> Drift | None:
    """Match mean and spread of `3 n` to those of `3 m`, both in -1..1: a fit to pairs takes noise for lost gain."""
    if min(values.shape[1], wanted.shape[1]) <= _FEW_PIXELS:
        return None
    (mean, spread), (wanted_mean, wanted_spread) = (_statistics(pixels) for pixels in (values, wanted))
    flat = (spread < _FLAT) | (wanted_spread < _FLAT)
    gain = torch.where(flat, 1.0, wanted_spread / spread)
    red, green, blue = gain.tolist()
    shifts = (wanted_mean - gain * mean).tolist()
    return Drift((red, green, blue), (shifts[0], shifts[1], shifts[2]))


def _statistics(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Give mean and standard deviation of each channel, as values of 0..1, in float64."""
    values = pixels.double() / 2 + 0.5
    return values.mean(dim=1), values.std(dim=1, correction=0)
