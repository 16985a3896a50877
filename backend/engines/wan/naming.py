# SPDX-License-Identifier: GPL-3.0-or-later
"""Other names for the same tensors, as tables from each naming in the wild to the native keys; and whose file it is.

Namings: native (with or without a prefix), diffusers, transformers (which repackagings for other tools use, too), and
that of llama.cpp for the text encoder.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from .keys import Kind, Shape

PREFIXES = (
    "model.diffusion_model.",
    "diffusion_model.",
    "base_model.model.",
    "first_stage_model.",
    "text_encoders.umt5xxl.transformer.",
    "text_encoder.",
    "transformer.",
    "image_encoder.",
    "pipe.dit.",
    "module.",
    "model.",
    "vae.",
)
"""What files put before every key. Taken off where most keys have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a file's tensor belongs: a native key, or one of `parts` equal slices of its first axis, from the top."""

    key: str
    part: int = 0
    parts: int = 1
    transposed: bool = False


Rule = tuple[str, str | Callable[[re.Match[str]], str]]
"""A pattern and what replaces it, as of `re.sub`. Of a table the first that fits counts."""

_DIFFUSERS_DIT: tuple[Rule, ...] = (
    (r"^condition_embedder\.time_embedder\.linear_1\.", r"time_embedding.0."),
    (r"^condition_embedder\.time_embedder\.linear_2\.", r"time_embedding.2."),
    (r"^condition_embedder\.text_embedder\.linear_1\.", r"text_embedding.0."),
    (r"^condition_embedder\.text_embedder\.linear_2\.", r"text_embedding.2."),
    (r"^condition_embedder\.time_proj\.", r"time_projection.1."),
    (r"^condition_embedder\.image_embedder\.norm1\.", r"img_emb.proj.0."),
    (r"^condition_embedder\.image_embedder\.ff\.net\.0\.proj\.", r"img_emb.proj.1."),
    (r"^condition_embedder\.image_embedder\.ff\.net\.2\.", r"img_emb.proj.3."),
    (r"^condition_embedder\.image_embedder\.norm2\.", r"img_emb.proj.4."),
    (r"^scale_shift_table$", r"head.modulation"),
    (r"^proj_out\.", r"head.head."),
    (r"^(blocks\.\d+)\.scale_shift_table$", r"\1.modulation"),
    (r"^(blocks\.\d+)\.ffn\.net\.0\.proj\.", r"\1.ffn.0."),
    (r"^(blocks\.\d+)\.ffn\.net\.2\.", r"\1.ffn.2."),
    (r"^(blocks\.\d+)\.norm2\.", r"\1.norm3."),  # the norm with weights: the two namings swap norm2 and norm3
    (r"^(blocks\.\d+)\.attn1\.to_out\.0\.", r"\1.self_attn.o."),
    (r"^(blocks\.\d+)\.attn1\.(?:to_)?", r"\1.self_attn."),
    (r"^(blocks\.\d+)\.attn2\.to_out\.0\.", r"\1.cross_attn.o."),
    (r"^(blocks\.\d+)\.attn2\.add_([kv])_proj\.", r"\1.cross_attn.\2_img."),
    (r"^(blocks\.\d+)\.attn2\.norm_added_k\.", r"\1.cross_attn.norm_k_img."),
    (r"^(blocks\.\d+)\.attn2\.(?:to_)?", r"\1.cross_attn."),
    (r"^motion_encoder\.conv_in\.weight$", r"motion_encoder.enc.net_app.convs.0.0.weight"),
    (r"^motion_encoder\.conv_in\.act_fn\.bias$", r"motion_encoder.enc.net_app.convs.0.1.bias"),
    (r"^motion_encoder\.res_blocks\.(\d+)\.conv1\.weight$", lambda m: _level(m) + ".conv1.0.weight"),
    (r"^motion_encoder\.res_blocks\.(\d+)\.conv1\.act_fn\.bias$", lambda m: _level(m) + ".conv1.1.bias"),
    (r"^motion_encoder\.res_blocks\.(\d+)\.conv2\.weight$", lambda m: _level(m) + ".conv2.1.weight"),
    (r"^motion_encoder\.res_blocks\.(\d+)\.conv2\.act_fn\.bias$", lambda m: _level(m) + ".conv2.2.bias"),
    (r"^motion_encoder\.res_blocks\.(\d+)\.conv_skip\.weight$", lambda m: _level(m) + ".skip.1.weight"),
    (r"^motion_encoder\.motion_network\.", r"motion_encoder.enc.fc."),
    (r"^motion_encoder\.motion_synthesis_weight$", r"motion_encoder.dec.direction.weight"),
    (r"^face_encoder\.(conv1_local|conv2|conv3)\.(?!conv\.)", r"face_encoder.\1.conv."),
    (r"^face_adapter\.(\d+)\.to_q\.", r"face_adapter.fuser_blocks.\1.linear1_q."),
    (r"^face_adapter\.(\d+)\.to_out\.", r"face_adapter.fuser_blocks.\1.linear2."),
    (r"^face_adapter\.(\d+)\.norm_([qk])\.", r"face_adapter.fuser_blocks.\1.\2_norm."),
)

_DIFFUSERS_VAE: tuple[Rule, ...] = (
    (r"^quant_conv\.", r"conv1."),
    (r"^post_quant_conv\.", r"conv2."),
    (r"^(encoder|decoder)\.conv_in\.", r"\1.conv1."),
    (r"^(encoder|decoder)\.norm_out\.", r"\1.head.0."),
    (r"^(encoder|decoder)\.conv_out\.", r"\1.head.2."),
    (r"^(encoder|decoder)\.mid_block\.attentions\.0\.", r"\1.middle.1."),
    (r"^(encoder|decoder)\.mid_block\.resnets\.(\d)\.", lambda m: f"{m[1]}.middle.{2 * int(m[2])}."),
    (r"^encoder\.down_blocks\.(\d+)\.", r"encoder.downsamples.\1."),
    (r"^decoder\.up_blocks\.(\d+)\.resnets\.(\d+)\.", lambda m: f"decoder.upsamples.{4 * int(m[1]) + int(m[2])}."),
    (r"^decoder\.up_blocks\.(\d+)\.upsamplers\.0\.", lambda m: f"decoder.upsamples.{4 * int(m[1]) + 3}."),
)

_DIFFUSERS_RESIDUAL: tuple[Rule, ...] = (
    (r"\.norm1\.", r".residual.0."),
    (r"(?<!coder)\.conv1\.", r".residual.2."),
    (r"\.norm2\.", r".residual.3."),
    (r"(?<!coder)\.conv2\.", r".residual.6."),
    (r"\.conv_shortcut\.", r".shortcut."),
)
"""Inside a residual block of the VAE, after the table above has said which block it is."""

_TRANSFORMERS_TEXT: tuple[Rule, ...] = (
    (r"^(?:shared|encoder\.embed_tokens)\.", r"token_embedding."),
    (r"^encoder\.final_layer_norm\.", r"norm."),
    (r"^encoder\.block\.(\d+)\.layer\.0\.layer_norm\.", r"blocks.\1.norm1."),
    (
        r"^encoder\.block\.(\d+)\.layer\.0\.SelfAttention\.relative_attention_bias\.",
        r"blocks.\1.pos_embedding.embedding.",
    ),
    (r"^encoder\.block\.(\d+)\.layer\.0\.SelfAttention\.", r"blocks.\1.attn."),
    (r"^encoder\.block\.(\d+)\.layer\.1\.layer_norm\.", r"blocks.\1.norm2."),
    (r"^encoder\.block\.(\d+)\.layer\.1\.DenseReluDense\.wi_0\.", r"blocks.\1.ffn.gate.0."),
    (r"^encoder\.block\.(\d+)\.layer\.1\.DenseReluDense\.wi_1\.", r"blocks.\1.ffn.fc1."),
    (r"^encoder\.block\.(\d+)\.layer\.1\.DenseReluDense\.wo\.", r"blocks.\1.ffn.fc2."),
)

_LLAMA_TEXT: tuple[Rule, ...] = (
    (r"^token_embd\.", r"token_embedding."),
    (r"^enc\.output_norm\.", r"norm."),
    (r"^enc\.blk\.(\d+)\.attn_norm\.", r"blocks.\1.norm1."),
    (r"^enc\.blk\.(\d+)\.attn_rel_b\.", r"blocks.\1.pos_embedding.embedding."),
    (r"^enc\.blk\.(\d+)\.attn_([qkvo])\.", r"blocks.\1.attn.\2."),
    (r"^enc\.blk\.(\d+)\.ffn_norm\.", r"blocks.\1.norm2."),
    (r"^enc\.blk\.(\d+)\.ffn_gate\.", r"blocks.\1.ffn.gate.0."),
    (r"^enc\.blk\.(\d+)\.ffn_up\.", r"blocks.\1.ffn.fc1."),
    (r"^enc\.blk\.(\d+)\.ffn_down\.", r"blocks.\1.ffn.fc2."),
)

_TRANSFORMERS_IMAGE: tuple[Rule, ...] = (
    (r"^embeddings\.class_embedding$", r"visual.cls_embedding"),
    (r"^embeddings\.position_embedding\.weight$", r"visual.pos_embedding"),
    (r"^embeddings\.patch_embedding\.", r"visual.patch_embedding."),
    (r"^pre_layrnorm\.", r"visual.pre_norm."),  # the library's own spelling
    (r"^post_layernorm\.", r"visual.post_norm."),
    (r"^visual_projection\.weight$", r"visual.head"),
    (r"^encoder\.layers\.(\d+)\.layer_norm([12])\.", r"visual.transformer.\1.norm\2."),
    (r"^encoder\.layers\.(\d+)\.self_attn\.out_proj\.", r"visual.transformer.\1.attn.proj."),
    (r"^encoder\.layers\.(\d+)\.mlp\.fc1\.", r"visual.transformer.\1.mlp.0."),
    (r"^encoder\.layers\.(\d+)\.mlp\.fc2\.", r"visual.transformer.\1.mlp.2."),
)

_IGNORED = {
    Kind.DIT: r".*\.kernel",  # constant, and made anew
    Kind.VAE: r"(?!)",
    Kind.TEXT: r"spiece_model|encoder\.embed_tokens\.weight|decoder\..*|lm_head\..*",
    Kind.TINY_VAE: r"encoder\..*",  # previews decode only
    Kind.IMAGE: r"textual\..*|text_model\..*|text_projection\..*|log_scale|logit_scale|.*position_ids",
}
"""What a file may hold beside its network."""


def without_prefix(names: Iterable[str]) -> dict[str, str]:
    """Give each name of a file without what stands before most of them."""
    kept = {name: name for name in names}
    for prefix in PREFIXES:
        if sum(name.startswith(prefix) for name in kept.values()) * 2 > len(kept):
            return {file_name: name.removeprefix(prefix) for file_name, name in kept.items()}
    return kept


def places(kind: Kind, names: Iterable[str]) -> dict[str, Place | None]:
    """Say where each tensor of a file belongs, whatever its naming. None: not part of the network, and may be there."""
    bare = without_prefix(names)
    ignored = re.compile(_IGNORED[kind])
    both = "encoder.embed_tokens.weight" in bare.values() and "shared.weight" not in bare.values()
    found: dict[str, Place | None] = {}
    for file_name, name in bare.items():
        skipped = ignored.fullmatch(name) and not (both and name == "encoder.embed_tokens.weight")
        found[file_name] = None if skipped else _PLACED[kind](name)
    return _with_last_level(found) if kind is Kind.DIT else found


def dit_place(name: str) -> Place:
    """Say where a tensor of the transformer belongs, by its native or its diffusers name."""
    halves = re.fullmatch(r"face_adapter\.(\d+)\.to_([kv])\.(.+)", name)
    if halves:
        key = f"face_adapter.fuser_blocks.{halves[1]}.linear1_kv.{halves[3]}"
        return Place(key=key, part="kv".index(halves[2]), parts=2)
    return Place(key=_renamed(name, _DIFFUSERS_DIT))


def diffusers_modules(layers: int, adapters: int) -> set[str]:
    """Name the modules with a matrix that diffusers' transformer has: what its LoRAs change."""
    embedder = "condition_embedder"
    outside = ["time_embedder.linear_1", "time_embedder.linear_2", "text_embedder.linear_1", "text_embedder.linear_2"]
    outside += ["time_proj", "image_embedder.ff.net.0.proj", "image_embedder.ff.net.2"]
    attention = ("to_q", "to_k", "to_v", "to_out.0")
    inside = [f"attn{number}.{linear}" for number in (1, 2) for linear in attention]
    inside += ["attn2.add_k_proj", "attn2.add_v_proj", "ffn.net.0.proj", "ffn.net.2"]
    blocks = {f"blocks.{index}.{module}" for index in range(layers) for module in inside}
    faces = {f"face_adapter.{index}.{linear}" for index in range(adapters) for linear in (*attention[:3], "to_out")}
    return {"proj_out"} | {f"{embedder}.{module}" for module in outside} | blocks | faces


def _vae_place(name: str) -> Place:
    renamed = _renamed(name, _DIFFUSERS_VAE)
    inside = re.match(r"(encoder|decoder)\.(middle|downsamples|upsamples)\.", renamed)
    return Place(key=_renamed(renamed, _DIFFUSERS_RESIDUAL) if inside else renamed)


def _text_place(name: str) -> Place:
    return Place(key=_renamed(name, _TRANSFORMERS_TEXT + _LLAMA_TEXT))


def _image_place(name: str) -> Place:
    name = name.removeprefix("vision_model.")
    thirds = re.fullmatch(r"encoder\.layers\.(\d+)\.self_attn\.([qkv])_proj\.(.+)", name)
    if thirds:
        key = f"visual.transformer.{thirds[1]}.attn.to_qkv.{thirds[3]}"
        return Place(key=key, part="qkv".index(thirds[2]), parts=3)
    key = _renamed(name, _TRANSFORMERS_IMAGE)
    if re.match(r"(cls_embedding|pos_embedding|patch_embedding|(pre|post)_norm|transformer|head)\b", key):
        key = f"visual.{key}"  # files that hold the vision tower alone
    return Place(key=key, transposed=name == "visual_projection.weight")


_PLACED: Mapping[Kind, Callable[[str], Place]] = {
    Kind.DIT: dit_place,
    Kind.VAE: _vae_place,
    Kind.TEXT: _text_place,
    Kind.IMAGE: _image_place,
    Kind.TINY_VAE: lambda name: Place(key=name),
}


def _renamed(name: str, rules: tuple[Rule, ...]) -> str:
    for pattern, replacement in rules:
        renamed, count = re.subn(pattern, replacement, name, count=1)
        if count:
            return renamed
    return name


def _level(match: re.Match[str]) -> str:
    """Name a level of the motion encoder: natively, the convolution before the first is counted, too."""
    return f"motion_encoder.enc.net_app.convs.{int(match[1]) + 1}"


def _with_last_level(found: dict[str, Place | None]) -> dict[str, Place | None]:
    """Give the motion encoder's last convolution, `conv_out` in diffusers, its number: one after the levels."""
    levels = (re.match(r"motion_encoder\.enc\.net_app\.convs\.(\d+)\.", place.key) for place in found.values() if place)
    last = Place(
        key=f"motion_encoder.enc.net_app.convs.{1 + max((int(m[1]) for m in levels if m), default=7)}.weight",
    )
    return {
        name: last if place and place.key == "motion_encoder.conv_out.weight" else place
        for name, place in found.items()
    }


_OTHERS: tuple[tuple[str, str], ...] = (
    (r"(^|\.)lora_|\.lora[._](A|B|down|up)", "a LoRA"),
    (r"^face_adapter\.", Kind.DIT),
    (r"^patch_embedding_mask\.", "SCAIL-2"),
    (r"^patch_embedding_pose\.", "SCAIL"),
    (r"^vace_", "Wan VACE"),
    (r"^(casual_audio_encoder|audio_injector)\.", "Wan S2V"),
    (r"^audio_proj\.", "a Wan model driven by sound"),
    (r"^control_adapter\.", "Wan Fun Camera"),
    (r"^ref_conv\.", "Wan Fun Control"),
    (r"^blocks\.\d+\.self_attn\.to_q\.", "Wan-Animate-2"),
    (r"^(img_emb|condition_embedder\.image_embedder)\.", "Wan 2.1 I2V or Wan-Animate-2, which have the same tensors"),
    (r"^(time_projection|condition_embedder\.time_proj)\.", "another Wan model, from text or from a picture"),
    (r"^decoder\.(middle|mid_block|upsamples)\b", Kind.VAE),
    (r"^decoder\.\d+\.conv\.0\.", Kind.TINY_VAE),
    (r"pos_embedding\.embedding\.|relative_attention_bias|attn_rel_b\.", Kind.TEXT),
    (r"^(visual|vision_model)\.|^embeddings\.class_embedding$|^cls_embedding$", Kind.IMAGE),
    (r"^double_blocks\.|^single_blocks\.", "FLUX or HunyuanVideo"),
    (r"^(input_blocks|down_blocks|joint_blocks)\.", "Stable Diffusion"),
)
"""Of the patterns the first that fits any tensor's name tells what a file is."""


def recognise(names: Iterable[str], shapes: Mapping[str, Shape], facts: str = "") -> str:
    """Say what a file holds: a `Kind`, or another model in words.

    shapes: by the file's names. facts: what else tells, such as the file's own description, its name, its folder's
    config; Wan-Animate-2 has the tensors of Wan 2.1 I2V, and tiny VAEs of several models have the same, so that only
    these tell them.
    """
    bare = without_prefix(names)
    fits = (model for pattern, model in _OTHERS if any(re.search(pattern, name) for name in bare.values()))
    model = next(fits, "no model that is known here")
    if model.startswith("Wan 2.1 I2V"):
        return "Wan-Animate-2" if re.search(r"animate[-_ ]?2", facts.lower()) else model
    if model is Kind.TINY_VAE:
        return model if re.search(r"(?<!light)taew2_1", facts.lower()) else "a tiny VAE for another model's latents"
    if model is Kind.VAE:
        inner = next((shapes[f] for f, n in bare.items() if n in ("conv2.weight", "post_quant_conv.weight")), (16,))
        return model if inner[0] == 16 else f"a VAE with {inner[0]} channels, such as that of Wan 2.2 TI2V"
    return model
