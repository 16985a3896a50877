# SPDX-License-Identifier: GPL-3.0-or-later
"""The tiny VAE for latents of Wan 2.1 (TAEHV, its weights taew2_1): a decoder of 10 M parameters, for previews.

Plain convolutions over single frames. What ties frames together is that each block also sees its own input of the
frame before, nothing before the first. Layers are numbered as in the checkpoint, those without weights left out.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from einops import rearrange
from torch import Tensor, nn

LATENT_CHANNELS = 16
_STAGES = ((256, 128, 1), (128, 64, 2), (64, 64, 2))
"""Of each: channels within and behind it, and how many frames it makes of one. All of them double the size."""
_BLOCKS = 3
_REACH_LATENTS = 7
"""So far back a frame sees: three blocks in each of two stages, and three at two frames a latent, which end in one."""

Past = dict[nn.Module, Tensor]
"""The last frame that each block has seen, in one pass over a clip."""


class MemoryBlock(nn.Module):
    """Three convolutions beside a shortcut, which see each frame and the one before it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            *(nn.Conv2d(2 * channels, channels, 3, padding=1), nn.ReLU(inplace=True)),
            *(nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(inplace=True)),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, frames: Tensor, past: Past) -> Tensor:
        """Take and give `t c h w`."""
        earlier = past[self] if self in past else torch.zeros_like(frames[:1])
        past[self] = frames[-1:]
        change: Tensor = self.conv(torch.cat([frames, torch.cat([earlier, frames[:-1]])], dim=1))
        return change.add_(frames).relu_()


class Grow(nn.Module):
    """Make several frames of one, by a matrix at each pixel. It comes before the doubling, where it is cheaper."""

    def __init__(self, channels: int, times: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, times * channels, 1, bias=False)
        self.times = times

    def forward(self, frames: Tensor, past: Past) -> Tensor:  # noqa: ARG002 - it sees single frames
        """Take `t c h w`, give so many times more."""
        grown: Tensor = rearrange(self.conv(frames), "t (n c) h w -> (t n) c h w", n=self.times)
        return grown


class Enlarge(nn.Conv2d):
    """Double the size, then convolve."""

    def forward(self, frames: Tensor, past: Past) -> Tensor:  # type: ignore[override]  # noqa: ARG002
        """Take `t c h w`, give `t c 2h 2w`."""
        return super().forward(F.interpolate(frames, scale_factor=2, mode="nearest-exact"))


class TinyVae(nn.Module):
    """Decodes latents as the solver has them, normalised, in the dtype and on the device of its weights."""

    def __init__(self) -> None:
        super().__init__()
        layers: dict[str, nn.Module] = {"1": nn.Conv2d(LATENT_CHANNELS, _STAGES[0][0], 3, padding=1)}
        number = 3
        for inner, outer, times in _STAGES:
            layers |= {str(number + index): MemoryBlock(inner) for index in range(_BLOCKS)}
            number += _BLOCKS + 1  # the doubling is counted
            layers |= {str(number): Grow(inner, times)}
            layers |= {str(number + 1): Enlarge(inner, outer, 3, padding=1, bias=False)}
            number += 2
        layers[str(number + 1)] = nn.Conv2d(_STAGES[-1][1], 3, 3, padding=1)
        self.decoder = nn.ModuleDict(layers)

    @torch.inference_mode()
    def last_frame(self, latents: Tensor) -> Tensor:
        """Decode the last pixel frame that the last of those latents stands for.

        latents: `16 f h w`, all from the clip's first on. Gives RGB in [-1, 1], `3 8h 8w`, float32.
        """
        entrance, *within, last, leave = self.decoder.values()
        past: Past = {}
        weight = next(self.parameters())
        for latent in latents[:, -1 - _REACH_LATENTS :].to(weight).unbind(1):
            frames = torch.relu(entrance(3 * torch.tanh(latent[None] / 3)))
            for layer in within:
                frames = layer(frames, past)
        coloured: Tensor = leave(torch.relu(last(frames[-1:], past)))
        return (2 * coloured[0].float() - 1).clamp(-1, 1)
