# SPDX-License-Identifier: GPL-3.0-or-later
"""The umT5 text encoder and its tokenizer. Attributes are called as in the native checkpoint."""

from __future__ import annotations

import html
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ftfy
import torch
from einops import rearrange
from sentencepiece import SentencePieceProcessor
from torch import Tensor, nn

from ...contract.errors import FileMissingError, UnderstudyError
from .precision import RMSNorm

PROMPT = "视频中的人在做动作"
"""What the model was trained to hear for every clip: the person in the video is performing actions."""

NEGATIVE_PROMPT = (
    "色调艳丽，过曝，静态，细节模糊不清，字幕，风格，作品，画作，画面，静止，整体发灰，最差质量，低质量，JPEG压缩残留，"
    "丑陋的，残缺的，多余的手指，画得不好的手部，画得不好的脸部，畸形的，毁容的，形态畸形的肢体，手指融合，"
    "静止不动的画面，杂乱的背景，三条腿，背景人很多，倒着走"
)
"""What guidance leads away from."""

LENGTH_TOKENS = 512
_PAD, _END = 0, 1
_END_PIECE = "</s>"
_EPS = 1e-6


class TokenizerError(UnderstudyError):
    """A file is not the tokenizer of umT5."""

    hint = "Choose the file spiece.model that belongs to umt5-xxl, or a text encoder's file that has it inside."

    def __init__(self, source: str, found: str) -> None:
        super().__init__(f"The tokenizer in {source} can't be used: {found}.")
        self.source, self.found = source, found


class Tokenizer:
    """Text to numbers by the artist's own sentencepiece model. `load` makes one."""

    def __init__(self, pieces: SentencePieceProcessor) -> None:
        self._pieces = pieces

    @classmethod
    def load(cls, source: Path | bytes) -> Tokenizer:
        """Read the model's file or its bytes (what text encoders of ComfyUI hold as the tensor `spiece_model`).

        Raises FileMissingError, and TokenizerError where it is none, or one whose end is not token 1.
        """
        if isinstance(source, Path) and not source.is_file():
            raise FileMissingError(source, "tokenizer")
        name = str(source) if isinstance(source, Path) else "the text encoder's file"
        try:
            pieces = SentencePieceProcessor(model_proto=source.read_bytes() if isinstance(source, Path) else source)
        except (RuntimeError, ValueError) as error:
            raise TokenizerError(name, "it is not a sentencepiece model") from error
        if pieces.piece_to_id(_END_PIECE) != _END:
            raise TokenizerError(name, f"its token {_END} is not {_END_PIECE}")
        return cls(pieces)

    def encode(self, text: str) -> tuple[Tensor, Tensor]:
        """Give 512 token numbers, ended by 1 and filled by 0, and a mask that is 1 up to the end token; both int64."""
        tokens = [*self._pieces.encode(clean(text))[: LENGTH_TOKENS - 1], _END]
        ids = torch.full((LENGTH_TOKENS,), _PAD)
        ids[: len(tokens)] = torch.tensor(tokens)
        return ids, (torch.arange(LENGTH_TOKENS) < len(tokens)).long()


def clean(text: str) -> str:
    """Mend broken Unicode, resolve HTML entities (twice, for those that were escaped twice), collapse whitespace."""
    return " ".join(html.unescape(html.unescape(ftfy.fix_text(text))).split())


@dataclass(frozen=True, slots=True, kw_only=True)
class TextConfig:
    """Sizes of the text encoder; the defaults are umT5-xxl's."""

    vocabulary: int = 256_384
    dim: int = 4096
    dim_attention: int = 4096
    dim_ffn: int = 10_240
    heads: int = 64
    layers: int = 24
    buckets: int = 32
    max_distance: int = 128


class TextEncoder(nn.Module):
    """The encoder of umT5. It computes in the dtype of its weights: bfloat16 or float32, for float16 overflows.

    `before` is told the key prefix of the block that is about to run; one told of earlier is done with. The embedding,
    a fifth of the weights, of which a few rows are read, may lie on the CPU while the rest is elsewhere.
    """

    def __init__(self, config: TextConfig | None = None) -> None:
        super().__init__()
        self.config = config or TextConfig()
        self.before: Callable[[str], None] = lambda _: None
        self.token_embedding = nn.Embedding(self.config.vocabulary, self.config.dim)
        self.blocks = nn.ModuleList([Block(self.config) for _ in range(self.config.layers)])
        self.norm = RMSNorm(self.config.dim, _EPS)

    @torch.inference_mode()
    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Encode the tokens whose mask is 1, `n`; give `n d`. Padding is not computed: nothing would see it."""
        own = ids[: int(mask.sum())].to(self.token_embedding.weight.device)
        tokens = self.token_embedding(own).to(self.norm.weight.device)
        for index, block in enumerate(self.blocks):
            self.before(f"blocks.{index}")
            tokens = block(tokens)
        return self.norm(tokens)  # type: ignore[no-any-return]


class Block(nn.Module):
    """One layer: each has its own table of relative positions."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.norm1 = RMSNorm(config.dim, _EPS)
        self.attn = Attention(config)
        self.norm2 = RMSNorm(config.dim, _EPS)
        self.ffn = FeedForward(config)
        self.pos_embedding = PositionBias(config)

    def forward(self, tokens: Tensor) -> Tensor:
        """Take and give `n d`."""
        tokens = tokens + self.attn(self.norm1(tokens), self.pos_embedding(len(tokens)))
        return tokens + self.ffn(self.norm2(tokens))  # type: ignore[no-any-return]


class Attention(nn.Module):
    """Attention whose scores are not divided by the root of the width, plus a bias."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.q = nn.Linear(config.dim, config.dim_attention, bias=False)
        self.k = nn.Linear(config.dim, config.dim_attention, bias=False)
        self.v = nn.Linear(config.dim, config.dim_attention, bias=False)
        self.o = nn.Linear(config.dim_attention, config.dim, bias=False)

    def forward(self, tokens: Tensor, bias: Tensor) -> Tensor:
        """Take and give `n d`; bias: `heads n n`. The softmax is float32."""
        q, k, v = (rearrange(to(tokens), "n (h d) -> h n d", h=self.heads) for to in (self.q, self.k, self.v))
        weights = ((q @ rearrange(k, "h n d -> h d n")) + bias).float().softmax(dim=-1).to(v.dtype)
        return self.o(rearrange(weights @ v, "h n d -> n (h d)"))  # type: ignore[no-any-return]


class FeedForward(nn.Module):
    """Two linears, the first gated."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.gate = nn.Sequential(nn.Linear(config.dim, config.dim_ffn, bias=False), nn.GELU(approximate="tanh"))
        self.fc1 = nn.Linear(config.dim, config.dim_ffn, bias=False)
        self.fc2 = nn.Linear(config.dim_ffn, config.dim, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Take and give `n d`."""
        return self.fc2(self.fc1(tokens) * self.gate(tokens))  # type: ignore[no-any-return]


class PositionBias(nn.Module):
    """What each head adds to a score for the distance from query to key, by bucket of distances (Raffel et al. 2020).

    Half of the buckets are for keys behind, half for keys ahead. Of each half, half are one distance each, and the rest
    grow by a constant factor up to `max_distance`.
    """

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.max_distance = config.max_distance
        self.embedding = nn.Embedding(config.buckets, config.heads)

    def forward(self, count: int) -> Tensor:
        """Give `heads n n`, query before key."""
        places = torch.arange(count, device=self.embedding.weight.device)
        ahead = places[None, :] - places[:, None]
        return rearrange(self.embedding(self._bucket(ahead)), "q k h -> h q k")  # type: ignore[no-any-return]

    def _bucket(self, ahead: Tensor) -> Tensor:
        half = self.embedding.num_embeddings // 2
        exact = half // 2
        distance = ahead.abs()
        growth = torch.log(distance.clamp(min=1) / exact) / math.log(self.max_distance / exact)
        far = (exact + growth * (half - exact)).long().clamp(max=half - 1)
        return torch.where(distance < exact, distance, far) + half * (ahead > 0)
