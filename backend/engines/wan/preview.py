# SPDX-License-Identifier: GPL-3.0-or-later
"""A quick look at latents: by the tiny VAE where its file is there, else by the linear map to colours.

A latent pixel's colour is nearly a linear function of its 16 numbers. The job has encoded the character and the plate
anyway, so the pairs to find that function from are there, and no table of coefficients need be shipped.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F  # noqa: N812
from einops import rearrange, reduce
from torch import Tensor

from .vae import GROUP_FRAMES, SCALE_PX

_ENLARGED = 3
"""So many times larger than latents is what the linear map shows, so that something may be seen."""


class Preview(Protocol):
    """Shows latents quickly."""

    def last_frame(self, latents: Tensor) -> Tensor:
        """Show the last of a clip's latents `16 f h w`, which come from its first on: RGB in [-1, 1], `3 h w`."""


@dataclass(frozen=True, slots=True)
class LinearPreview:
    """Colour = weight @ latent + offset. weight: `3 c`, offset: `3`; float32."""

    weight: Tensor
    offset: Tensor

    def draw(self, latents: Tensor) -> Tensor:
        """Show latents `c f h w` as frames `3 f h w`, RGB in [-1, 1], float32: an eighth of the size, no detail."""
        latents = latents.float()
        weight, offset = self.weight.to(latents.device), self.offset.to(latents.device)
        colours = torch.einsum("r c, c f h w -> r f h w", weight, latents) + offset[:, None, None, None]
        return colours.clamp(-1, 1)

    def last_frame(self, latents: Tensor) -> Tensor:
        """Show the last of the latents, `3 3h 3w`."""
        last = rearrange(self.draw(latents[:, -1:]), "r 1 h w -> 1 r h w")
        return F.interpolate(last, scale_factor=_ENLARGED, mode="bilinear")[0]


def fit_preview(pairs: Iterable[tuple[Tensor, Tensor]]) -> LinearPreview:
    """Find the map by least squares over clips: latents `16 f h w`, and the frames `3 t H W` that they encode.

    Where the pairs don't settle it (plain colours), it is the smallest map that fits them.
    """
    seen, meant = zip(*((_rows(latents), _rows(_averaged(frames))) for latents, frames in pairs), strict=True)
    known = F.pad(torch.cat(seen), (0, 1), value=1.0)
    solution = torch.linalg.lstsq(known, torch.cat(meant), driver="gelsd").solution
    return LinearPreview(rearrange(solution[:-1], "c r -> r c").float(), solution[-1].float())


def _averaged(frames: Tensor) -> Tensor:
    """Average the pixels that each latent pixel stands for: `3 t H W` to `3 f h w`."""
    squares = reduce(frames.double(), "r t (h y) (w x) -> r t h w", "mean", y=SCALE_PX, x=SCALE_PX)
    later = reduce(squares[:, 1:], "r (f t) h w -> r f h w", "mean", t=GROUP_FRAMES)
    return torch.cat([squares[:, :1], later], dim=1)


def _rows(values: Tensor) -> Tensor:
    return rearrange(values.double().cpu(), "c f h w -> (f h w) c")
