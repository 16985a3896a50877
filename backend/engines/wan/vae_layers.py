# SPDX-License-Identifier: GPL-3.0-or-later
"""What the video VAE is made of: layers that remember frames, and strips of rows on their way through them.

Videos are `1 c t h w` in channels-last memory: then frames lie one behind the other, norms run over neighbours in
memory, and convolutions need no copy. Attributes are called as in the native checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

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
    reach = conv.kernel_size[0] - 1
    seen = torch.cat([past[conv], video], dim=2) if conv in past else video
    if reach:
        past[conv] = seen[:, :, -reach:].clone()  # not a view, which would keep all of `seen`
    missing = reach + video.shape[2] - seen.shape[2]
    weight = conv.weight
    if video.shape[2] == 1:
        weight = weight[:, :, missing:]  # zeros need no arithmetic: a still costs a third
    elif missing:
        seen = F.pad(seen, (0, 0, 0, 0, missing, 0))
    border = conv.kernel_size[1] // 2
    if weight.shape[2] == 1:
        return _as_video(F.conv2d(_as_frames(seen), weight[:, :, 0], conv.bias, padding=border))
    if weight.dtype == torch.float32 and video.shape[2] % 2 == 0:
        return _as_video(_two_at_a_time(_as_frames(seen), weight, conv.bias, border))
    return F.conv3d(seen, weight, conv.bias, padding=conv.padding)


def _two_at_a_time(seen: Tensor, weight: Tensor, bias: Tensor | None, padding: int) -> Tensor:
    """Convolve over three frames, making two from four by four convolutions instead of six.

    The F(2, 3) of Winograd (1980), in time alone. Its sums round, so it is for float32.
    """
    four = [seen[first : first + len(seen) - 3 : 2] for first in range(4)]
    oldest, middle, newest = weight.unbind(2)
    both = F.conv2d(four[1] + four[2], (oldest + middle + newest) / 2, bias, padding=padding)
    apart = F.conv2d(four[2] - four[1], (oldest - middle + newest) / 2, padding=padding)
    shape = (2 * len(both), *both.shape[1:])
    made = torch.empty(shape, dtype=both.dtype, device=both.device, memory_format=torch.channels_last)
    torch.add(both, apart, out=made[0::2])
    torch.sub(both, apart, out=made[1::2])
    made[0::2] += F.conv2d(four[0] - four[2], oldest, padding=padding)
    made[1::2] += F.conv2d(four[3] - four[1], newest, padding=padding)
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
        change = _in_turn(self.residual, video, past)
        return change.add_(self.shortcut(video, past) if self.shortcut else video)


class Head(nn.Sequential, Local):
    """The last norm and convolution of encoder and decoder."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(RmsNorm(channels_in, 3), nn.SiLU(inplace=True), CausalConv3d(channels_in, channels_out, 3))

    def forward(self, video: Tensor, past: Past) -> Tensor:  # type: ignore[override]
        """Take and give `1 c t h w`."""
        return _in_turn(self, video, past)


def _in_turn(layers: Iterable[nn.Module], video: Tensor, past: Past) -> Tensor:
    for layer in layers:
        video = layer(video, past) if isinstance(layer, CausalConv3d) else layer(video)
    return video


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


class Downsample(nn.Module, Local):
    """Halve the size, and the number of frames too where there is a `time_conv`."""

    def __init__(self, channels: int, *, halves_time: bool) -> None:
        super().__init__()
        self.resample = nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(channels, channels, 3, stride=2))
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
        self.resample = nn.Sequential(
            nn.Upsample(scale_factor=2, mode="nearest-exact"), nn.Conv2d(channels, channels // 2, 3, padding=1)
        )
        self.time_conv = nn.Conv3d(channels, 2 * channels, (3, 1, 1)) if doubles_time else None

    def covers(self, rows: range) -> range:
        """Each row becomes two."""
        return range(2 * rows.start, 2 * rows.stop)

    def needs(self, rows: range) -> range:
        """Tell which; the convolution comes after the doubling, so it sees half a row of the input."""
        return range((rows.start - self.reach) // 2, -((rows.stop + self.reach) // -2))

    def forward(self, video: Tensor, past: Past) -> Tensor:
        """Give the clip's first frame once, every later one twice; the first is no history for the second."""
        if self.time_conv is None:
            return _frame_by_frame(self.resample, video)
        if self.time_conv not in past:
            past[self.time_conv] = video[:, :, :0].clone()
            return _frame_by_frame(self.resample, video)
        doubled = _over_time(self.time_conv, video, past)
        return _frame_by_frame(self.resample, rearrange(doubled, "b (two c) t h w -> b c (t two) h w", two=2))


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
