# SPDX-License-Identifier: GPL-3.0-or-later
"""The video VAE of Wan 2.1: 3 channels to 16, an eighth of the size, a quarter of the frames; strictly causal in time.

Time: pixel frames go in as 1, 4, 4, ...; latent frames one by one. Each convolution over time keeps the last two frames
of its own input, so a clip of any length takes constant memory, and a prefix of a clip gives a prefix of the result.

Space: a picture may be cut into strips of rows. Each strip takes as many rows of its neighbours as the result can see
(exact halos, `needs`), so nothing is blended. The middle, with attention over the whole frame, is small and never cut.

Inside, videos are `1 c t h w` in channels-last memory: then frames lie one behind the other, norms run over neighbours
in memory, and convolutions need no copy. Attributes are called as in the native checkpoint.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate, chain, pairwise

import torch
import torch.nn.functional as F  # noqa: N812
from einops import rearrange
from torch import Tensor, nn

from ...contract.errors import UnderstudyError
from .footprint import Footprint

SCALE_PX = 8
"""Pixels to a latent pixel, both ways."""
GROUP_FRAMES = 4
"""Pixel frames to a latent frame, but for the first, which is one to one."""

_QUERIES = 4096
"""Rows of the attention's score matrix at a time: where no fused kernel takes 384 channels, the matrix is built."""

_STEADY = 4
"""Latent frames after which every later one needs the same memory."""

Past = dict[nn.Module, Tensor]
"""The frames that each convolution over time remembers, in one pass over one strip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VaeConfig:
    """Sizes of the VAE, and what its latents are normalised by; the defaults are the published model's."""

    dim: int = 96
    multipliers: tuple[int, ...] = (1, 2, 4, 4)
    blocks: int = 2
    halves_time: tuple[bool, ...] = (False, True, True)
    mean: tuple[float, ...] = (
        *(-0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508),
        *(0.4134, -0.0715, 0.5517, -0.3632, -0.1922, -0.9497, 0.2503, -0.2921),
    )
    std: tuple[float, ...] = (
        *(2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743),
        *(3.2687, 2.1526, 2.8652, 1.5579, 1.6382, 1.1253, 2.8251, 1.9160),
    )

    @property
    def channels(self) -> int:
        """Latent channels."""
        return len(self.mean)


class VideoTooLargeError(UnderstudyError):
    """The VAE can't work in the memory it is given, however it is cut."""

    hint = "Choose a smaller size, close other programs that use the graphics card, or run on the processor."

    def __init__(self, needed_bytes: int, budget_bytes: int) -> None:
        super().__init__(
            f"Frames of this size need {needed_bytes / 1e9:.1f} GB of memory to be encoded and decoded, "
            f"and {budget_bytes / 1e9:.1f} GB are free."
        )
        self.needed_bytes, self.budget_bytes = needed_bytes, budget_bytes


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
    made = torch.empty_like(torch.cat([both, both]))
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


class Encoder(nn.Module):
    """Pixels to features of twice the latent channels. `near` works on strips, `far` on whole frames."""

    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        widths = [config.dim * multiplier for multiplier in config.multipliers]
        self.conv1 = CausalConv3d(3, config.dim, 3)
        layers: list[ResidualBlock | Downsample] = []
        for level, (channels_in, channels) in enumerate(pairwise([config.dim, *widths])):
            if level:
                layers.append(Downsample(channels_in, halves_time=config.halves_time[level - 1]))
            layers += [ResidualBlock(channels_in, channels)]
            layers += [ResidualBlock(channels, channels) for _ in range(config.blocks - 1)]
        self.downsamples = nn.ModuleList(layers)
        self.middle = _middle(widths[-1])
        self.head = Head(widths[-1], 2 * config.channels)

        cut = max(index for index, layer in enumerate(layers) if isinstance(layer, Downsample)) + 1
        self.near: tuple[Local, ...] = (self.conv1, *layers[:cut])
        self.far: tuple[nn.Module, ...] = (*layers[cut:], *self.middle, self.head)


class Decoder(nn.Module):
    """Latents to pixels. `far` works on whole frames, `near` on strips."""

    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        widths = [config.dim * multiplier for multiplier in reversed(config.multipliers)]
        self.conv1 = CausalConv3d(config.channels, widths[0], 3)
        self.middle = _middle(widths[0])
        layers: list[ResidualBlock | Upsample] = []
        channels_in = widths[0]
        for level, channels in enumerate(widths):
            if level:
                layers.append(Upsample(channels_in, doubles_time=config.halves_time[-level]))
                channels_in //= 2
            layers += [ResidualBlock(channels_in, channels)]
            layers += [ResidualBlock(channels, channels) for _ in range(config.blocks)]
            channels_in = channels
        self.upsamples = nn.ModuleList(layers)
        self.head = Head(widths[-1], 3)

        cut = config.blocks + 1
        self.far: tuple[nn.Module, ...] = (self.conv1, *self.middle, *layers[:cut])
        self.near: tuple[Local, ...] = (*layers[cut:], self.head)


def _middle(channels: int) -> nn.ModuleList:
    return nn.ModuleList([ResidualBlock(channels, channels), Attention(channels), ResidualBlock(channels, channels)])


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


class Vae(nn.Module):
    """The video VAE. It computes in the dtype and on the device of its weights and gives float32.

    Frames are RGB `3 t h w` in [-1, 1], sides multiples of 8, 4n + 1 of them; latents `16 f h w`, normalised, are the
    mean of the posterior. Results lie where the input lay, so that what is long may stay in the machine's memory.
    With `strips` the picture is worked on in so many strips of rows (`strips_within`). That changes results by rounding
    alone, where a kernel sums in another order for another size.
    """

    def __init__(self, config: VaeConfig | None = None) -> None:
        super().__init__()
        self.config = config or VaeConfig()
        self.encoder = Encoder(self.config)
        self.conv1 = CausalConv3d(2 * self.config.channels, 2 * self.config.channels, 1)
        self.conv2 = CausalConv3d(self.config.channels, self.config.channels, 1)
        self.decoder = Decoder(self.config)

    @torch.inference_mode()
    def encode(self, frames: Tensor, strips: int = 1) -> Tensor:
        """Encode a clip, strip after strip: memory for the working set of one, and the small features of all."""
        if strips == 1:
            return torch.cat(list(self.encode_stream([frames])), dim=1)
        kept = [[front(group) for group in self._groups([frames])] for front in self._fronts(frames.shape[2], strips)]
        return torch.cat(list(self._latents(zip(*kept, strict=True), frames.device)), dim=1)

    @torch.inference_mode()
    def encode_stream(self, frames: Iterable[Tensor], strips: int = 1) -> Iterator[Tensor]:
        """Encode a clip that comes in pieces of any length; give a latent frame `16 1 h w` as soon as one is known.

        The same bits as `encode`, in memory that does not grow with the clip: that of all strips' histories.
        """
        pieces = iter(frames)
        first = next(pieces)
        fronts = list(self._fronts(first.shape[2], strips))
        groups = self._groups(chain([first], pieces))
        yield from self._latents(([front(group) for front in fronts] for group in groups), first.device)

    @torch.inference_mode()
    def decode(self, latents: Tensor, strips: int = 1) -> Tensor:
        """Decode latents to frames in [-1, 1], strip after strip: memory for the working set of one beside the result.

        The features of the whole clip, which strips share, are small: 6 bytes a pixel of the result in float32.
        """
        count, height, width = latents.shape[1:]
        frames = torch.empty(
            (3, frame_count(count), SCALE_PX * height, SCALE_PX * width), dtype=torch.float32, device=latents.device
        )
        features = list(self._features(latents)) if strips > 1 else self._features(latents)
        for rear in self._rears(height, strips):
            there = frames[:, :, rear.spans[-1].start : rear.spans[-1].stop]
            done = 0
            for piece in map(_shown, map(rear, features)):
                there[:, done : done + piece.shape[1]] = piece
                done += piece.shape[1]
                del piece  # or it would be held while the next is made
        return frames

    @torch.inference_mode()
    def decode_stream(self, latents: Tensor, strips: int = 1) -> Iterator[Tensor]:
        """Decode to pieces `3 t h w` of 1, 4, 4, ... frames.

        The same bits as `decode`, in memory that does not grow with the clip: that of all strips' histories.
        """
        rears = list(self._rears(latents.shape[2], strips))
        for whole in self._features(latents):
            yield torch.cat([_shown(rear(whole)) for rear in rears], dim=2).to(latents.device)

    def _fronts(self, height_px: int, strips: int) -> Iterator[Strip]:
        for rows in _cut(height_px // SCALE_PX, strips):
            yield Strip.to_give(rows, self.encoder.near, height_px)

    def _rears(self, height: int, strips: int) -> Iterator[Strip]:
        for rows in _cut(height, strips):
            yield Strip.to_give(range(SCALE_PX * rows.start, SCALE_PX * rows.stop), self.decoder.near, height)

    def _groups(self, pieces: Iterable[Tensor]) -> Iterator[Tensor]:
        """Cut a clip that comes in pieces into 1, 4, 4, ... frames. Raises ValueError if its length is not 4n + 1."""
        wanted, waiting = 1, None
        for piece in pieces:
            waiting = piece if waiting is None else torch.cat([waiting, piece], dim=1)
            while waiting.shape[1] >= wanted:
                yield self._entered(waiting[:, :wanted])
                waiting = waiting[:, wanted:]
                wanted = GROUP_FRAMES
        if waiting is None or waiting.shape[1] or wanted == 1:
            raise ValueError("a clip to encode has 4n + 1 frames")

    def _latents(self, features: Iterable[Sequence[Tensor]], device: torch.device) -> Iterator[Tensor]:
        mean, std = self._statistics()
        past: Past = {}
        for parts in features:
            moments = _through((*self.encoder.far, self.conv1), torch.cat(list(parts), dim=3), past)
            yield ((moments[0, : self.config.channels].float() - mean) / std).to(device)

    def _features(self, latents: Tensor) -> Iterator[Tensor]:
        mean, std = self._statistics()
        past: Past = {}
        for latent in latents.split(1, dim=1):  # type: ignore[no-untyped-call]
            entered = self._entered(latent.to(mean.device).float() * std + mean)
            yield _through((self.conv2, *self.decoder.far), entered, past)

    def _statistics(self) -> tuple[Tensor, Tensor]:
        mean, std = (
            torch.tensor(values, dtype=torch.float32, device=self.conv1.weight.device)
            for values in (self.config.mean, self.config.std)
        )
        return rearrange(mean, "c -> c 1 1 1"), rearrange(std, "c -> c 1 1 1")

    def _entered(self, video: Tensor) -> Tensor:
        there = video.to(self.conv1.weight.device, self.conv1.weight.dtype)
        return there.unsqueeze(0).contiguous(memory_format=torch.channels_last_3d)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipSize:
    """Pixel frames to be encoded or decoded in one go, and their size."""

    frames: int
    height_px: int
    width_px: int


def strips_within(budget_bytes: int, size: ClipSize, dtype: torch.dtype, config: VaeConfig | None = None) -> int:
    """Tell into how few strips a clip must be cut so that `encode` and `decode` need no more bytes than that.

    The weights are not counted, nor input and result, nor what a kernel takes for itself. Raises VideoTooLargeError.
    """
    needed = 0
    for strips in range(1, size.height_px // SCALE_PX + 1):
        needed = peak_bytes(size, dtype, strips, config)
        if needed <= budget_bytes:
            return strips
    raise VideoTooLargeError(needed, budget_bytes)


@cache
def peak_bytes(size: ClipSize, dtype: torch.dtype, strips: int, config: VaeConfig | None = None) -> int:
    """Tell how many bytes `encode` and `decode` hold at their worst moment, by running both on tensors without data.

    A few frames of one strip are run: the inmost, whose halo is the largest.
    """
    config = config or VaeConfig()
    height, width = size.height_px // SCALE_PX, size.width_px // SCALE_PX
    count = (size.frames - 1) // GROUP_FRAMES + 1
    run = min(count, _STEADY)
    with torch.device("meta"):
        vae = Vae(config).to(dtype)
        frames = torch.empty(3, frame_count(run), size.height_px, size.width_px)
        latents = torch.empty(config.channels, run, height, width)
    with Footprint() as encoding, torch.inference_mode():
        front = list(vae._fronts(size.height_px, strips))[strips // 2]
        groups = map(front, vae._groups([frames]))
        deque(vae._latents(([group] for group in (list(groups) if strips > 1 else groups)), frames.device), maxlen=0)
    with Footprint() as decoding, torch.inference_mode():
        rear = list(vae._rears(height, strips))[strips // 2]
        deque(map(_shown, map(rear, vae._features(latents))), maxlen=0)
    features = config.dim * config.multipliers[-1] * count * height * width
    kept_bytes = features * dtype.itemsize if strips > 1 else 0
    working_bytes: int = max(encoding.peak_bytes, decoding.peak_bytes)
    return working_bytes + kept_bytes


def frame_count(latent_frames: int) -> int:
    """Tell how many pixel frames so many latent frames stand for."""
    return GROUP_FRAMES * (latent_frames - 1) + 1


def _cut(height: int, strips: int) -> list[range]:
    """Cut so many rows of latents into strips of nearly equal height."""
    edges = [height * index // strips for index in range(strips + 1)]
    return [range(first, stop) for first, stop in pairwise(edges)]


def _through(layers: Iterable[nn.Module], video: Tensor, past: Past) -> Tensor:
    for layer in layers:
        video = layer(video, past)
    return video


def _shown(video: Tensor) -> Tensor:
    return video[0].float().clamp_(-1, 1)
