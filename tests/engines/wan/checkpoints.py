# SPDX-License-Identifier: GPL-3.0-or-later
"""Small checkpoints in every naming and container of the wild: real keys, random numbers.

The names of diffusers come from diffusers' own conversion, so that they are not this engine's idea of them.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path

import gguf
import numpy as np
import sentencepiece
import torch
from diffusers.loaders.single_file_utils import convert_wan_transformer_to_diffusers, convert_wan_vae_to_diffusers
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor

from backend.engines.wan.keys import DitSizes, ImageSizes, Kind, Sizes, TextSizes, TinyVaeSizes, VaeSizes

from .vectors import weight

Tensors = Mapping[str, Tensor]

TINY: dict[Kind, Sizes] = {
    Kind.DIT: DitSizes(
        dim=256,
        ffn_dim=512,
        layers=10,
        text_dim=64,
        image_dim=160,
        face_dim=64,
        motion_channels=(8, 8, 16, 16, 32, 32, 32, 32),
    ),
    Kind.VAE: VaeSizes(dim=16),
    Kind.TEXT: TextSizes(vocab=320, dim=64, dim_attn=64, ffn_dim=128, heads=4, layers=3),
    Kind.IMAGE: ImageSizes(dim=160, ffn_dim=640, layers=3, out_dim=64),
}
"""What the tests load: the transformer has two face adapters, heads are as wide as the real ones."""

FILES = {
    Kind.TEXT: "models_t5_umt5-xxl-enc-bf16.pth",
    Kind.IMAGE: "models_clip_open-clip-xlm-roberta-large-vit-huge-14.pth",
    Kind.VAE: "Wan2.1_VAE.pth",
}
"""As in the released folder."""

FP8 = (".self_attn.", ".cross_attn.", ".ffn.", "SelfAttention", "DenseReluDense")
"""What repackagings quantise: the matrices of the blocks."""


def tensors(kind: Kind, sizes: Sizes | None = None, seed: int = 1) -> dict[str, Tensor]:
    """Draw a network by native key, float32, scaled so that activations stay near one."""
    table = (sizes or TINY[kind]).table()
    return {key: weight(seed, key, shape) for key, shape in table.items()}


def tiny_vae(seed: int = 3) -> dict[str, Tensor]:
    """Draw the tiny VAE in the one size it has, with two tensors of its encoder, which is not read."""
    drawn = {key: weight(seed, key, shape) for key, shape in TinyVaeSizes().table().items()}
    return drawn | {"encoder.0.weight": torch.zeros(64, 3, 3, 3), "encoder.4.conv.0.bias": torch.zeros(64)}


def in_diffusers_names(kind: Kind, native: Tensors) -> dict[str, Tensor]:
    """Rename as folders of diffusers have it; text and image encoders there are those of transformers."""
    match kind:
        case Kind.DIT:
            return dict(convert_wan_transformer_to_diffusers(_with_eight_levels(native)))
        case Kind.VAE:
            return dict(convert_wan_vae_to_diffusers(dict(native)))
        case Kind.TEXT:
            return {_text_name(key): value for key, value in native.items()}
        case _:
            return _image_names(native)


def _with_eight_levels(native: Tensors) -> dict[str, Tensor]:
    """Check that diffusers' table, which knows a motion encoder of eight levels only, applies."""
    assert "motion_encoder.enc.net_app.convs.8.weight" in native
    return dict(native)


_TEXT_PARTS = {
    "norm1": "layer.0.layer_norm",
    "norm2": "layer.1.layer_norm",
    "attn.q": "layer.0.SelfAttention.q",
    "attn.k": "layer.0.SelfAttention.k",
    "attn.v": "layer.0.SelfAttention.v",
    "attn.o": "layer.0.SelfAttention.o",
    "pos_embedding.embedding": "layer.0.SelfAttention.relative_attention_bias",
    "ffn.gate.0": "layer.1.DenseReluDense.wi_0",
    "ffn.fc1": "layer.1.DenseReluDense.wi_1",
    "ffn.fc2": "layer.1.DenseReluDense.wo",
}

_LLAMA_PARTS = {
    "norm1": "attn_norm",
    "norm2": "ffn_norm",
    "attn.q": "attn_q",
    "attn.k": "attn_k",
    "attn.v": "attn_v",
    "attn.o": "attn_o",
    "pos_embedding.embedding": "attn_rel_b",
    "ffn.gate.0": "ffn_gate",
    "ffn.fc1": "ffn_up",
    "ffn.fc2": "ffn_down",
}


def _text_name(key: str) -> str:
    outside = {"token_embedding.weight": "shared.weight", "norm.weight": "encoder.final_layer_norm.weight"}
    if key in outside:
        return outside[key]
    _, index, rest = key.removesuffix(".weight").split(".", 2)
    return f"encoder.block.{index}.{_TEXT_PARTS[rest]}.weight"


def in_llama_names(native: Tensors) -> dict[str, Tensor]:
    """Rename a text encoder as llama.cpp's conversion does."""
    named = {}
    for key, value in native.items():
        outside = {"token_embedding.weight": "token_embd.weight", "norm.weight": "enc.output_norm.weight"}
        if key in outside:
            named[outside[key]] = value
        else:
            _, index, rest = key.removesuffix(".weight").split(".", 2)
            named[f"enc.blk.{index}.{_LLAMA_PARTS[rest]}.weight"] = value
    return named


def _image_names(native: Tensors) -> dict[str, Tensor]:
    named = {
        "vision_model.embeddings.class_embedding": native["visual.cls_embedding"].flatten(),
        "vision_model.embeddings.position_embedding.weight": native["visual.pos_embedding"][0],
        "vision_model.embeddings.patch_embedding.weight": native["visual.patch_embedding.weight"],
        "visual_projection.weight": native["visual.head"].T.contiguous(),
    }
    outside = {"visual.pre_norm": "pre_layrnorm", "visual.post_norm": "post_layernorm"}
    inside = {"norm1": "layer_norm1", "norm2": "layer_norm2", "attn.proj": "self_attn.out_proj"}
    inside |= {"mlp.0": "mlp.fc1", "mlp.2": "mlp.fc2"}
    for key, value in native.items():
        module, ending = key.rsplit(".", 1)
        if module in outside:
            named[f"vision_model.{outside[module]}.{ending}"] = value
        elif module.startswith("visual.transformer."):
            index, rest = module.removeprefix("visual.transformer.").split(".", 1)
            layer = f"vision_model.encoder.layers.{index}"
            if rest == "attn.to_qkv":
                thirds = {f"{layer}.self_attn.{x}_proj.{ending}": y for x, y in zip("qkv", value.chunk(3), strict=True)}
                named |= {name: third.contiguous() for name, third in thirds.items()}
            else:
                named[f"{layer}.{inside[rest]}.{ending}"] = value
    return named


def prefixed(native: Tensors, prefix: str = "model.diffusion_model.") -> dict[str, Tensor]:
    """Put something before every key."""
    return {prefix + key: value for key, value in native.items()}


def in_fp8(native: Tensors) -> dict[str, Tensor]:
    """Round the blocks' matrices to eight bits, the rest to 16, without scales."""
    return {
        key: value.to(torch.float8_e4m3fn if _is_block_matrix(key, value) else torch.bfloat16)
        for key, value in native.items()
    }


def in_scaled_fp8(native: Tensors, *, suffix: str = ".scale_weight", rows: bool = False) -> dict[str, Tensor]:
    """Round the blocks' matrices to eight bits with scales, one a matrix or one a row."""
    written: dict[str, Tensor] = {}
    for key, value in native.items():
        if not _is_block_matrix(key, value):
            written[key] = value.to(torch.float16)
            continue
        scale = (value.abs().amax(1, keepdim=True) if rows else value.abs().max()).float() / 448
        written[key] = (value / scale).to(torch.float8_e4m3fn)
        module = key.removesuffix(".weight")
        written[module + suffix] = scale
        if suffix == ".scale_weight":
            written[f"{module}.scale_input"] = torch.tensor(0.5)
        else:
            written[f"{module}.comfy_quant"] = torch.tensor(list(b'{"format": "float8_e4m3fn"}'), dtype=torch.uint8)
    if suffix == ".scale_weight":
        written["scaled_fp8"] = torch.zeros(2, dtype=torch.float8_e4m3fn)
    return written


def _is_block_matrix(key: str, value: Tensor) -> bool:
    return value.ndim == 2 and key.endswith(".weight") and any(part in key for part in FP8)


def write_safetensors(path: Path, content: Tensors, facts: dict[str, str] | None = None) -> Path:
    """Write one file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({key: value.contiguous() for key, value in content.items()}, path, facts)
    return path


def write_shards(folder: Path, content: Tensors, parts: int, stem: str = "diffusion_pytorch_model") -> Path:
    """Write a checkpoint in several files with their index, which is returned."""
    names = sorted(content)
    weight_map: dict[str, str] = {}
    for index in range(parts):
        file = f"{stem}-{index + 1:05d}-of-{parts:05d}.safetensors"
        own = names[index::parts]
        write_safetensors(folder / file, {name: content[name] for name in own})
        weight_map |= dict.fromkeys(own, file)
    path = folder / f"{stem}.safetensors.index.json"
    path.write_text(json.dumps({"metadata": {}, "weight_map": weight_map}), "utf-8")
    return path


def write_gguf(path: Path, content: Tensors, kind: str, architecture: str = "wan") -> dict[str, Tensor]:
    """Write a GGUF file, matrices whose rows are whole blocks packed, and give what the gguf package reads back.

    For the K types, into which the package cannot pack, the packed bytes are random.
    """
    packed_type = gguf.GGMLQuantizationType[kind]
    block_size, _ = gguf.GGML_QUANT_SIZES[packed_type]
    writer = gguf.GGUFWriter(path, architecture)
    expected = {}
    for key, value in content.items():
        numbers = value.float().numpy()
        if value.ndim == 2 and value.shape[1] % block_size == 0:
            packed = _packed(numbers, packed_type)
            writer.add_tensor(key, packed, raw_dtype=packed_type)
            numbers = gguf.dequantize(packed, packed_type)
        else:
            writer.add_tensor(key, numbers)
        expected[key] = torch.from_numpy(numbers.copy()).reshape(value.shape)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return expected


_HALVES = {"Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,)}
"""Where the half-precision numbers of a block lie, which must not be infinite."""


def _packed(numbers: NDArray[np.float32], kind: gguf.GGMLQuantizationType) -> NDArray[np.uint8]:
    if kind.name not in _HALVES:
        packed: NDArray[np.uint8] = gguf.quantize(numbers, kind)
        return packed
    rows, columns = numbers.shape
    size, width = gguf.GGML_QUANT_SIZES[kind]
    random = np.random.default_rng(rows * columns)
    blocks = random.integers(0, 256, (rows * columns // size, width), dtype=np.uint8)
    for first in _HALVES[kind.name]:
        scales = (random.normal(size=len(blocks)) * 1e-4).astype(np.float16)
        blocks[:, first : first + 2] = scales[:, None].view(np.uint8)
    return blocks.reshape(rows, -1)


def write_pth(path: Path, content: Tensors) -> Path:
    """Write a file of torch."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(dict(content), path)
    return path


def vocabulary() -> bytes:
    """Train a small sentencepiece model whose special tokens have umT5's numbers: padding 0, end 1, unknown 2."""
    words = (
        "the",
        "person",
        "in",
        "video",
        "is",
        "performing",
        "actions",
        "视频中的人在做动作",
        "through",
        "an",
        "alley",
    )
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([" ".join((*words[i:], *words[:i])) for i in range(len(words))] * 20),
        model_writer=model,
        vocab_size=300,
        hard_vocab_limit=False,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        minloglevel=2,
    )
    return model.getvalue()


def relighting_shapes(*, rank: int, layers: int, dim: int, ffn_dim: int) -> dict[str, tuple[int, ...]]:
    """List the released relighting LoRA's tensors: of every matrix of the blocks, no alpha."""
    shapes = {f"self_attn.{x}": (dim, dim) for x in ("q", "k", "v", "o")}
    shapes |= {f"cross_attn.{x}": (dim, dim) for x in ("q", "k", "v", "o", "k_img", "v_img")}
    shapes |= {"ffn.0": (ffn_dim, dim), "ffn.2": (dim, ffn_dim)}
    listed: dict[str, tuple[int, ...]] = {}
    for index in range(layers):
        for module, (rows, columns) in shapes.items():
            key = f"base_model.model.blocks.{index}.{module}"
            listed[f"{key}.lora_A.weight"] = (rank, columns)
            listed[f"{key}.lora_B.weight"] = (rows, rank)
    return listed


def relighting(seed: int = 5) -> dict[str, Tensor]:
    """Draw a relighting LoRA for the small transformer, of rank 4."""
    shapes = relighting_shapes(rank=4, layers=10, dim=256, ffn_dim=512)
    return {key: weight(seed, key, shape) * 0.3 for key, shape in shapes.items()}


def write_models_folder(folder: Path) -> Path:
    """Write all that the engine needs, laid out and named as the released folder, and give the folder back."""
    sizes = TINY[Kind.DIT]
    assert isinstance(sizes, DitSizes)
    write_shards(folder, {key: value.bfloat16() for key, value in tensors(Kind.DIT).items()}, parts=4)
    config = {"model_type": "animate", "dim": sizes.dim, "ffn_dim": sizes.ffn_dim, "num_heads": sizes.heads}
    config |= {"num_layers": sizes.layers, "in_dim": sizes.in_dim, "out_dim": sizes.out_dim, "text_dim": sizes.text_dim}
    (folder / "config.json").write_text(json.dumps(config, indent=2), "utf-8")
    write_pth(folder / FILES[Kind.TEXT], {key: value.bfloat16() for key, value in tensors(Kind.TEXT).items()})
    textual = {"textual.token_embedding.weight": torch.zeros(8, 4), "log_scale": torch.zeros(())}
    write_pth(folder / FILES[Kind.IMAGE], tensors(Kind.IMAGE) | textual)
    write_pth(folder / FILES[Kind.VAE], tensors(Kind.VAE))
    tokenizer = folder / "google" / "umt5-xxl" / "spiece.model"
    tokenizer.parent.mkdir(parents=True)
    tokenizer.write_bytes(vocabulary())
    write_safetensors(folder / "relighting_lora" / "adapter_model.safetensors", relighting())
    adapter = {"peft_type": "LORA", "r": 4, "lora_alpha": 4, "target_modules": ["q", "k", "v", "o"]}
    (folder / "relighting_lora" / "adapter_config.json").write_text(json.dumps(adapter), "utf-8")
    return folder
