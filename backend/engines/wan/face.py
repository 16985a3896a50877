# SPDX-License-Identifier: GPL-3.0-or-later
"""From pictures of the actor's face to what the transformer's tokens take from it.

A face becomes a motion vector (a sum of learnt directions, Wang et al. 2022, *Latent Image Animator*), the motion of
four frames becomes five tokens of one latent frame, and after every fifth block the tokens of a latent frame look at
its five face tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import torch
from einops import rearrange, repeat
from torch import Tensor, nn
from torch.nn import functional

from .attention import KeysValues, attend
from .precision import RMSNorm, standardised

EPS = 1e-6
KERNEL_SIZE = 3
SLOPE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceConfig:
    """Sizes of the motion and face encoders."""

    channels: tuple[int, ...] = (32, 64, 128, 256, 512, 512, 512, 512)
    """Of the picture, then after each halving of it; the last picture is 4 x 4 px."""
    motion_dim: int = 512
    directions: int = 20
    hidden_dim: int = 1024
    local_tokens: int = 4
    """Face tokens of a latent frame; the padding token comes on top."""

    @property
    def picture_size_px(self) -> int:
        """Width and height of the face pictures that the motion encoder takes."""
        return 4 << len(self.channels) - 1


class EqualConv2d(nn.Module):
    """A convolution whose weights are scaled when used, by one over the root of their fan-in. Karras et al. 2018."""

    def __init__(self, inputs: int, outputs: int, size: int, *, stride: int = 1, padding: int = 0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, size, size))
        self.scale = (inputs * size**2) ** -0.5
        self.stride, self.padding = stride, padding

    def forward(self, x: Tensor) -> Tensor:
        """Convolve `b c h w`."""
        return functional.conv2d(x, self.weight * self.scale, stride=self.stride, padding=self.padding)


class EqualLinear(nn.Module):
    """A linear layer whose weights are scaled when used, like `EqualConv2d`."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.scale = inputs**-0.5

    def forward(self, x: Tensor) -> Tensor:
        """Map `... in` to `... out`."""
        return functional.linear(x, self.weight * self.scale, self.bias)


class BiasedLeakyReLU(nn.Module):
    """A bias of each channel, a leaky ReLU, and the root of two that keeps the variance."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Activate `b c h w`."""
        return functional.leaky_relu(x + self.bias, SLOPE) * 2**0.5


class Blur(nn.Module):
    """A 4 x 4 px blur before pixels are dropped. Zhang 2019.

    Checkpoints carry the kernel though it is a constant: it is made here, and what a file says is left aside.
    """

    def __init__(self, padding: tuple[int, int]) -> None:
        super().__init__()
        self.padding = padding
        self.kernel: Tensor
        self.register_buffer("kernel", torch.outer(*[torch.tensor([1.0, 3.0, 3.0, 1.0])] * 2) / 64)

    def forward(self, x: Tensor) -> Tensor:
        """Blur each channel of `b c h w`, padded by zeros before and after on both axes."""
        kernel = repeat(self.kernel.to(x), "h w -> c 1 h w", c=x.shape[1])
        return functional.conv2d(functional.pad(x, self.padding * 2), kernel, groups=x.shape[1])

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *_: object) -> None:
        state_dict.pop(f"{prefix}kernel", None)
        if self.kernel.is_meta:
            self.kernel = Blur(self.padding).kernel


class ResidualBlock(nn.Module):
    """Halve a picture: two convolutions beside a linear way past them, both blurred before every other pixel goes."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(EqualConv2d(inputs, inputs, 3, padding=1), BiasedLeakyReLU(inputs))
        self.conv2 = nn.Sequential(Blur((2, 2)), EqualConv2d(inputs, outputs, 3, stride=2), BiasedLeakyReLU(outputs))
        self.skip = nn.Sequential(Blur((1, 1)), EqualConv2d(inputs, outputs, 1, stride=2))

    def forward(self, x: Tensor) -> Tensor:
        """Map `b c h w` to `b c' h/2 w/2`."""
        halved: Tensor = (self.conv2(self.conv1(x)) + self.skip(x)) / 2**0.5
        return halved


class Appearance(nn.Module):
    """The convolutions from a picture to one vector."""

    def __init__(self, config: FaceConfig) -> None:
        super().__init__()
        first, last = config.channels[0], config.channels[-1]
        self.convs = nn.Sequential(
            nn.Sequential(EqualConv2d(3, first, 1), BiasedLeakyReLU(first)),
            *(ResidualBlock(inputs, outputs) for inputs, outputs in pairwise(config.channels)),
            EqualConv2d(last, config.motion_dim, 4),
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """Map `b 3 h w` to `b motion_dim`."""
        seen: Tensor = self.convs(pictures)
        return rearrange(seen, "b c 1 1 -> b c")


class Coefficients(nn.Module):
    """How far a face goes in each of the learnt directions."""

    def __init__(self, config: FaceConfig) -> None:
        super().__init__()
        dim = config.motion_dim
        self.net_app = Appearance(config)
        # Nothing bends between these layers: the official network has no activation here.
        self.fc = nn.Sequential(*(EqualLinear(dim, dim) for _ in range(4)), EqualLinear(dim, config.directions))

    def forward(self, pictures: Tensor) -> Tensor:
        """Map `b 3 h w` to `b directions`."""
        coefficients: Tensor = self.fc(self.net_app(pictures))
        return coefficients


class Direction(nn.Module):
    """Learnt directions of motion, made orthonormal before they are used."""

    def __init__(self, config: FaceConfig) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(config.motion_dim, config.directions))

    def forward(self, coefficients: Tensor) -> Tensor:
        """Sum the directions, `b directions` to `b motion_dim`, in float32.

        The signs are those of Householder's QR, which the network was trained with and which Metal does not promise; as
        officially, what comes out of it is rounded to the weights' type.
        """
        directions = (self.weight + 1e-8).float()
        directions = directions.cpu() if directions.device.type == "mps" else directions
        orthonormal: Tensor = torch.linalg.qr(directions).Q.to(self.weight)
        return coefficients.float() @ orthonormal.float().mT


class Synthesis(nn.Module):
    """Holds the directions under the name that checkpoints give them."""

    def __init__(self, config: FaceConfig) -> None:
        super().__init__()
        self.direction = Direction(config)


class MotionEncoder(nn.Module):
    """From a face to its motion."""

    def __init__(self, config: FaceConfig) -> None:
        super().__init__()
        self.enc = Coefficients(config)
        self.dec = Synthesis(config)

    def forward(self, pictures: Tensor) -> Tensor:
        """Map faces `b 3 h w` of -1..1, 512 px wide and high, in the weights' type, to motion `b 512`, float32."""
        motion: Tensor = self.dec.direction(self.enc(pictures))
        return motion


class CausalConv1d(nn.Module):
    """A convolution over time that sees no frame to come; the first frame stands in for those before it."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, KERNEL_SIZE, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve `b t c` over t."""
        past = functional.pad(rearrange(x, "b t c -> b c t"), (KERNEL_SIZE - 1, 0), mode="replicate")
        convolved: Tensor = self.conv(past.to(self.conv.weight.dtype))
        return rearrange(convolved, "b c t -> b t c")


class FaceEncoder(nn.Module):
    """From the motion of 4n+1 frames to the face tokens of n+1 latent frames."""

    def __init__(self, config: FaceConfig, dim: int) -> None:
        super().__init__()
        hidden = config.hidden_dim
        self.local_tokens = config.local_tokens
        self.conv1_local = CausalConv1d(config.motion_dim, hidden * config.local_tokens, 1)
        self.conv2 = CausalConv1d(hidden, hidden, 2)
        self.conv3 = CausalConv1d(hidden, hidden, 2)
        self.out_proj = nn.Linear(hidden, dim)
        self.padding_tokens = nn.Parameter(torch.zeros(1, 1, 1, dim))

    def forward(self, motion: Tensor) -> Tensor:
        """Map `t motion_dim` to `f 5 dim`; the last of a latent frame's tokens is the same for all."""
        x = self.conv1_local(rearrange(motion, "t c -> 1 t c"))
        x = _activated(rearrange(x, "1 t (n c) -> n t c", n=self.local_tokens))
        x = _activated(self.conv3(_activated(self.conv2(x))))
        tokens = rearrange(self.out_proj(x.to(self.out_proj.weight.dtype)), "n f c -> f n c")
        return torch.cat([tokens, repeat(self.padding_tokens, "1 1 1 c -> f 1 c", f=len(tokens)).to(tokens)], dim=1)


class FaceBlock(nn.Module):
    """Let the tokens of a latent frame look at that frame's face tokens."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.linear1_kv = nn.Linear(dim, 2 * dim)
        self.linear1_q = nn.Linear(dim, dim)
        self.linear2 = nn.Linear(dim, dim)
        self.q_norm = RMSNorm(dim // heads, EPS)
        self.k_norm = RMSNorm(dim // heads, EPS)

    def keys_values(self, faces: Tensor) -> KeysValues:
        """Say what the face tokens `f n dim` of each latent frame offer: `f heads n d`."""
        offered = self.linear1_kv(standardised(faces, EPS).to(faces.dtype))
        keys, values = rearrange(offered, "f n (two h d) -> two f h n d", two=2, h=self.heads)
        return KeysValues(self.k_norm(keys), values)

    def forward(self, tokens: Tensor, faces: KeysValues) -> Tensor:
        """Tell the tokens `(f s) dim` of whole latent frames what to add to them; faces are those of the frames."""
        asked = self.linear1_q(standardised(tokens, EPS).to(faces.keys.dtype))
        queries = self.q_norm(rearrange(asked, "(f s) (h d) -> f h s d", f=len(faces.keys), h=self.heads))
        seen: Tensor = self.linear2(rearrange(attend(queries, *faces), "f h s d -> (f s) (h d)"))
        return seen


class FaceAdapter(nn.Module):
    """The face blocks, under the name that checkpoints give them."""

    def __init__(self, dim: int, heads: int, count: int) -> None:
        super().__init__()
        self.fuser_blocks = nn.ModuleList(FaceBlock(dim, heads) for _ in range(count))

    @property
    def blocks(self) -> tuple[FaceBlock, ...]:
        """The face blocks, in the order they are used in."""
        return tuple(cast(FaceBlock, block) for block in self.fuser_blocks)


def with_reference(faces: Tensor) -> Tensor:
    """Put the reference picture's face tokens in front of `f n dim`: zeros, from which the adapters make a constant."""
    return torch.cat([torch.zeros_like(faces[:1]), faces])


def _activated(x: Tensor) -> Tensor:
    return functional.silu(standardised(x, EPS))
