# SPDX-License-Identifier: GPL-3.0-or-later
"""The image tower of CLIP ViT-H/14, which tells the transformer who the character is.

Attributes are called as in the native checkpoint.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from einops import rearrange
from torch import Tensor, nn

_MEAN = (0.48145466, 0.4578275, 0.40821073)
_STD = (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfig:
    """Sizes of the image encoder; the defaults are ViT-H/14's."""

    size_px: int = 224
    patch_px: int = 14
    dim: int = 1280
    heads: int = 16
    layers: int = 32
    mlp_ratio: int = 4
    dim_projected: int = 1024

    @property
    def tokens(self) -> int:
        """Patches and the class token."""
        return (self.size_px // self.patch_px) ** 2 + 1


class ImageEncoder(nn.Module):
    """All tokens of a picture as they are before the last layer. It computes in the dtype of its weights."""

    def __init__(self, config: ImageConfig | None = None) -> None:
        super().__init__()
        self.config = config or ImageConfig()
        self.visual = Tower(self.config)

    def preprocess(self, letterboxed: Tensor) -> Tensor:
        """Squash a picture `3 h w`, RGB in [-1, 1], to `3 224 224` as CLIP was trained to see it, float32.

        Bicubic without antialiasing; the aspect is not kept. It is the letterboxed character, not the artist's file.
        """
        size = (self.config.size_px, self.config.size_px)
        squashed = F.interpolate(letterboxed[None].float(), size=size, mode="bicubic", align_corners=False)[0]
        mean, std = (torch.tensor(values, device=squashed.device)[:, None, None] for values in (_MEAN, _STD))
        return (squashed * 0.5 + 0.5 - mean) / std

    @torch.inference_mode()
    def forward(self, pixels: Tensor) -> Tensor:
        """Take what `preprocess` gave; give `257 1280`."""
        return self.visual(pixels.to(self.visual.patch_embedding.weight.dtype))  # type: ignore[no-any-return]


class Tower(nn.Module):
    """The vision transformer. The checkpoint's last layer, norm and projection are there and never run."""

    def __init__(self, config: ImageConfig) -> None:
        super().__init__()
        self.patch_embedding = nn.Conv2d(3, config.dim, config.patch_px, stride=config.patch_px, bias=False)
        self.cls_embedding = nn.Parameter(torch.zeros(1, 1, config.dim))
        self.pos_embedding = nn.Parameter(torch.zeros(1, config.tokens, config.dim))
        self.pre_norm = nn.LayerNorm(config.dim)
        self.transformer = nn.ModuleList([Block(config) for _ in range(config.layers)])
        self.post_norm = nn.LayerNorm(config.dim)
        self.head = nn.Parameter(torch.zeros(config.dim, config.dim_projected))

    def forward(self, pixels: Tensor) -> Tensor:
        """Take `3 h w`; give `s d`, the class token first."""
        patches = rearrange(self.patch_embedding(pixels), "d h w -> (h w) d")
        tokens = self.pre_norm(torch.cat([self.cls_embedding[0], patches]) + self.pos_embedding[0])
        for block in self.transformer[:-1]:
            tokens = block(tokens)
        return tokens  # type: ignore[no-any-return]


class Block(nn.Module):
    """One layer, norms first."""

    def __init__(self, config: ImageConfig) -> None:
        super().__init__()
        hidden = config.dim * config.mlp_ratio
        self.norm1 = nn.LayerNorm(config.dim)
        self.attn = Attention(config)
        self.norm2 = nn.LayerNorm(config.dim)
        self.mlp = nn.Sequential(nn.Linear(config.dim, hidden), nn.GELU(), nn.Linear(hidden, config.dim))

    def forward(self, tokens: Tensor) -> Tensor:
        """Take and give `s d`."""
        tokens = tokens + self.attn(self.norm1(tokens))
        return tokens + self.mlp(self.norm2(tokens))  # type: ignore[no-any-return]


class Attention(nn.Module):
    """Attention among all tokens."""

    def __init__(self, config: ImageConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.to_qkv = nn.Linear(config.dim, 3 * config.dim)
        self.proj = nn.Linear(config.dim, config.dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Take and give `s d`."""
        q, k, v = rearrange(self.to_qkv(tokens), "s (three h d) -> three 1 h s d", three=3, h=self.heads)
        return self.proj(rearrange(F.scaled_dot_product_attention(q, k, v), "1 h s d -> s (h d)"))  # type: ignore[no-any-return]
