# SPDX-License-Identifier: GPL-3.0-or-later
"""The video VAE of Wan 2.1: 3 channels to 16, an eighth of the size, a quarter of the frames; strictly causal in time.

Time: pixel frames go in as 1, 4, 4, ...; latent frames one by one. Each convolution over time keeps the last two frames
of its own input, so a clip of any length takes constant memory, and a prefix of a clip gives a prefix of the result.

Space: a picture may be cut into strips of rows. Each strip takes as many rows of its neighbours as the result can see
(exact halos, `needs`), so nothing is blended. The middle, with attention over the whole frame, is small and never cut.

Attributes are called as in the native checkpoint.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, pairwise

import torch
from einops import rearrange
from torch import Tensor, nn

from ...contract.errors import UnderstudyError
from .footprint import Footprint
from .vae_layers import Attention, CausalConv3d, Downsample, Head, Local, Past, ResidualBlock, Strip, Upsample

SCALE_PX = 8
"""Pixels to a latent pixel, both ways."""
GROUP_FRAMES = 4
"""Pixel frames to a latent frame, but for the first, which is one to one."""

_TALL_PX = 480
"""Frames of so many rows are worked on in two strips at least: half the memory for 6 to 10 % more arithmetic."""
_STEADY = 4
"""Latent frames after which every later one needs the same memory."""


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
    """Tell into how few strips a clip is best cut so that `encode` and `decode` need no more bytes than that.

    The weights are not counted, nor input and result, nor what a kernel takes for itself. Raises VideoTooLargeError.
    """
    needed = 0
    for strips in range(2 if size.height_px >= _TALL_PX else 1, size.height_px // SCALE_PX + 1):
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
