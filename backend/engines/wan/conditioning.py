# SPDX-License-Identifier: GPL-3.0-or-later
"""What the model is told of a window's frames: which pixels are known, and what they are.

Beside the noisy latents the model sees `y`: a mask of 4 channels, 1 where a pixel is known, and 16 channels of latents
of what is known. The character's picture stands in front of the window's frames as one known latent frame.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange, repeat
from numpy.typing import NDArray
from torch import Tensor

from .vae import GROUP_FRAMES, SCALE_PX

Frames = NDArray[np.uint8]
"""`t h w 3`, RGB, display-referred."""
Encode = Callable[[Tensor], Tensor]
"""Frames `3 t h w` of -1..1 to latents `16 f h w`, as `Vae.encode`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plate:
    """What stays in replace mode. frames: black in the region. region: `t h w`, 255 where the model draws."""

    frames: Frames
    region: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowFrames:
    """What drives a window. pose: drawn figures; faces: `t 512 512 3`; plate: None in animate mode."""

    pose: Frames
    faces: Frames
    plate: Plate | None


def signed(frames: Frames, precision: torch.dtype = torch.float32) -> Tensor:
    """Bring `t h w 3` to `3 t h w` float32 in -1..1, as precise as `precision`."""
    values = rearrange(torch.from_numpy(frames), "t h w c -> c t h w").float()
    return rounded(values.mul_(2).sub_(255).div_(255), precision)  # whole numbers until the division, which rounds once


def rounded(values: Tensor, precision: torch.dtype) -> Tensor:
    """Round to a dtype and come back to float32: the official system hands pixels and conditions on as bfloat16."""
    return values.to(precision).float()


def packed(known: Tensor) -> Tensor:
    """Lay masks of pixel frames `t h w` into the 4 channels of latent frames, `4 f h w`.

    The first latent frame stands for one pixel frame, which fills its channels; each later one for four. So pixel frame
    t lies in row t + 3 of 4 f. Written a row off, the carried frames' mask would reach too short, and colours drift.
    """
    rows = torch.cat([repeat(known[0], "h w -> four h w", four=GROUP_FRAMES), known[1:]])
    return rearrange(rows, "(f four) h w -> four f h w", four=GROUP_FRAMES)


def conditions(
    reference: Tensor, frames: WindowFrames, carried: Tensor | None, encode: Encode, precision: torch.dtype
) -> Tensor:
    """Make a window's `y`, `20 f+1 h w`.

    reference: latents `16 1 h w` of the character's picture. carried: the last frames of the window before, `3 r h w`
    in -1..1; None in the first window.
    """
    known, video = _known(frames, precision)
    if carried is not None:
        known[: carried.shape[1]] = 1
        video[:, : carried.shape[1]] = rounded(carried, precision)
    ours = torch.cat([packed(known), encode(video)])
    whole = torch.cat([torch.ones_like(reference[:GROUP_FRAMES]), reference])
    return rounded(torch.cat([whole, ours], dim=1), precision)


def _known(frames: WindowFrames, precision: torch.dtype) -> tuple[Tensor, Tensor]:
    """Give what is known without other windows: `t h w`, 1 where it is, at the latents' size, and frames `3 t h w`.

    The mask is every eighth pixel's, soft edges kept. In animate mode nothing is known, and the frames are grey.
    """
    if frames.plate is None:
        count, height, width, _ = frames.pose.shape
        return torch.zeros(count, height // SCALE_PX, width // SCALE_PX), torch.zeros(3, count, height, width)
    region = torch.from_numpy(frames.plate.region[:, ::SCALE_PX, ::SCALE_PX]) / 255
    return 1 - rounded(region, precision), signed(frames.plate.frames, precision)
