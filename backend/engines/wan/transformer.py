# SPDX-License-Identifier: GPL-3.0-or-later
"""The diffusion transformer of Wan 2.2 Animate: from noisy latents to the direction in which the noise leaves them.

What stays the same over all steps is computed before the first: what the text and the character's picture offer to
each block (once a job), and faces, pose and places (once a window). Names of parameters are the checkpoint's keys.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, cast

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional

from .attention import Attend, KeysValues, Rotation, attend, rotated, rotation, spans
from .eight_bit import Linear
from .face import FaceAdapter, FaceConfig, FaceEncoder, MotionEncoder, with_reference
from .precision import Float32LayerNorm, Float32Linear, RMSNorm

PATCH = (1, 2, 2)
FACES_AT_ONCE = 8
CHUNK_TOKENS = 8192
IMAGE_EPS = 1e-5
TIME_BASE = 10_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerConfig:
    """Sizes of the transformer; those of the 14B model unless said otherwise."""

    dim: int = 5120
    ffn_dim: int = 13824
    heads: int = 40
    layers: int = 40
    latent_channels: int = 16
    condition_channels: int = 20
    text_dim: int = 4096
    text_tokens: int = 512
    image_dim: int = 1280
    frequency_dim: int = 256
    adapter_every: int = 5
    """A face block follows the first of every so many blocks."""
    eps: float = 1e-6
    face: FaceConfig = field(default_factory=FaceConfig)

    @property
    def head_dim(self) -> int:
        """Channels of one head."""
        return self.dim // self.heads


class BlockContext(NamedTuple):
    """What text and character's picture offer to the tokens of one block."""

    text: KeysValues
    image: KeysValues


@dataclass(frozen=True, slots=True)
class Context:
    """What text and character's picture offer to each block; the same for the whole job."""

    blocks: tuple[BlockContext, ...]


@dataclass(frozen=True, slots=True)
class Faces:
    """What the faces of a window offer to the tokens, for each face block: keys and values `f n k d`."""

    blocks: tuple[KeysValues, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """What stays the same over the steps of a window, beside `Context`."""

    condition: Tensor
    """`20 f h w`: mask and latents of what is known."""
    pose: Tensor
    """`s dim`: what the tokens of all latent frames but the first, the reference, get on top."""
    faces: Faces
    rotation: Rotation


@dataclass(frozen=True, slots=True)
class Step:
    """What all blocks of one step share."""

    time: Tensor
    """`6 dim` float32: shift, scale and gate of attention, then of the feed-forward network."""
    rotation: Rotation
    dtype: torch.dtype
    """In which matrices and attention compute."""
    chunk_tokens: int
    attend: Attend


class SelfAttention(nn.Module):
    """Every token looks at every token; queries and keys are normalised over all heads together."""

    def __init__(self, dim: int, heads: int, eps: float) -> None:
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.o = (Linear(dim, dim) for _ in range(4))
        self.norm_q, self.norm_k = RMSNorm(dim, eps), RMSNorm(dim, eps)

    def keys_values(self, tokens: Tensor, by: Rotation) -> KeysValues:
        """Say what `s dim` offer: `s n d`, keys turned by their place."""
        keys, values = (_per_head(x, self.heads) for x in (self.norm_k(self.k(tokens)), self.v(tokens)))
        return KeysValues(rotated(keys, by), values)

    def forward(self, tokens: Tensor, by: Rotation, seen: KeysValues, attend: Attend) -> Tensor:
        """Let `s dim` look at `seen`, `1 n k d`."""
        queries = rotated(_per_head(self.norm_q(self.q(tokens)), self.heads), by)
        taken: Tensor = self.o(_joined(attend(rearrange(queries, "s n d -> 1 n s d"), *seen)))
        return taken


class CrossAttention(nn.Module):
    """Tokens look at the text and, apart from it, at the character's picture; what they find is added."""

    def __init__(self, dim: int, heads: int, eps: float) -> None:
        super().__init__()
        self.heads = heads
        self.q, self.o = (Linear(dim, dim) for _ in range(2))
        self.k, self.v, self.k_img, self.v_img = (nn.Linear(dim, dim) for _ in range(4))
        self.norm_q, self.norm_k, self.norm_k_img = (RMSNorm(dim, eps) for _ in range(3))

    def context(self, text: Tensor, image: Tensor) -> BlockContext:
        """Say what text `k dim` and picture `k dim` offer."""
        offered = (
            (self.norm_k(self.k(text)), self.v(text)),
            (self.norm_k_img(self.k_img(image)), self.v_img(image)),
        )
        return BlockContext(
            *(KeysValues(*(rearrange(x, "k (n d) -> 1 n k d", n=self.heads) for x in pair)) for pair in offered)
        )

    def forward(self, tokens: Tensor, context: BlockContext) -> Tensor:
        """Let `s dim` look at the context."""
        queries = rearrange(self.norm_q(self.q(tokens)), "s (n d) -> 1 n s d", n=self.heads)
        taken: Tensor = self.o(_joined(attend(queries, *context.text) + attend(queries, *context.image)))
        return taken


class Block(nn.Module):
    """Self-attention, cross-attention and a feed-forward network; the first and the last are steered by the time."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.eps = config.eps
        self.modulation = nn.Parameter(torch.zeros(1, 6, config.dim))
        self.self_attn = SelfAttention(config.dim, config.heads, config.eps)
        self.norm3 = Float32LayerNorm(config.dim, eps=config.eps)
        self.cross_attn = CrossAttention(config.dim, config.heads, config.eps)
        self.ffn = nn.Sequential(
            Linear(config.dim, config.ffn_dim), nn.GELU("tanh"), Linear(config.ffn_dim, config.dim)
        )

    def forward(self, tokens: Tensor, context: BlockContext, step: Step) -> None:
        """Change `s dim`, float32, in place, a chunk at a time: only keys and values exist for all tokens at once."""
        shift_sa, scale_sa, gate_sa, shift_ff, scale_ff, gate_ff = self.modulation[0].float() + step.time
        seen = self._keys_values(tokens, shift_sa, scale_sa, step)
        for span in spans(len(tokens), step.chunk_tokens):
            part, by = tokens[span], _turn(step.rotation, span)
            steered = _modulated(part, shift_sa, scale_sa, self.eps).to(step.dtype)
            part.addcmul_(self.self_attn(steered, by, seen, step.attend), gate_sa)
            part += self.cross_attn(self.norm3(part).to(step.dtype), context)
            part.addcmul_(self.ffn(_modulated(part, shift_ff, scale_ff, self.eps).to(step.dtype)), gate_ff)

    def _keys_values(self, tokens: Tensor, shift: Tensor, scale: Tensor, step: Step) -> KeysValues:
        heads = self.self_attn.heads
        keys, values = (
            tokens.new_empty(len(tokens), heads, tokens.shape[-1] // heads, dtype=step.dtype) for _ in range(2)
        )
        for span in spans(len(tokens), step.chunk_tokens):
            steered = _modulated(tokens[span], shift, scale, self.eps).to(step.dtype)
            keys[span], values[span] = self.self_attn.keys_values(steered, _turn(step.rotation, span))
        return KeysValues(*(rearrange(x, "k n d -> 1 n k d") for x in (keys, values)))


class Head(nn.Module):
    """From tokens to the patches they stand for; steered by the time, in float32."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.eps = config.eps
        self.modulation = nn.Parameter(torch.zeros(1, 2, config.dim))
        self.head = Float32Linear(config.dim, math.prod(PATCH) * config.latent_channels)

    def forward(self, tokens: Tensor, time: Tensor) -> Tensor:
        """Map `s dim` to `s patch`, by the time's embedding `dim`."""
        shift, scale = self.modulation[0].float() + time
        patches: Tensor = self.head(_modulated(tokens, shift, scale, self.eps))
        return patches


class ImageEmbedding(nn.Module):
    """From what the image tower says of the character's picture to tokens of the transformer."""

    def __init__(self, image_dim: int, dim: int) -> None:
        super().__init__()
        self.proj = nn.Sequential(
            Float32LayerNorm(image_dim, eps=IMAGE_EPS),
            nn.Linear(image_dim, image_dim),
            nn.GELU(),
            nn.Linear(image_dim, dim),
            Float32LayerNorm(dim, eps=IMAGE_EPS),
        )

    def forward(self, image: Tensor, dtype: torch.dtype) -> Tensor:
        """Map `k image_dim` to `k dim`, matrices in `dtype`."""
        normalise, *layers, last = self.proj
        x: Tensor = normalise(image).to(dtype)
        for layer in layers:
            x = layer(x)
        embedded: Tensor = last(x)
        return embedded.to(dtype)


class Transformer(nn.Module):
    """The whole transformer with both adapters.

    It never learns: its parameters ask for no gradient. `stop` is asked, and `before` told the key prefix of the
    part that is about to run, before each block and each other large part; a part told of earlier is done with.
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.chunk_tokens = CHUNK_TOKENS
        self.attend: Attend = attend
        self.stop: Callable[[], None] = _nothing
        self.before: Callable[[str], None] = _ignore
        dim = config.dim
        channels = config.latent_channels + config.condition_channels
        self.patch_embedding = nn.Conv3d(channels, dim, PATCH, PATCH)
        self.pose_patch_embedding = nn.Conv3d(config.latent_channels, dim, PATCH, PATCH)
        self.text_embedding = nn.Sequential(nn.Linear(config.text_dim, dim), nn.GELU("tanh"), nn.Linear(dim, dim))
        self.time_embedding = nn.Sequential(
            Float32Linear(config.frequency_dim, dim), nn.SiLU(), Float32Linear(dim, dim)
        )
        self.time_projection = nn.Sequential(nn.SiLU(), Float32Linear(dim, 6 * dim))
        self.img_emb = ImageEmbedding(config.image_dim, dim)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.head = Head(config)
        self.motion_encoder = MotionEncoder(config.face)
        self.face_encoder = FaceEncoder(config.face, dim)
        self.face_adapter = FaceAdapter(dim, config.heads, -(-config.layers // config.adapter_every))
        self.requires_grad_(False)

    @property
    def dtype(self) -> torch.dtype:
        """In which matrices and attention compute: as the convolutions are kept, which are never packed."""
        return self.patch_embedding.weight.dtype

    @property
    def _blocks(self) -> tuple[Block, ...]:
        return tuple(cast(Block, block) for block in self.blocks)

    def encode_context(self, text: Tensor, image: Tensor) -> Context:
        """Compute what text `n text_dim` (at most 512 rows) and picture `257 image_dim` offer to each block.

        The text is filled up with rows of zeros, which are looked at like the others.
        """
        self._enter("text_embedding")
        padded = functional.pad(text.to(self.dtype), (0, 0, 0, self.config.text_tokens - len(text)))
        text = self.text_embedding(padded)
        self._enter("img_emb")
        image = self.img_emb(image, self.dtype)
        offered = []
        for index, block in enumerate(self._blocks):
            self._enter(f"blocks.{index}.cross_attn")
            offered.append(block.cross_attn.context(text, image))
        return Context(tuple(offered))

    def encode_faces(self, pixels: Tensor) -> Faces:
        """Compute what faces `3 t 512 512` of -1..1, t = 4n+1, offer to the tokens of n+2 latent frames."""
        self._enter("motion_encoder")
        motion = []
        for pictures in spans(pixels.shape[1], FACES_AT_ONCE):
            self.stop()
            motion.append(self.motion_encoder(rearrange(pixels[:, pictures], "c t h w -> t c h w").to(self.dtype)))
        self._enter("face_encoder")
        faces = with_reference(self.face_encoder(torch.cat(motion)))
        offered = []
        for index, block in enumerate(self.face_adapter.blocks):
            self._enter(f"face_adapter.fuser_blocks.{index}.linear1_kv")
            offered.append(block.keys_values(faces))
        return Faces(tuple(offered))

    def encode_window(self, pose_latents: Tensor, condition: Tensor, faces: Faces) -> Window:
        """Compute what stays the same over the steps of a window.

        pose_latents `16 f h w` of the drawn skeletons; condition `20 f+1 h w`: mask 4, known latents 16, the
        reference in front. Raises ValueError where frames do not belong together, or h or w is odd.
        """
        _check_window(pose_latents, condition, faces)
        pose = _patched(self.pose_patch_embedding, pose_latents.to(self.dtype))
        frames, height, width = condition.shape[1], condition.shape[2] // PATCH[1], condition.shape[3] // PATCH[2]
        places = rotation(frames, height, width, self.config.head_dim, condition.device)
        return Window(condition, pose, faces, places)

    def forward(self, x: Tensor, timestep: int, context: Context, window: Window) -> Tensor:
        """Say which way the noise leaves the latents `16 f+1 h w` at a timestep of 0..1000: velocity, float32."""
        time = self.time_embedding(_sinusoid(timestep, self.config.frequency_dim, x.device))
        steering = rearrange(self.time_projection(time), "(six dim) -> six dim", six=6)
        step = Step(steering, window.rotation, self.dtype, self.chunk_tokens, self.attend)
        tokens = self._tokens(x, window)
        for index, (block, heard) in enumerate(zip(self._blocks, context.blocks, strict=True)):
            self._enter(f"blocks.{index}")
            block(tokens, heard, step)
            if index % self.config.adapter_every == 0:
                self._add_faces(tokens, window.faces, index // self.config.adapter_every)
        patches = torch.cat([self.head(tokens[span], time) for span in spans(len(tokens), self.chunk_tokens)])
        _, _, h, w = x.shape
        p, q = PATCH[1:]
        return rearrange(patches, "(f h w) (p q c) -> c f (h p) (w q)", h=h // p, w=w // q, p=p, q=q)

    def _tokens(self, x: Tensor, window: Window) -> Tensor:
        """Cut latents and condition into tokens and add the pose to all but those of the reference."""
        tokens = _patched(self.patch_embedding, torch.cat([x, window.condition]).to(self.dtype))
        posed = tokens[len(tokens) - len(window.pose) :]
        for span in spans(len(posed), self.chunk_tokens):
            posed[span] += window.pose[span].to(posed.device)
        return tokens.float()

    def _add_faces(self, tokens: Tensor, faces: Faces, index: int) -> None:
        """Add what face block `index` says to the tokens, in place, some latent frames at a time."""
        self._enter(f"face_adapter.fuser_blocks.{index}")
        keys, values = faces.blocks[index]
        frame_tokens = len(tokens) // len(keys)
        for span in spans(len(keys), max(1, self.chunk_tokens // frame_tokens)):
            part = tokens[span.start * frame_tokens : span.stop * frame_tokens]
            part += self.face_adapter.blocks[index](part, KeysValues(keys[span], values[span]))

    def _enter(self, part: str) -> None:
        self.stop()
        self.before(part)


def _check_window(pose_latents: Tensor, condition: Tensor, faces: Faces) -> None:
    frames, height, width = condition.shape[1:]
    lengths = {frames, pose_latents.shape[1] + 1, *(len(keys) for keys, _ in faces.blocks)}
    if len(lengths) != 1:
        raise ValueError(f"Condition, pose and faces must have the same latent frames, not {sorted(lengths)}.")
    if height % PATCH[1] or width % PATCH[2]:
        raise ValueError(f"Height and width of the latents must be even, not {height} and {width}.")


def _patched(embedding: nn.Conv3d, latents: Tensor) -> Tensor:
    patches: Tensor = embedding(latents[None])
    return rearrange(patches, "1 c f h w -> (f h w) c").contiguous()


def _modulated(x: Tensor, shift: Tensor, scale: Tensor, eps: float) -> Tensor:
    """Bring the last axis of float32 to mean 0 and variance 1, then scale and shift it: one pass over the tokens."""
    return functional.layer_norm(x, x.shape[-1:], 1 + scale, shift, eps)


def _turn(by: Rotation, span: slice) -> Rotation:
    return Rotation(by.cos[span], by.sin[span])


def _per_head(x: Tensor, heads: int) -> Tensor:
    return rearrange(x, "s (n d) -> s n d", n=heads)


def _joined(x: Tensor) -> Tensor:
    return rearrange(x, "1 n s d -> s (n d)")


def _sinusoid(timestep: int, channels: int, device: torch.device) -> Tensor:
    """Embed a timestep: cosines, then sines.

    Angles are made in float64, in float32 they would be off by 3e-5, and on the CPU: not every device has such numbers.
    """
    half = channels // 2
    exponents = torch.arange(half, dtype=torch.float64, device="cpu") / half
    angles = timestep * TIME_BASE**-exponents
    return torch.cat([angles.cos(), angles.sin()]).float().to(device)


def _nothing() -> None:
    pass


def _ignore(part: str) -> None:
    pass
