# SPDX-License-Identifier: GPL-3.0-or-later
"""LoRAs against PEFT, in every naming, on plain and on quantised weights."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor, nn

from backend.engines.wan.containers import CheckpointUnreadableError
from backend.engines.wan.keys import DitSizes, Kind
from backend.engines.wan.lora import LoraUnfitError, open_lora, unmatched_keys, with_loras
from backend.engines.wan.weights import Checkpoint, open_checkpoint

from . import checkpoints as small
from .vectors import weight

KEY = "blocks.3.self_attn.q.weight"
MODULE = KEY.removesuffix(".weight")
RANK = 4


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    path = tmp_path_factory.mktemp("base") / "model.safetensors"
    return open_checkpoint(small.write_safetensors(path, small.tensors(Kind.DIT)), Kind.DIT)


def exact(base: Tensor, *terms: tuple[float, Tensor, Tensor]) -> Tensor:
    """Add s B A in float64."""
    total = base.double()
    for strength, high, low in terms:
        total = total + strength * high.double().flatten(1).matmul(low.double().flatten(1)).reshape(base.shape)
    return total


def pair(name: str, rows: int = 256, columns: int = 256) -> tuple[Tensor, Tensor]:
    """Draw factors A and B."""
    return weight(1, f"{name}.A.weight", (RANK, columns)), weight(1, f"{name}.B.weight", (rows, RANK))


def test_a_file_and_its_configuration_from_peft_merge_as_peft_merges_them(base: Checkpoint, tmp_path: Path) -> None:
    torch.manual_seed(0)
    loras, theirs = [], blocks(base)
    for name, alpha in (("first", 8), ("second", 3)):
        config = LoraConfig(r=RANK, lora_alpha=alpha, target_modules=["q", "k", "v", "o"], init_lora_weights=False)
        model: Any = get_peft_model(blocks(base), config)
        model.save_pretrained(tmp_path / name)
        loras.append((open_lora(tmp_path / name), 1.0))
        difference = model.merge_and_unload().state_dict()
        plain = blocks(base).state_dict()
        theirs.load_state_dict({key: theirs.state_dict()[key] + difference[key] - plain[key] for key in plain})
    ours = with_loras(base, loras)
    for key, expected in theirs.state_dict().items():
        assert (ours.tensor(key, torch.float32) - expected).abs().max() <= 1e-6


def blocks(base: Checkpoint) -> nn.Module:
    """Make modules by the model's names, with a part of its weights."""
    made = nn.Module()
    made.blocks = nn.ModuleList(
        nn.ModuleDict({"self_attn": nn.ModuleDict({x: nn.Linear(256, 256) for x in "qkvo"})}) for _ in range(4)
    )
    made.load_state_dict({key: base.tensor(key, torch.float32) for key in made.state_dict()})
    return made


NAMES: dict[str, tuple[str, str]] = {
    "native": (f"{MODULE}.lora_A.weight", f"{MODULE}.lora_B.weight"),
    "for other tools": (f"diffusion_model.{MODULE}.lora_down.weight", f"diffusion_model.{MODULE}.lora_up.weight"),
    "long prefix": (f"model.diffusion_model.{MODULE}.lora_A.weight", f"model.diffusion_model.{MODULE}.lora_B.weight"),
    "of a pipeline": (f"pipe.dit.{MODULE}.lora_A.default.weight", f"pipe.dit.{MODULE}.lora_B.default.weight"),
    "peft": (f"base_model.model.{MODULE}.lora_A.weight", f"base_model.model.{MODULE}.lora_B.weight"),
    "peft, in training": (f"{MODULE}.lora_A.default.weight", f"{MODULE}.lora_B.default.weight"),
    "diffusers": ("transformer.blocks.3.attn1.to_q.lora_A.weight", "transformer.blocks.3.attn1.to_q.lora_B.weight"),
    "diffusers, old": ("blocks.3.attn1.to_q.lora.down.weight", "blocks.3.attn1.to_q.lora.up.weight"),
    "underscores": ("lora_unet_blocks_3_self_attn_q.lora_down.weight", "lora_unet_blocks_3_self_attn_q.lora_up.weight"),
    "two underscores": (
        "lora_unet__blocks_3_self_attn_q.lora_down.weight",
        "lora_unet__blocks_3_self_attn_q.lora_up.weight",
    ),
    "underscores, diffusers": (
        "lora_unet_blocks_3_attn1_to_q.lora_down.weight",
        "lora_unet_blocks_3_attn1_to_q.lora_up.weight",
    ),
}


@pytest.mark.parametrize("naming", NAMES)
def test_every_naming_reaches_the_same_weight(naming: str, base: Checkpoint, tmp_path: Path) -> None:
    low, high = pair(KEY)
    names = NAMES[naming]
    lora = open_lora(small.write_safetensors(tmp_path / "lora.safetensors", {names[0]: low, names[1]: high}))
    assert lora.unmatched == () == unmatched_keys(base, lora)
    changed = with_loras(base, [(lora, 0.7)])
    expected = exact(base.tensor(KEY, torch.float32), (0.7, high, low))
    assert (changed.tensor(KEY, torch.float32) - expected).abs().max() <= 1e-5
    assert [key for key in base.tensors if changed.tensors[key] is not base.tensors[key]] == [KEY]


NATIVE_TO_DIFFUSERS = {
    "self_attn.o": "attn1.to_out.0",
    "cross_attn.k": "attn2.to_k",
    "cross_attn.k_img": "attn2.add_k_proj",
    "cross_attn.v_img": "attn2.add_v_proj",
    "ffn.0": "ffn.net.0.proj",
    "ffn.2": "ffn.net.2",
}


@pytest.mark.parametrize("native", NATIVE_TO_DIFFUSERS)
@pytest.mark.parametrize("underscored", [False, True])
def test_the_modules_of_diffusers_reach_the_native_ones(
    native: str, underscored: bool, base: Checkpoint, tmp_path: Path
) -> None:
    module = f"blocks.2.{NATIVE_TO_DIFFUSERS[native]}"
    written = f"lora_unet_{module.replace('.', '_')}" if underscored else f"transformer.{module}"
    shape = base.tensors[f"blocks.2.{native}.weight"].shape
    low, high = pair(native, *shape)
    content = {f"{written}.lora_down.weight": low, f"{written}.lora_up.weight": high}
    lora = open_lora(small.write_safetensors(tmp_path / "lora.safetensors", content))
    changed = with_loras(base, [(lora, 1.0)]).tensor(f"blocks.2.{native}.weight", torch.float32)
    expected = exact(base.tensor(f"blocks.2.{native}.weight", torch.float32), (1.0, high, low))
    assert (changed - expected).abs().max() <= 1e-5


def test_keys_and_values_that_diffusers_splits_change_their_halves(base: Checkpoint, tmp_path: Path) -> None:
    low, high = pair("v")
    content = {"face_adapter.1.to_v.lora_A.weight": low, "face_adapter.1.to_v.lora_B.weight": high}
    lora = open_lora(small.write_safetensors(tmp_path / "lora.safetensors", content))
    key = "face_adapter.fuser_blocks.1.linear1_kv.weight"
    before, after = base.tensor(key, torch.float32), with_loras(base, [(lora, 1.0)]).tensor(key, torch.float32)
    assert torch.equal(after[:256], before[:256])
    assert (after[256:] - exact(before[256:], (1.0, high, low))).abs().max() <= 1e-5


def test_alpha_over_rank_scales_the_product(base: Checkpoint, tmp_path: Path) -> None:
    low, high = pair(KEY)
    content = {
        f"{MODULE}.lora_down.weight": low,
        f"{MODULE}.lora_up.weight": high,
        f"{MODULE}.alpha": torch.tensor(1.0),
    }
    lora = open_lora(small.write_safetensors(tmp_path / "lora.safetensors", content))
    changed = with_loras(base, [(lora, 2.0)]).tensor(KEY, torch.float32)
    expected = exact(base.tensor(KEY, torch.float32), (2.0 / RANK, high, low))
    assert (changed - expected).abs().max() <= 1e-5
    assert lora.unmatched == ()


WHOLE = {
    "blocks.3.self_attn.q.diff": KEY,
    "blocks.3.self_attn.q.diff_b": "blocks.3.self_attn.q.bias",
    "blocks.3.norm3.diff": "blocks.3.norm3.weight",
    "blocks.3.norm3.diff_b": "blocks.3.norm3.bias",
    "blocks.3.diff_m": "blocks.3.modulation",
    "patch_embedding.diff": "patch_embedding.weight",
    "head.head.diff_b": "head.head.bias",
    "img_emb.proj.0.diff": "img_emb.proj.0.weight",
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_difference_is_added_at_its_strength(name: str, base: Checkpoint, tmp_path: Path) -> None:
    before = base.tensor(WHOLE[name], torch.float32)
    difference = torch.randn(before.shape, generator=torch.Generator().manual_seed(2))
    path = small.write_safetensors(tmp_path / "lora.safetensors", {f"diffusion_model.{name}": difference})
    changed = with_loras(base, [(open_lora(path), 0.5)]).tensor(WHOLE[name], torch.float32)
    assert (changed - (before.double() + 0.5 * difference.double())).abs().max() <= 1e-6


def test_a_convolution_changes_by_a_pair_too(base: Checkpoint, tmp_path: Path) -> None:
    low, high = torch.randn(RANK, 36, 1, 2, 2), torch.randn(256, RANK, 1, 1, 1)
    content = {"patch_embedding.lora_down.weight": low, "patch_embedding.lora_up.weight": high}
    lora = open_lora(small.write_safetensors(tmp_path / "lora.safetensors", content))
    changed = with_loras(base, [(lora, 1.0)]).tensor("patch_embedding.weight", torch.float32)
    assert (changed - exact(base.tensor("patch_embedding.weight", torch.float32), (1.0, high, low))).abs().max() <= 1e-5


def test_the_released_relighting_lora_changes_every_matrix_of_the_blocks(base: Checkpoint, tmp_path: Path) -> None:
    lora = open_lora(small.write_safetensors(tmp_path / "adapter_model.safetensors", small.relighting()))
    changed = with_loras(base, [(lora, 1.0)])
    keys = {key for key in base.tensors if changed.tensors[key] is not base.tensors[key]}
    inside = {key for key in base.tensors if key.startswith("blocks.")}
    matrices = {key for key in inside if key.endswith(".weight") and len(base.tensors[key].shape) == 2}
    assert keys == matrices
    assert len(keys) == 12 * 10


def test_its_pickled_twin_opens_without_running_anything(base: Checkpoint, tmp_path: Path) -> None:
    content = {key.removeprefix("base_model.model."): value for key, value in small.relighting().items()}
    content = {key.replace(".weight", ".default.weight"): value for key, value in content.items()}
    torch.save({"state_dict": content}, tmp_path / "relighting_lora.ckpt")
    assert len(open_lora(tmp_path / "relighting_lora.ckpt").changes) == 12 * 10


def test_strength_zero_changes_nothing(base: Checkpoint, tmp_path: Path) -> None:
    lora = open_lora(small.write_safetensors(tmp_path / "lora.safetensors", small.relighting()))
    changed = with_loras(base, [(lora, 0.0)])
    assert torch.equal(changed.tensor(KEY, torch.float32), base.tensor(KEY, torch.float32))


def test_the_file_itself_is_never_changed(base: Checkpoint, tmp_path: Path) -> None:
    before = base.tensor(KEY, torch.float32).clone()
    lora = open_lora(small.write_safetensors(tmp_path / "lora.safetensors", small.relighting()))
    with_loras(base, [(lora, 1.0)]).tensor(KEY, torch.float32)
    assert torch.equal(base.tensor(KEY, torch.float32), before)


# On quantised weights.


def scaled(path: Path) -> Checkpoint:
    return open_checkpoint(small.write_safetensors(path, small.in_scaled_fp8(small.tensors(Kind.DIT))), Kind.DIT)


def packed(path: Path) -> Checkpoint:
    small.write_gguf(path, small.tensors(Kind.DIT), "Q4_K")
    return open_checkpoint(path, Kind.DIT)


HALF_UNIT = {torch.float32: (0.0, 0.0), torch.bfloat16: (2**-8, 0.0), torch.float16: (2**-11, 2**-25)}
"""Of the number, and where it is tiny."""


@pytest.mark.parametrize("dtype", HALF_UNIT, ids=str)
@pytest.mark.parametrize("opened", [scaled, packed])
def test_on_quantised_weights_the_error_is_within_the_stated_bound(
    opened: Callable[[Path], Checkpoint], dtype: torch.dtype, tmp_path: Path
) -> None:
    base = opened(tmp_path / "model")
    content = small.relighting()
    lora = open_lora(small.write_safetensors(tmp_path / "lora.safetensors", content))
    key = "blocks.7.ffn.2.weight"
    low, high = (content[f"base_model.model.blocks.7.ffn.2.lora_{factor}.weight"] for factor in "AB")
    before = base.tensor(key, torch.float32)
    expected = exact(before, (1.5, high, low), (-0.5, high, low))
    magnitudes = exact(before.abs(), (1.5, high.abs(), low.abs()), (0.5, high.abs(), low.abs()))
    relative, absolute = HALF_UNIT[dtype]
    bound = relative * expected.abs() + absolute + (2 * RANK + 3) * 2**-24 * magnitudes
    error = with_loras(base, [(lora, 1.5), (lora, -0.5)]).tensor(key, dtype).double() - expected
    assert bool((error.abs() <= bound).all())


# What does not fit.


def test_keys_that_mean_nothing_are_reported(
    base: Checkpoint, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    low, high = pair(KEY)
    content = {f"{MODULE}.lora_A.weight": low, f"{MODULE}.lora_B.weight": high}
    content |= {"blocks.40.self_attn.q.lora_A.weight": low + 1, "blocks.40.self_attn.q.lora_B.weight": high + 1}
    content |= {"text_model.layers.0.hada_w1_a": low + 2, "blocks.1.self_attn.k.lora_A.weight": low + 3}
    lora = open_lora(small.write_safetensors(tmp_path / "lora.safetensors", content))
    assert set(unmatched_keys(base, lora)) == {
        "text_model.layers.0.hada_w1_a",
        "blocks.1.self_attn.k.lora_A.weight",
        "blocks.40.self_attn.q.weight",
    }
    with caplog.at_level(logging.WARNING):
        with_loras(base, [(lora, 1.0)])
    assert "3 keys of lora.safetensors fit nothing" in caplog.text


def test_a_lora_for_another_model_is_refused(base: Checkpoint, tmp_path: Path) -> None:
    low, high = pair(KEY)
    content = {"double_blocks.0.img_attn.lora_A.weight": low, "double_blocks.0.img_attn.lora_B.weight": high}
    lora = open_lora(small.write_safetensors(tmp_path / "lora.safetensors", content))
    with pytest.raises(LoraUnfitError, match="none of its names"):
        with_loras(base, [(lora, 1.0)])


def test_a_lora_of_other_shapes_is_refused_with_both(base: Checkpoint, tmp_path: Path) -> None:
    low, high = pair(KEY, columns=300)
    content = {f"{MODULE}.lora_A.weight": low, f"{MODULE}.lora_B.weight": high}
    lora = open_lora(small.write_safetensors(tmp_path / "lora.safetensors", content))
    with pytest.raises(LoraUnfitError, match=r"expected \[256, 256\], found \[256, 300\]"):
        with_loras(base, [(lora, 1.0)])


def test_what_is_no_lora_is_refused(tmp_path: Path) -> None:
    path = small.write_safetensors(tmp_path / "lora.safetensors", {"conv.weight": torch.zeros(1)})
    with pytest.raises(LoraUnfitError, match="no pair of factors"):
        open_lora(path)


def test_dora_is_refused_by_name(tmp_path: Path) -> None:
    small.write_safetensors(tmp_path / "adapter_model.safetensors", small.relighting())
    (tmp_path / "adapter_config.json").write_text('{"use_dora": true}', "utf-8")
    with pytest.raises(CheckpointUnreadableError, match="DoRA"):
        open_lora(tmp_path)


def test_the_released_relighting_lora_has_its_stated_size() -> None:
    sizes = DitSizes()
    table = small.relighting_shapes(rank=128, layers=sizes.layers, dim=sizes.dim, ffn_dim=sizes.ffn_dim)
    assert len(table) == 960
    assert sum(torch.Size(shape).numel() for shape in table.values()) == 718_274_560
