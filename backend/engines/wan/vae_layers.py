# SPDX-License-Identifier: GPL-3.0-or-later
"""What the video VAE is made of: layers that remember frames, and strips of rows on their way through them.

Videos are `1 c t h w` in channels-last memory: then frames lie one behind the other, norms run over neighbours in
memory, and convolutions need no copy. Attributes are called as in the native checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import cast

import torch
import torch.nn.functional as F  # noqa: N812
from einops import rearrange
from torch import Tensor, nn

_QUERIES = 4096
"""Rows of the attention's score matrix at a time: where no fused kernel takes 384 channels, the matrix is built."""

Past = dict[nn.Module, Tensor]
"""The frames that each convolution over time remembers, in one pass over one strip."""


class Local:
    """A layer whose result sees only rows nearby, so that it can work on a strip. Rows are counted in whole frames."""

    reach = 1
    """Rows above and below that a row of the result sees."""

    __call__: Callable[..., Tensor]

    def covers(self, rows: range) -> range:
        """Tell which rows of the result those rows of the input give; the outermost may lack what they see."""
        return rows

    def needs(self, rows: range) -> range:
        """Tell which rows of the input those rows of the result see; some may lie beyond the frame."""
        return range(rows.start - self.reach, rows.stop + self.reach)


class CausalConv3d(nn.Conv3d, Local):
    """A convolution that sees the present and the past two frames; before the first there is zero."""

    def __init__(self, channels_in: int, channels_out: int, size: int) -> None:
        super().__init__(channels_in, channels_out, size, padding=(0, size // 2, size // 2))

    def forward(self, video: Tensor, past: Past) -> Tensor:  # type: ignore[override]
        """Give as many frames as came in, and remember the last two."""
        return _over_time(self, video, past)


def _over_time(conv: nn.Conv3d, video: Tensor, past: Past) -> Tensor:
    """Convolve behind the frames remembered, zero where there are none yet."""
    return _convolved(conv, _seen(conv, video, past) if conv.kernel_size[0] > 1 else video, video.shape[2])


def _seen(conv: nn.Conv3d, video: Tensor, past: Past, norm: RmsNorm | None = None) -> Tensor:
    """Give the frames that a convolution sees, those that it remembers first, and remember the last of them.

    Frames are normed where they are to lie, one by one: nothing as large as the video is made on the way.
    """
    reach, count = conv.kernel_size[0] - 1, video.shape[2]
    earlier = past[conv] if conv in past else video[:, :, :0]
    known = earlier.shape[2]
    lacking = reach - known if count > 1 else 0  # for a single frame, the kernel is cut instead
    shape = (*video.shape[:2], lacking + known + count, *video.shape[3:])
    seen = torch.empty(shape, dtype=video.dtype, device=video.device, memory_format=torch.channels_last_3d)
    seen[:, :, :lacking] = 0
    seen[:, :, lacking : lacking + known] = earlier
    for index in range(-count, 0):
        frame = video[:, :, index]
        seen[:, :, index] = F.silu(norm(frame), inplace=True) if norm else frame
    newest = seen[:, :, -reach:]
    past[conv] = earlier.copy_(newest) if earlier.shape == newest.shape else newest.clone()  # a view would keep it all
    return seen


def _convolved(conv: nn.Conv3d, seen: Tensor, count: int) -> Tensor:
    """Make so many frames of those seen."""
    weight, border = conv.weight, conv.kernel_size[1] // 2
    if count == 1:
        weight = weight[:, :, -seen.shape[2] :]  # zeros need no arithmetic: a still costs a third
    if weight.shape[2] == 1:
        return _as_video(F.conv2d(_as_frames(seen), weight[:, :, 0], conv.bias, padding=border))
    if weight.dtype == torch.float32 and count % 2 == 0:
        return _as_video(_two_at_a_time(_as_frames(seen), weight, conv.bias, border))
    return F.conv3d(seen, weight, conv.bias, padding=conv.padding)


def _two_at_a_time(seen: Tensor, weight: Tensor, bias: Tensor | None, padding: int) -> Tensor:
    """Convolve over three frames, making two from four by four convolutions instead of six.

    The F(2, 3) of Winograd (1980), in time alone. Its sums round, so it is for float32.
    """
    oldest, middle, newest = weight.unbind(2)
    added, subtracted = (oldest + middle + newest) / 2, (oldest - middle + newest) / 2
    shape = (len(seen) - 2, len(weight), *seen.shape[2:])
    made = torch.empty(shape, dtype=seen.dtype, device=seen.device, memory_format=torch.channels_last)
    for first in range(0, len(made), 2):
        four = [seen[first + index][None] for index in range(4)]
        made[first : first + 2] = F.conv2d(four[1] + four[2], added, bias, padding=padding)
        apart = F.conv2d(four[2] - four[1], subtracted, padding=padding)[0]
        made[first] += apart
        made[first + 1] -= apart
        del apart
        made[first] += F.conv2d(four[0] - four[2], oldest, padding=padding)[0]
        made[first + 1] += F.conv2d(four[3] - four[1], newest, padding=padding)[0]
    return made


def _as_frames(video: Tensor) -> Tensor:
    return rearrange(video, "1 c t h w -> t c h w")


def _as_video(frames: Tensor) -> Tensor:
    return rearrange(frames, "t c h w -> 1 c t h w")


class RmsNorm(nn.Module):
    """Scale the channels of each pixel to length sqrt(c) times `gamma`. Statistics are float32 in any dtype."""

    def __init__(self, channels: int, axes: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels, *[1] * axes))

    def forward(self, pixels: Tensor) -> Tensor:
        """Take and give `b c ...`."""
        channels_last = F.rms_norm(pixels.movedim(1, -1), (len(self.gamma),), self.gamma.flatten(), eps=1e-24)
        return channels_last.movedim(-1, 1)


_Normed = tuple[RmsNorm, nn.SiLU, CausalConv3d]
_Residual = tuple[RmsNorm, nn.SiLU, CausalConv3d, RmsNorm, nn.SiLU, nn.Identity, CausalConv3d]


class ResidualBlock(nn.Module, Local):
    """Two normed convolutions beside a shortcut."""

    reach = 2

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            *(RmsNorm(channels_in, 3), nn.SiLU(inplace=True), CausalConv3d(channels_in, channels_out, 3)),
            *(RmsNorm(channels_out, 3), nn.SiLU(inplace=True)),
            *(nn.Identity(), CausalConv3d(channels_out, channels_out, 3)),  # the checkpoint counts a dropout
        )
        self.shortcut = CausalConv3d(channels_in, channels_out, 1) if channels_in != channels_out else None

    def forward(self, video: Tensor, past: Past) -> Tensor:
        """Take and give `1 c t h w`."""
        norm_in, _, conv_in, norm_out, _, _, conv_out = cast(_Residual, tuple(self.residual))
        change = _convolved(conv_in, _seen(conv_in, video, past, norm_in), video.shape[2])
        seen = _seen(conv_out, change, past, norm_out)
        del change  # what is not needed any more makes room
        change = _convolved(conv_out, seen, video.shape[2])
        del seen
        return change.add_(self.shortcut(video, past) if self.shortcut else video)


class Head(nn.Sequential, Local):
    """The last norm and convolution of encoder and decoder."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(RmsNorm(channels_in, 3), nn.SiLU(inplace=True), CausalConv3d(channels_in, channels_out, 3))

    def forward(self, video: Tensor, past: Past) -> Tensor:  # type: ignore[override]
        """Take and give `1 c t h w`."""
        norm, _, conv = cast(_Normed, tuple(self))
        return _convolved(conv, _seen(conv, video, past, norm), video.shape[2])


class Attention(nn.Module):
    """One head of attention among the pixels of each frame."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = RmsNorm(channels, 2)
        self.to_qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.proj = nn.Conv2d(channels, channels, 1)

    def forward(self, video: Tensor, past: Past) -> Tensor:  # noqa: ARG002 - frames do not see each other
        """Take and give `1 c t h w`."""
        frames = _as_frames(video)
        q, k, v = rearrange(self.to_qkv(self.norm(frames)), "t (three c) h w -> three t 1 (h w) c", three=3)
        seen = torch.cat([F.scaled_dot_product_attention(some, k, v) for some in q.split(_QUERIES, dim=2)], dim=2)
        return video + _as_video(self.proj(rearrange(seen, "t 1 (h w) c -> t c h w", h=video.shape[3])))


class Halve(nn.Conv2d):
    """Halve the size. The last row and column see zeros: two on every side, for which no frame need be copied."""

    def forward(self, frames: Tensor) -> Tensor:
        """Take and give `t c h w`."""
        height, width = frames.shape[2] // 2, frames.shape[3] // 2
        halved = F.conv2d(frames, self.weight, self.bias, stride=2, padding=2)
        return halved[:, :, 1 : height + 1, 1 : width + 1]


class Double(nn.Conv2d):
    """Double the size, each pixel becoming four, then convolve.

    Of three rows of the doubled frame two are the same, so every pixel of the result is a sum over two by two pixels
    of the frame: four kernels, by the places a pixel may have among its four, with 16 products instead of 36.
    """

    def forward(self, frames: Tensor) -> Tensor:
        """Take and give `t c h w`."""
        count, _, height, width = frames.shape
        shape = (count, self.out_channels, 2 * height, 2 * width)
        made = torch.empty(shape, dtype=frames.dtype, device=frames.device, memory_format=torch.channels_last)
        for row, kernels in enumerate(_pairs(self.weight, 2)):
            for column, kernel in enumerate(_pairs(kernels, 3)):
                here = F.conv2d(frames, kernel, self.bias, padding=1)
                made[:, :, row::2, column::2] = here[:, :, row : row + height, column : column + width]
        return made


def _pairs(weight: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Add what meets the same pixel along an axis: for the first of two twins, and for the second."""
    before, here, after = weight.unbind(axis)
    return torch.stack([before, here + after], axis), torch.stack([before + here, after], axis)


class Downsample(nn.Module, Local):
    """Halve the size, and the number of frames too where there is a `time_conv`."""

    def __init__(self, channels: int, *, halves_time: bool) -> None:
        super().__init__()
        self.resample = nn.Sequential(nn.Identity(), Halve(channels, channels, 3, stride=2))
        self.time_conv = nn.Conv3d(channels, channels, (3, 1, 1), stride=(2, 1, 1)) if halves_time else None

    def covers(self, rows: range) -> range:
        """Row i sees rows 2i to 2i + 2: a strip that starts at an even row is never short above."""
        return range(rows.start // 2, rows.stop // 2)

    def needs(self, rows: range) -> range:
        """Tell which; the padding is below and right only."""
        return range(2 * rows.start, 2 * rows.stop + 1)

    def forward(self, video: Tensor, past: Past) -> Tensor:
        """Take 1 frame, then an even number; give 1 frame, then half as many."""
        small = _frame_by_frame(self.resample, video)
        if self.time_conv is None:
            return small
        seen = torch.cat([past[self.time_conv], small], dim=2) if self.time_conv in past else None
        past[self.time_conv] = small[:, :, -1:].clone()
        return small if seen is None else self.time_conv(seen)


class Upsample(nn.Module, Local):
    """Double the size and halve the channels; double the number of frames first where there is a `time_conv`."""

    def __init__(self, channels: int, *, doubles_time: bool) -> None:
        super().__init__()
        self.resample = nn.Sequential(nn.Identity(), Double(channels, channels // 2, 3, padding=1))
        self.time_conv = nn.Conv3d(channels, 2 * channels, (3, 1, 1)) if doubles_time else None

    def covers(self, rows: range) -> range:
        """Each row becomes two."""
        return range(2 * rows.start, 2 * rows.stop)

    def needs(self, rows: range) -> range:
        """Tell which; the convolution comes after the doubling, so it sees half a row of the input."""
        return range((rows.start - self.reach) // 2, -((rows.stop + self.reach) // -2))

    def forward(self, video: Tensor, past: Past) -> Tensor:
        """Give the clip's first frame once, every later one twice; the first is no history for the second."""
        if self.time_conv is not None:
            if self.time_conv in past:
                doubled = _over_time(self.time_conv, video, past)
                video = rearrange(doubled, "b (two c) t h w -> b c (t two) h w", two=2)
            else:
                past[self.time_conv] = video[:, :, :0].clone()
        return _frame_by_frame(self.resample, video)


def _frame_by_frame(layers: nn.Sequential, video: Tensor) -> Tensor:
    return _as_video(layers(_as_frames(video)))


@dataclass(frozen=True, slots=True)
class Strip:
    """Layers on their way through a clip, on the rows that some rows of the result see.

    spans: which rows of the whole frame each layer takes, and last those of the result.
    """

    layers: Sequence[Local]
    spans: Sequence[range]
    past: Past = field(default_factory=dict)

    @classmethod
    def to_give(cls, rows: range, layers: Sequence[Local], height: int) -> Strip:
        """Plan from the result back to an input of that height: each layer says what it needs, as far as there is."""
        heights = list(accumulate(layers, lambda rows, layer: layer.covers(range(rows)).stop, initial=height))
        spans = [rows]
        for layer, limit in zip(reversed(layers), reversed(heights[:-1]), strict=True):
            seen = layer.needs(spans[-1])
            spans.append(range(max(seen.start, 0), min(seen.stop, limit)))
        return cls(layers, spans[::-1])

    def __call__(self, whole: Tensor) -> Tensor:
        """Take the next whole frames, give the strip; after each layer drop the rows that lacked a neighbour."""
        video = whole[:, :, :, self.spans[0].start : self.spans[0].stop]
        for layer, (before, after) in zip(self.layers, pairwise(self.spans), strict=True):
            first = layer.covers(before).start
            video = layer(video, self.past)[:, :, :, after.start - first : after.stop - first]
        return video
