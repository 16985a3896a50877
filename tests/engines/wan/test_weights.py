# SPDX-License-Identifier: GPL-3.0-or-later
"""Checkpoints in every naming and container open to the same numbers; damaged and foreign ones are named."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from backend.contract.errors import FileMissingError
from backend.engines.wan.containers import CheckpointDamagedError, CheckpointUnreadableError
from backend.engines.wan.keys import DitSizes, Kind
from backend.engines.wan.weights import WrongModelError, open_checkpoint

from . import checkpoints as small

Writer = Callable[[Path, dict[str, Tensor]], Path]


def native(kind: Kind) -> dict[str, Tensor]:
    return small.tensors(kind)


def one_file(path: Path, content: dict[str, Tensor]) -> Path:
    return small.write_safetensors(path / "model.safetensors", content)


def diffusers_folder(kind: Kind) -> Writer:
    inner = {Kind.DIT: "transformer", Kind.VAE: "vae", Kind.TEXT: "text_encoder", Kind.IMAGE: "image_encoder"}[kind]

    def write(path: Path, content: dict[str, Tensor]) -> Path:
        named = small.in_diffusers_names(kind, content)
        if kind is Kind.VAE:
            small.write_safetensors(path / inner / "diffusion_pytorch_model.safetensors", named)
        else:
            small.write_shards(path / inner, named, parts=3, stem="model")
        return path

    return write


def nested_pth(path: Path, content: dict[str, Tensor]) -> Path:
    torch.save({"epoch": 3, "state_dict": content}, path / "model.ckpt")
    return path / "model.ckpt"


WAYS: dict[str, Callable[[Kind], Writer]] = {
    "native": lambda kind: one_file,
    "prefixed": lambda kind: lambda path, content: one_file(path, small.prefixed(content)),
    "short prefix": lambda kind: lambda path, content: one_file(path, small.prefixed(content, "diffusion_model.")),
    "shards": lambda kind: lambda path, content: small.write_shards(path, content, parts=4),
    "diffusers": diffusers_folder,
    "renamed file": lambda kind: lambda path, content: one_file(path, small.in_diffusers_names(kind, content)),
    "torch": lambda kind: lambda path, content: small.write_pth(path / "model.pth", content),
    "torch, nested": lambda kind: nested_pth,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", small.TINY)
def test_every_naming_and_container_gives_the_same_numbers(kind: Kind, way: str, tmp_path: Path) -> None:
    content = native(kind)
    opened = open_checkpoint(WAYS[way](kind)(tmp_path, content), kind)
    assert set(opened.tensors) == set(content)
    assert opened.sizes == small.TINY[kind]
    for key, value in content.items():
        if not key.endswith(".kernel"):
            assert torch.equal(opened.tensor(key, torch.float32), value), key


def test_the_blur_kernels_are_the_constant_whatever_the_file_says(tmp_path: Path) -> None:
    opened = open_checkpoint(one_file(tmp_path, native(Kind.DIT)), Kind.DIT)
    kernel = opened.tensor("motion_encoder.enc.net_app.convs.3.skip.0.kernel", torch.float32)
    line = torch.tensor([0.125, 0.375, 0.375, 0.125])
    assert torch.equal(kernel, line[:, None] * line)


@pytest.mark.parametrize("name", ["Q8_0", "Q6_K", "Q5_K", "Q4_K", "F16"])
def test_gguf_gives_the_numbers_that_the_gguf_package_gives(name: str, tmp_path: Path) -> None:
    content = native(Kind.DIT)
    expected = small.write_gguf(tmp_path / "wan.gguf", content, name)
    opened = open_checkpoint(tmp_path / "wan.gguf", Kind.DIT)
    assert opened.nbytes < sum(value.nbytes for value in content.values())
    for key in content:
        if not key.endswith(".kernel"):
            assert torch.equal(opened.tensor(key, torch.float32), expected[key]), key


def test_a_text_encoder_in_the_names_of_llama_opens(tmp_path: Path) -> None:
    content = native(Kind.TEXT)
    expected = small.write_gguf(tmp_path / "umt5.gguf", small.in_llama_names(content), "Q8_0", "t5encoder")
    opened = open_checkpoint(tmp_path / "umt5.gguf", Kind.TEXT)
    assert torch.equal(
        opened.tensor("blocks.2.ffn.gate.0.weight", torch.float32), expected["enc.blk.2.ffn_gate.weight"]
    )
    assert set(opened.tensors) == set(content)


@pytest.mark.parametrize("rows", [False, True], ids=["scale for all", "scale a row"])
@pytest.mark.parametrize("suffix", [".scale_weight", ".weight_scale"])
@pytest.mark.parametrize("kind", [Kind.DIT, Kind.TEXT])
def test_scaled_fp8_is_the_number_times_its_scale(kind: Kind, suffix: str, rows: bool, tmp_path: Path) -> None:
    content = native(kind)
    named = content if kind is Kind.DIT else small.in_diffusers_names(kind, content)
    written = small.in_scaled_fp8(named, suffix=suffix, rows=rows)
    opened = open_checkpoint(one_file(tmp_path, written), kind)
    file_key, key = ("blocks.1.ffn.0.weight",) * 2
    if kind is Kind.TEXT:
        file_key, key = "encoder.block.1.layer.1.DenseReluDense.wo.weight", "blocks.1.ffn.fc2.weight"
    scale = written[file_key.removesuffix(".weight") + suffix]
    product = written[file_key].float() * scale
    assert torch.equal(opened.tensor(key, torch.float32), product)
    assert torch.equal(opened.tensor(key, torch.bfloat16), product.bfloat16())
    assert (opened.tensor(key, torch.float32) - content[key]).abs().max() <= content[key].abs().max() * 2**-4
    assert set(opened.tensors) == set(content)


def test_fp8_without_scales_is_the_number_itself(tmp_path: Path) -> None:
    written = small.in_fp8(native(Kind.DIT))
    opened = open_checkpoint(one_file(tmp_path, written), Kind.DIT)
    key = "blocks.1.self_attn.q.weight"
    assert torch.equal(opened.tensor(key, torch.bfloat16), written[key].bfloat16())


def test_a_text_encoder_may_carry_its_tokenizer(tmp_path: Path) -> None:
    named = small.in_diffusers_names(Kind.TEXT, native(Kind.TEXT))
    named["spiece_model"] = torch.tensor(list(b"vocabulary"), dtype=torch.uint8)
    assert open_checkpoint(one_file(tmp_path, named), Kind.TEXT).tokenizer == b"vocabulary"


def test_the_text_tower_beside_the_vision_tower_is_left_alone(tmp_path: Path) -> None:
    content = native(Kind.IMAGE) | {"textual.head.0.weight": torch.zeros(3, 3), "log_scale": torch.zeros(())}
    assert set(open_checkpoint(one_file(tmp_path, content), Kind.IMAGE).tensors) == set(native(Kind.IMAGE))


def test_a_vision_tower_without_its_projection_is_whole(tmp_path: Path) -> None:
    named = small.in_diffusers_names(Kind.IMAGE, native(Kind.IMAGE))
    del named["visual_projection.weight"]
    opened = open_checkpoint(one_file(tmp_path, named), Kind.IMAGE)
    assert set(opened.tensors) == set(native(Kind.IMAGE))
    assert not opened.tensor("visual.head", torch.float32).any()


def test_folded_kernels_of_gguf_are_unfolded(tmp_path: Path) -> None:
    content = native(Kind.DIT)
    key = "patch_embedding.weight"
    folded = content | {key: content[key].reshape(content[key].shape[0], -1)}
    assert torch.equal(open_checkpoint(one_file(tmp_path, folded), Kind.DIT).tensor(key, torch.float32), content[key])


def test_one_part_of_several_stands_for_all(tmp_path: Path) -> None:
    index = small.write_shards(tmp_path, native(Kind.VAE), parts=3)
    part = tmp_path / "diffusion_pytorch_model-00002-of-00003.safetensors"
    assert len(open_checkpoint(part, Kind.VAE).files) == 3
    index.unlink()
    assert len(open_checkpoint(part, Kind.VAE).files) == 3
    (tmp_path / "diffusion_pytorch_model-00003-of-00003.safetensors").unlink()
    with pytest.raises(FileMissingError, match="00003-of-00003"):
        open_checkpoint(part, Kind.VAE)


class Pair(nn.Module):
    """Two of a checkpoint's tensors, under their own names."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(32, 32, 1)


def test_a_module_on_the_meta_device_gets_its_weights(tmp_path: Path) -> None:
    content = native(Kind.VAE)
    opened = open_checkpoint(one_file(tmp_path, content), Kind.VAE)
    with torch.device("meta"):
        module = Pair()
    opened.load_into(module, torch.float32)
    assert torch.equal(module.conv1.weight, content["conv1.weight"])
    opened.load_into(module, torch.bfloat16)
    assert torch.equal(module.conv1.weight, content["conv1.weight"].bfloat16())


def test_a_module_that_has_more_than_the_checkpoint_is_told(tmp_path: Path) -> None:
    opened = open_checkpoint(one_file(tmp_path, native(Kind.VAE)), Kind.VAE)
    with pytest.raises(CheckpointDamagedError, match=r"0\.weight: expected 2 x 2, found nothing"):
        opened.load_into(nn.Sequential(nn.Linear(2, 2)), torch.float32)


# What is wrong with a file.

KEY = "blocks.4.self_attn.q.weight"


def without(content: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key: value for key, value in content.items() if key != KEY}


DAMAGE: dict[str, tuple[Callable[[dict[str, Tensor]], dict[str, Tensor]], str]] = {
    "missing": (without, f"{KEY}: expected 256 x 256, found nothing"),
    "misshapen": (lambda t: t | {KEY: t[KEY][:255]}, f"{KEY}: expected 256 x 256, found 255 x 256"),
    "transposed": (
        lambda t: t | {"blocks.4.ffn.0.weight": t["blocks.4.ffn.0.weight"].T},
        "blocks.4.ffn.0.weight: expected 512 x 256, found 256 x 512",
    ),
    "extra": (
        lambda t: t | {"blocks.4.self_attn.gate.weight": torch.zeros(3)},
        "blocks.4.self_attn.gate.weight: expected nothing, found 3",
    ),
    "last block": (
        lambda t: {key: value for key, value in t.items() if not key.startswith("blocks.9.")},
        "blocks.9.modulation: expected 1 x 6 x 256, found nothing",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_wrong_tensor_is_named_with_what_was_expected_and_found(damage: str, tmp_path: Path) -> None:
    spoil, message = DAMAGE[damage]
    path = one_file(tmp_path, spoil(native(Kind.DIT)))
    with pytest.raises(CheckpointDamagedError) as caught:
        open_checkpoint(path, Kind.DIT)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_lost_slice_of_a_joined_tensor_is_named(tmp_path: Path) -> None:
    named = small.in_diffusers_names(Kind.DIT, native(Kind.DIT))
    del named["face_adapter.1.to_v.weight"]
    with pytest.raises(CheckpointDamagedError, match=r"fuser_blocks.1.linear1_kv.weight: expected 2 slices, found 1"):
        open_checkpoint(one_file(tmp_path, named), Kind.DIT)


def test_what_an_index_promises_and_no_part_holds_is_named(tmp_path: Path) -> None:
    index = small.write_shards(tmp_path, without(native(Kind.DIT)), parts=2)
    promised = json.loads(index.read_text())
    promised["weight_map"][KEY] = "diffusion_pytorch_model-00001-of-00002.safetensors"
    index.write_text(json.dumps(promised))
    with pytest.raises(CheckpointDamagedError, match=KEY):
        open_checkpoint(tmp_path, Kind.DIT)


def cut(path: Path, kept: float) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    return path


@pytest.mark.parametrize("ending", ["safetensors", "gguf"])
def test_tensors_of_a_file_that_ends_early_are_named(ending: str, tmp_path: Path) -> None:
    content = native(Kind.VAE)
    path = tmp_path / f"model.{ending}"
    if ending == "gguf":
        small.write_gguf(path, content, "F16")
    else:
        small.write_safetensors(path, content)
    with pytest.raises(CheckpointDamagedError, match=r"expected \d+ bytes, found \d+ bytes, where the file ends"):
        open_checkpoint(cut(path, 0.7), Kind.VAE)


@pytest.mark.parametrize("kept", [0.0, 0.001, 0.7])
def test_a_torch_file_that_ends_early_is_refused_in_words(kept: float, tmp_path: Path) -> None:
    path = cut(small.write_pth(tmp_path / "model.pth", native(Kind.VAE)), kept)
    with pytest.raises(CheckpointUnreadableError, match=r"model\.pth cannot be read"):
        open_checkpoint(path, Kind.VAE)


class Program:
    """What a pickle may hold and no checkpoint should."""

    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return (print, ("run",))


def test_a_program_in_a_torch_file_is_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"conv1.weight": torch.zeros(3), "evil": Program()}, tmp_path / "model.pth")
    with pytest.raises(CheckpointUnreadableError, match="more than tensors"):
        open_checkpoint(tmp_path / "model.pth", Kind.VAE)
    assert not capsys.readouterr().out


@pytest.mark.parametrize(
    "content", [b"", b"not a model", b"GGUF" + bytes(9), b"\xff" * 7 + b"\0{", b"\2" + bytes(7) + b"{"]
)
def test_what_is_no_checkpoint_is_refused_in_words(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointUnreadableError):
        open_checkpoint(path, Kind.VAE)


def test_unread_quantisation_is_refused_by_name(tmp_path: Path) -> None:
    content = native(Kind.DIT)
    marker = torch.tensor(list(b'{"format": "int8_tensorwise", "convrot": true}'), dtype=torch.uint8)
    with pytest.raises(CheckpointUnreadableError, match="convrot"):
        open_checkpoint(one_file(tmp_path, content | {"blocks.0.ffn.0.comfy_quant": marker}), Kind.DIT)


# Whose a file is.


def image_to_video() -> dict[str, Tensor]:
    return {key: value for key, value in native(Kind.DIT).items() if not key.startswith(("face_", "motion_", "pose_"))}


def text_to_video() -> dict[str, Tensor]:
    return {key: value for key, value in image_to_video().items() if "img" not in key}


FOREIGN: dict[str, tuple[Callable[[], dict[str, Tensor]], str]] = {
    "I2V": (image_to_video, "Wan 2.1 I2V or Wan-Animate-2"),
    "T2V": (text_to_video, "another Wan model"),
    "VACE": (lambda: text_to_video() | {"vace_patch_embedding.weight": torch.zeros(1)}, "Wan VACE"),
    "SCAIL": (lambda: image_to_video() | {"patch_embedding_pose.weight": torch.zeros(1)}, "SCAIL"),
    "SCAIL-2": (lambda: image_to_video() | {"patch_embedding_mask.weight": torch.zeros(1)}, "SCAIL-2"),
    "VAE": (lambda: native(Kind.VAE), "vae"),
    "text": (lambda: small.in_diffusers_names(Kind.TEXT, native(Kind.TEXT)), "text encoder"),
    "image": (lambda: small.in_diffusers_names(Kind.IMAGE, native(Kind.IMAGE)), "image encoder"),
    "LoRA": (small.relighting, "a LoRA"),
    "unknown": (lambda: {"weight": torch.zeros(1)}, "no model that is known here"),
}


@pytest.mark.parametrize("prefix", ["", "model.diffusion_model."])
@pytest.mark.parametrize("model", FOREIGN)
def test_another_model_is_recognised_and_named(model: str, prefix: str, tmp_path: Path) -> None:
    content, name = FOREIGN[model]
    with pytest.raises(WrongModelError, match=name):
        open_checkpoint(one_file(tmp_path, small.prefixed(content(), prefix)), Kind.DIT)


def test_animate_2_has_the_tensors_of_i2v_and_is_known_by_what_it_says_of_itself(tmp_path: Path) -> None:
    path = small.write_safetensors(tmp_path / "model.safetensors", image_to_video(), {"model_type": "animate2"})
    with pytest.raises(WrongModelError, match="Wan-Animate-2"):
        open_checkpoint(path, Kind.DIT)


def test_the_vae_of_wan_2_2_is_told_from_that_of_2_1(tmp_path: Path) -> None:
    content = native(Kind.VAE) | {"conv2.weight": torch.zeros(48, 48, 1, 1, 1)}
    with pytest.raises(WrongModelError, match="48 channels"):
        open_checkpoint(one_file(tmp_path, content), Kind.VAE)


# What opening takes.

MEASURED = """
import sys, threading, time
from pathlib import Path
import torch
from backend.engines.wan.keys import Kind
from backend.engines.wan.weights import open_checkpoint

def anonymous():
    return int(next(l for l in open("/proc/self/status") if l.startswith("RssAnon")).split()[1]) * 1024

open_checkpoint(Path(sys.argv[2]), Kind.DIT)  # libraries are loaded and warm
start, peak, done = anonymous(), 0, False
def watch():
    global peak
    while not done:
        peak = max(peak, anonymous())
        time.sleep(0.002)
watcher = threading.Thread(target=watch)
watcher.start()
opened = open_checkpoint(Path(sys.argv[1]), Kind.DIT)
total = sum(float(opened.tensor(key, torch.bfloat16).sum()) for key in opened.tensors)
done = True
watcher.join()
print(peak - start)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="anonymous memory is read from /proc")
@pytest.mark.parametrize("way", ["native", "shards", "scaled fp8", "gguf"])
def test_opening_and_reading_every_tensor_takes_little_memory(way: str, tmp_path: Path) -> None:
    sizes = DitSizes(dim=1024, ffn_dim=2816, layers=10)
    content = {key: torch.full(shape, 0.5, dtype=torch.bfloat16) for key, shape in sizes.table().items()}
    match way:
        case "native":
            path = one_file(tmp_path, content)
        case "shards":
            path = small.write_shards(tmp_path, content, parts=4)
        case "scaled fp8":
            path = one_file(tmp_path, small.in_scaled_fp8(content))
        case _:
            path = tmp_path / "big.gguf"
            small.write_gguf(path, content, "Q8_0")
    del content
    size = sum(file.stat().st_size for file in tmp_path.glob("*.*[!n]")) if way == "shards" else path.stat().st_size
    assert size > 150e6  # the first two are of 330 MB
    warm = one_file(tmp_path / "warm", native(Kind.DIT))
    command = [sys.executable, "-c", MEASURED, str(path), str(warm)]
    said = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[3])
    assert int(said.stdout) < 0.15 * size
