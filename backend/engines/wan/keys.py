# SPDX-License-Identifier: GPL-3.0-or-later
"""What a checkpoint of each of the networks holds: every tensor by its native key, with its shape.

The native names are those of the released Wan 2.2 files, and those of this engine's modules. A network's sizes are
read off the shapes themselves, so that a small checkpoint made for tests opens by the same code as the real one.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

Shape = tuple[int, ...]
Table = dict[str, Shape]

ADAPTER_EVERY = 5
"""A face adapter follows blocks 0, 5, 10, ...: there are a fifth as many adapters as blocks."""

PATCH = (1, 2, 2)
"""What one token of the DiT covers: latent frames, rows, columns."""


class Kind(StrEnum):
    """The networks that the engine loads."""

    DIT = "transformer"
    VAE = "vae"
    TEXT = "text encoder"
    IMAGE = "image encoder"
    TINY_VAE = "tiny VAE"


@dataclass(frozen=True, slots=True, kw_only=True)
class DitSizes:
    """Sizes of the diffusion transformer with its face path. motion_channels: of the motion encoder's levels."""

    dim: int = 5120
    ffn_dim: int = 13824
    layers: int = 40
    head_dim: int = 128
    in_dim: int = 36
    out_dim: int = 16
    text_dim: int = 4096
    freq_dim: int = 256
    image_dim: int = 1280
    face_dim: int = 1024
    face_heads: int = 4
    motion_dim: int = 20
    motion_channels: tuple[int, ...] = (32, 64, 128, 256, 512, 512, 512, 512)

    @property
    def heads(self) -> int:
        """Attention heads of a block."""
        return self.dim // self.head_dim

    @property
    def adapters(self) -> int:
        """Face adapters."""
        return self.layers // ADAPTER_EVERY

    @property
    def face_px(self) -> int:
        """Side of the face crops: each level of the motion encoder halves it, down to 4."""
        return int(4 * 2 ** (len(self.motion_channels) - 1))

    def table(self) -> Table:
        """Every tensor by native key."""
        return _dit_table(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class VaeSizes:
    """Sizes of the video VAE: channels are dim times 1, 2, 4, 4 from the pixels inward."""

    dim: int = 96
    z_dim: int = 16

    def table(self) -> Table:
        """Every tensor by native key."""
        return _vae_table(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSizes:
    """Sizes of the umT5 encoder. dim_attn: heads times their width."""

    vocab: int = 256384
    dim: int = 4096
    dim_attn: int = 4096
    ffn_dim: int = 10240
    heads: int = 64
    layers: int = 24
    buckets: int = 32

    def table(self) -> Table:
        """Every tensor by native key."""
        return _text_table(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSizes:
    """Sizes of the CLIP vision tower. tokens: patches and one more."""

    dim: int = 1280
    ffn_dim: int = 5120
    layers: int = 32
    patch_px: int = 14
    tokens: int = 257
    out_dim: int = 1024
    head_dim: int = 80

    def table(self) -> Table:
        """Every tensor by native key."""
        return _image_table(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class TinyVaeSizes:
    """The decoder of the tiny VAE, which comes in one size. Its layers are numbered, those without weights too."""

    def table(self) -> Table:
        """Every tensor by native key."""
        return _tiny_vae_table()


Sizes = DitSizes | VaeSizes | TextSizes | ImageSizes | TinyVaeSizes


def measure(kind: Kind, shapes: Mapping[str, Shape]) -> Sizes:
    """Read a network's sizes off its tensors' shapes by native key.

    Where blocks repeat a tensor, most of them decide, so that one misshapen tensor is found out as such. A size that
    nothing tells is the real one.
    """
    match kind:
        case Kind.DIT:
            return _measured_dit(_Ruler(shapes))
        case Kind.VAE:
            ruler = _Ruler(shapes)
            return VaeSizes(
                dim=ruler.axis(r"encoder\.conv1\.(weight|bias)", 0, VaeSizes().dim),
                z_dim=ruler.axis(r"conv2\.(weight|bias)", 0, VaeSizes().z_dim),
            )
        case Kind.TEXT:
            return _measured_text(_Ruler(shapes))
        case Kind.IMAGE:
            return _measured_image(_Ruler(shapes))
        case Kind.TINY_VAE:
            return TinyVaeSizes()


class _Ruler:
    """Reads sizes off shapes."""

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self.shapes = shapes

    def axis(self, pattern: str, axis: int, otherwise: int) -> int:
        """Give the most common length of one axis among the tensors whose whole key fits the pattern."""
        fits = (shape for key, shape in self.shapes.items() if re.fullmatch(pattern, key))
        lengths = Counter(shape[axis] for shape in fits if -len(shape) <= axis < len(shape))
        return lengths.most_common(1)[0][0] if lengths else otherwise

    def patch_inputs(self, key: str, otherwise: int) -> int:
        """Give the input channels of a patch embedding, whose kernel may be folded into the second axis."""
        return math.prod(self.shapes[key][1:]) // math.prod(PATCH) if key in self.shapes else otherwise

    def count(self, pattern: str) -> int:
        """Count repeated parts by the highest number that the pattern's group finds."""
        found = (re.match(pattern, key) for key in self.shapes)
        return 1 + max((int(match[1]) for match in found if match), default=-1)


def _measured_dit(ruler: _Ruler) -> DitSizes:
    real = DitSizes()
    dim = ruler.axis(r"blocks\.\d+\.self_attn\.[qkvo]\.(weight|bias)", 0, real.dim)
    adapters = ruler.count(r"face_adapter\.fuser_blocks\.(\d+)\.")
    layers = max(ruler.count(r"blocks\.(\d+)\."), adapters * ADAPTER_EVERY, real.layers if dim == real.dim else 0)
    convs = r"motion_encoder\.enc\.net_app\.convs"
    levels = ruler.count(convs + r"\.(\d+)\.conv1\.") or len(real.motion_channels)
    face_dim = ruler.axis(r"face_encoder\.conv[23]\.conv\.(weight|bias)", 0, real.face_dim)
    return DitSizes(
        dim=dim,
        ffn_dim=ruler.axis(r"blocks\.\d+\.ffn\.0\.(weight|bias)", 0, real.ffn_dim),
        layers=-(-layers // ADAPTER_EVERY) * ADAPTER_EVERY,
        head_dim=ruler.axis(r"face_adapter\.fuser_blocks\.\d+\.[qk]_norm\.weight", 0, real.head_dim),
        in_dim=ruler.patch_inputs("patch_embedding.weight", real.in_dim),
        out_dim=ruler.patch_inputs("pose_patch_embedding.weight", real.out_dim),
        text_dim=ruler.axis(r"text_embedding\.0\.weight", 1, real.text_dim),
        freq_dim=ruler.axis(r"time_embedding\.0\.weight", 1, real.freq_dim),
        image_dim=ruler.axis(r"img_emb\.proj\.[01]\.(weight|bias)", 0, real.image_dim),
        face_dim=face_dim,
        face_heads=ruler.axis(r"face_encoder\.conv1_local\.conv\.(weight|bias)", 0, real.face_heads * face_dim)
        // face_dim,
        motion_dim=ruler.axis(r"motion_encoder\.enc\.fc\.4\.(weight|bias)", 0, real.motion_dim),
        motion_channels=tuple(
            ruler.axis(rf"{convs}\.{level}\.(0\.weight|conv2\.1\.weight|skip\.1\.weight)", 0, channels)
            for level, channels in zip(range(levels), _padded(real.motion_channels, levels), strict=True)
        ),
    )


def _padded(channels: tuple[int, ...], levels: int) -> tuple[int, ...]:
    return (channels + channels[-1:] * levels)[:levels]


def _measured_text(ruler: _Ruler) -> TextSizes:
    real = TextSizes()
    dim = ruler.axis(r"blocks\.\d+\.norm[12]\.weight", 0, real.dim)
    return TextSizes(
        vocab=ruler.axis(r"token_embedding\.weight", 0, real.vocab),
        dim=dim,
        dim_attn=ruler.axis(r"blocks\.\d+\.attn\.[qkv]\.weight", 0, real.dim_attn),
        ffn_dim=ruler.axis(r"blocks\.\d+\.ffn\.fc1\.weight", 0, real.ffn_dim),
        heads=ruler.axis(r"blocks\.\d+\.pos_embedding\.embedding\.weight", 1, real.heads),
        layers=max(ruler.count(r"blocks\.(\d+)\."), real.layers if dim == real.dim else 0),
        buckets=ruler.axis(r"blocks\.\d+\.pos_embedding\.embedding\.weight", 0, real.buckets),
    )


def _measured_image(ruler: _Ruler) -> ImageSizes:
    real = ImageSizes()
    dim = ruler.axis(r"visual\.transformer\.\d+\.norm[12]\.(weight|bias)", 0, real.dim)
    return ImageSizes(
        dim=dim,
        ffn_dim=ruler.axis(r"visual\.transformer\.\d+\.mlp\.0\.(weight|bias)", 0, real.ffn_dim),
        layers=max(ruler.count(r"visual\.transformer\.(\d+)\."), 1),
        patch_px=ruler.axis(r"visual\.patch_embedding\.weight", -1, real.patch_px),
        tokens=ruler.axis(r"visual\.pos_embedding", -2, real.tokens),
        out_dim=ruler.axis(r"visual\.head", 1, real.out_dim),
        head_dim=real.head_dim,
    )


def _linear(name: str, rows: int, columns: int) -> Table:
    return {f"{name}.weight": (rows, columns), f"{name}.bias": (rows,)}


def _conv(name: str, rows: int, columns: int, *kernel: int) -> Table:
    return {f"{name}.weight": (rows, columns, *kernel), f"{name}.bias": (rows,)}


def _norm(name: str, width: int) -> Table:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def _dit_table(s: DitSizes) -> Table:
    d = s.dim
    table = _conv("patch_embedding", d, s.in_dim, *PATCH) | _conv("pose_patch_embedding", d, s.out_dim, *PATCH)
    table |= _linear("text_embedding.0", d, s.text_dim) | _linear("text_embedding.2", d, d)
    table |= _linear("time_embedding.0", d, s.freq_dim) | _linear("time_embedding.2", d, d)
    table |= _linear("time_projection.1", 6 * d, d)
    table |= _norm("img_emb.proj.0", s.image_dim) | _linear("img_emb.proj.1", s.image_dim, s.image_dim)
    table |= _linear("img_emb.proj.3", d, s.image_dim) | _norm("img_emb.proj.4", d)
    for index in range(s.layers):
        table |= _block_table(f"blocks.{index}", d, s.ffn_dim)
    table |= {"head.modulation": (1, 2, d)} | _linear("head.head", s.out_dim * PATCH[1] * PATCH[2], d)
    return table | _motion_table(s) | _face_table(s)


def _block_table(block: str, d: int, ffn_dim: int) -> Table:
    table: Table = {f"{block}.modulation": (1, 6, d)} | _norm(f"{block}.norm3", d)
    for attention, linears, norms in (
        ("self_attn", ("q", "k", "v", "o"), ("norm_q", "norm_k")),
        ("cross_attn", ("q", "k", "v", "o", "k_img", "v_img"), ("norm_q", "norm_k", "norm_k_img")),
    ):
        for linear in linears:
            table |= _linear(f"{block}.{attention}.{linear}", d, d)
        table |= {f"{block}.{attention}.{norm}.weight": (d,) for norm in norms}
    return table | _linear(f"{block}.ffn.0", ffn_dim, d) | _linear(f"{block}.ffn.2", d, ffn_dim)


def _motion_table(s: DitSizes) -> Table:
    convs, channels = "motion_encoder.enc.net_app.convs", s.motion_channels
    table: Table = {f"{convs}.0.0.weight": (channels[0], 3, 1, 1), f"{convs}.0.1.bias": (1, channels[0], 1, 1)}
    for level, (inner, outer) in enumerate(pairwise(channels), start=1):
        table |= {
            f"{convs}.{level}.conv1.0.weight": (inner, inner, 3, 3),
            f"{convs}.{level}.conv1.1.bias": (1, inner, 1, 1),
            f"{convs}.{level}.conv2.0.kernel": (4, 4),
            f"{convs}.{level}.conv2.1.weight": (outer, inner, 3, 3),
            f"{convs}.{level}.conv2.2.bias": (1, outer, 1, 1),
            f"{convs}.{level}.skip.0.kernel": (4, 4),
            f"{convs}.{level}.skip.1.weight": (outer, inner, 1, 1),
        }
    width = channels[-1]
    table[f"{convs}.{len(channels)}.weight"] = (width, width, 4, 4)
    for index in range(5):
        table |= _linear(f"motion_encoder.enc.fc.{index}", s.motion_dim if index == 4 else width, width)
    return table | {"motion_encoder.dec.direction.weight": (width, s.motion_dim)}


def _face_table(s: DitSizes) -> Table:
    table: Table = {"face_encoder.padding_tokens": (1, 1, 1, s.dim)}
    table |= _conv("face_encoder.conv1_local.conv", s.face_heads * s.face_dim, s.motion_channels[-1], 3)
    table |= _conv("face_encoder.conv2.conv", s.face_dim, s.face_dim, 3)
    table |= _conv("face_encoder.conv3.conv", s.face_dim, s.face_dim, 3)
    table |= _linear("face_encoder.out_proj", s.dim, s.face_dim)
    for index in range(s.adapters):
        adapter = f"face_adapter.fuser_blocks.{index}"
        table |= _linear(f"{adapter}.linear1_kv", 2 * s.dim, s.dim) | _linear(f"{adapter}.linear1_q", s.dim, s.dim)
        table |= _linear(f"{adapter}.linear2", s.dim, s.dim)
        table |= {f"{adapter}.q_norm.weight": (s.head_dim,), f"{adapter}.k_norm.weight": (s.head_dim,)}
    return table


def _vae_table(s: VaeSizes) -> Table:
    d, z = s.dim, s.z_dim
    table = _conv("conv1", 2 * z, 2 * z, 1, 1, 1) | _conv("conv2", z, z, 1, 1, 1)
    table |= _conv("encoder.conv1", d, 3, 3, 3, 3) | _middle("encoder.middle", 4 * d)
    down = "encoder.downsamples"
    widths = {**dict.fromkeys((0, 1), (1, 1)), 3: (1, 2), 4: (2, 2), 6: (2, 4), **dict.fromkeys((7, 9, 10), (4, 4))}
    for index, (inner, outer) in widths.items():
        table |= _residual(f"{down}.{index}", inner * d, outer * d)
    for index, width in ((2, d), (5, 2 * d), (8, 4 * d)):
        table |= _conv(f"{down}.{index}.resample.1", width, width, 3, 3)
    for index, width in ((5, 2 * d), (8, 4 * d)):
        table |= _conv(f"{down}.{index}.time_conv", width, width, 3, 1, 1)
    table |= {"encoder.head.0.gamma": (4 * d, 1, 1, 1)} | _conv("encoder.head.2", 2 * z, 4 * d, 3, 3, 3)
    return table | _vae_decoder_table(d, z)


def _vae_decoder_table(d: int, z: int) -> Table:
    table = _conv("decoder.conv1", 4 * d, z, 3, 3, 3) | _middle("decoder.middle", 4 * d)
    up = "decoder.upsamples"
    widths = {**dict.fromkeys((0, 1, 2, 5, 6), (4, 4)), 4: (2, 4), **dict.fromkeys((8, 9, 10), (2, 2))}
    for index, (inner, outer) in (widths | dict.fromkeys((12, 13, 14), (1, 1))).items():
        table |= _residual(f"{up}.{index}", inner * d, outer * d)
    for index, width in ((3, 4 * d), (7, 4 * d), (11, 2 * d)):
        table |= _conv(f"{up}.{index}.resample.1", width // 2, width, 3, 3)
    for index, width in ((3, 4 * d), (7, 4 * d)):
        table |= _conv(f"{up}.{index}.time_conv", 2 * width, width, 3, 1, 1)
    return table | {"decoder.head.0.gamma": (d, 1, 1, 1)} | _conv("decoder.head.2", 3, d, 3, 3, 3)


def _residual(name: str, inner: int, outer: int) -> Table:
    table: Table = {f"{name}.residual.0.gamma": (inner, 1, 1, 1)} | _conv(f"{name}.residual.2", outer, inner, 3, 3, 3)
    table |= {f"{name}.residual.3.gamma": (outer, 1, 1, 1)} | _conv(f"{name}.residual.6", outer, outer, 3, 3, 3)
    return table | (_conv(f"{name}.shortcut", outer, inner, 1, 1, 1) if inner != outer else {})


def _middle(name: str, width: int) -> Table:
    table = _residual(f"{name}.0", width, width) | {f"{name}.1.norm.gamma": (width, 1, 1)}
    table |= _conv(f"{name}.1.to_qkv", 3 * width, width, 1, 1) | _conv(f"{name}.1.proj", width, width, 1, 1)
    return table | _residual(f"{name}.2", width, width)


def _tiny_vae_table() -> Table:
    table = _conv("decoder.1", 256, 16, 3, 3) | _conv("decoder.22", 3, 64, 3, 3)
    for first, inner, outer, times in ((3, 256, 128, 1), (9, 128, 64, 2), (15, 64, 64, 2)):
        for block in range(first, first + 3):
            table |= _conv(f"decoder.{block}.conv.0", inner, 2 * inner, 3, 3)
            table |= _conv(f"decoder.{block}.conv.2", inner, inner, 3, 3)
            table |= _conv(f"decoder.{block}.conv.4", inner, inner, 3, 3)
        table[f"decoder.{first + 4}.conv.weight"] = (times * inner, inner, 1, 1)
        table[f"decoder.{first + 5}.weight"] = (outer, inner, 3, 3)
    return table


def _text_table(s: TextSizes) -> Table:
    table: Table = {"token_embedding.weight": (s.vocab, s.dim), "norm.weight": (s.dim,)}
    for index in range(s.layers):
        block = f"blocks.{index}"
        table |= {f"{block}.{norm}.weight": (s.dim,) for norm in ("norm1", "norm2")}
        table |= {f"{block}.attn.{linear}.weight": (s.dim_attn, s.dim) for linear in "qkv"}
        table |= {
            f"{block}.attn.o.weight": (s.dim, s.dim_attn),
            f"{block}.ffn.gate.0.weight": (s.ffn_dim, s.dim),
            f"{block}.ffn.fc1.weight": (s.ffn_dim, s.dim),
            f"{block}.ffn.fc2.weight": (s.dim, s.ffn_dim),
            f"{block}.pos_embedding.embedding.weight": (s.buckets, s.heads),
        }
    return table


def _image_table(s: ImageSizes) -> Table:
    table: Table = {
        "visual.cls_embedding": (1, 1, s.dim),
        "visual.pos_embedding": (1, s.tokens, s.dim),
        "visual.patch_embedding.weight": (s.dim, 3, s.patch_px, s.patch_px),
        "visual.head": (s.dim, s.out_dim),
    }
    table |= _norm("visual.pre_norm", s.dim) | _norm("visual.post_norm", s.dim)
    for index in range(s.layers):
        block = f"visual.transformer.{index}"
        table |= _norm(f"{block}.norm1", s.dim) | _norm(f"{block}.norm2", s.dim)
        table |= _linear(f"{block}.attn.to_qkv", 3 * s.dim, s.dim) | _linear(f"{block}.attn.proj", s.dim, s.dim)
        table |= _linear(f"{block}.mlp.0", s.ffn_dim, s.dim) | _linear(f"{block}.mlp.2", s.dim, s.ffn_dim)
    return table
