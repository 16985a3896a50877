# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of models is told: what is there, what would be used, what is missing and why."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import sentencepiece
import torch

from backend.contract.errors import FileMissingError
from backend.engines.wan.keys import Kind
from backend.engines.wan.models import NEEDED, ModelsMissingError, Role, check_models
from backend.engines.wan.weights import open_checkpoint

from . import checkpoints as small


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.write_models_folder(tmp_path_factory.mktemp("Wan2.2-Animate-14B"))


@pytest.fixture
def folder(released: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(released, tmp_path / "models"))


def test_the_released_layout_is_complete(folder: Path) -> None:
    found = check_models(folder)
    found.require()
    assert set(found.chosen) == {*NEEDED, Role.RELIGHTING}
    assert found.chosen[Role.DIT].path.name == "diffusion_pytorch_model.safetensors.index.json"
    assert found.chosen[Role.DIT].detail == "bfloat16"
    assert found.chosen[Role.VAE].detail == "float32"
    assert found.chosen[Role.RELIGHTING].path.name == "adapter_model.safetensors"
    parts = folder.glob("diffusion_pytorch_model-*.safetensors")
    assert found.chosen[Role.DIT].nbytes == sum(part.stat().st_size for part in parts)
    assert not [file.fault for file in found.files if file.fault]
    assert "Apache-2.0" in found.chosen[Role.DIT].licence


def test_what_is_chosen_opens(folder: Path) -> None:
    chosen = check_models(folder).chosen
    for kind in small.TINY:
        assert open_checkpoint(chosen[Role(kind.value)].path, kind).sizes == small.TINY[kind]
    vocabulary = sentencepiece.SentencePieceProcessor(model_proto=chosen[Role.TOKENIZER].path.read_bytes())
    assert (vocabulary.pad_id(), vocabulary.eos_id(), vocabulary.unk_id()) == (0, 1, 2)
    assert vocabulary.vocab_size() <= 320


@pytest.mark.parametrize("kind", small.TINY)
def test_what_is_missing_is_named_with_what_to_look_for(kind: Kind, folder: Path) -> None:
    for path in [check_models(folder).chosen[Role(kind.value)].path, *folder.glob("*-of-*")]:
        if kind is Kind.DIT or path.suffix == ".pth":
            path.unlink()
    found = check_models(folder)
    assert found.missing == (Role(kind.value),)
    with pytest.raises(ModelsMissingError, match=f"lacks the {kind.value} \\("):
        found.require()


def test_a_missing_part_is_named(folder: Path) -> None:
    (folder / "diffusion_pytorch_model-00003-of-00004.safetensors").unlink()
    with pytest.raises(ModelsMissingError, match=r"lacks the transformer.*00003-of-00004\.safetensors does not exist"):
        check_models(folder).require()


def test_a_file_cut_off_is_not_chosen_and_says_why(folder: Path) -> None:
    path = folder / "diffusion_pytorch_model-00002-of-00004.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    found = check_models(folder)
    assert found.missing == (Role.DIT,)
    assert "where the file ends" in next(file.fault for file in found.files if file.fault)


def test_of_several_the_most_exact_is_chosen(folder: Path) -> None:
    content = small.tensors(Kind.DIT)
    small.write_gguf(folder / "a_wan.gguf", content, "Q8_0")
    small.write_safetensors(folder / "a_wan_fp8.safetensors", small.in_scaled_fp8(content))
    found = check_models(folder)
    forms = {file.detail for file in found.files if file.role is Role.DIT}
    assert forms == {"bfloat16", "Q8_0", "float8_e4m3fn, scaled"}
    assert found.chosen[Role.DIT].detail == "bfloat16"
    assert check_models(folder, eight_bit=True).chosen[Role.DIT].detail == "float8_e4m3fn, scaled"
    for file in folder.glob("diffusion_pytorch_model*"):
        file.unlink()
    assert check_models(folder).chosen[Role.DIT].path.name == "a_wan_fp8.safetensors"


def test_files_of_other_tools_in_their_folders_are_found(tmp_path: Path) -> None:
    half = {kind: {key: value.half() for key, value in small.tensors(kind).items()} for kind in small.TINY}
    small.write_safetensors(tmp_path / "diffusion_models" / "wan.safetensors", small.prefixed(half[Kind.DIT]))
    small.write_safetensors(tmp_path / "vae" / "wan_2.1_vae.safetensors", half[Kind.VAE])
    vision = small.in_diffusers_names(Kind.IMAGE, half[Kind.IMAGE])
    small.write_safetensors(tmp_path / "clip_vision" / "clip_vision_h.safetensors", vision)
    text = small.in_diffusers_names(Kind.TEXT, half[Kind.TEXT])
    text["spiece_model"] = torch.frombuffer(bytearray(small.vocabulary()), dtype=torch.uint8)
    small.write_safetensors(tmp_path / "text_encoders" / "umt5_xxl_fp16.safetensors", text)
    found = check_models(tmp_path)
    found.require()
    assert found.chosen[Role.TOKENIZER].path.name == "umt5_xxl_fp16.safetensors"


def test_other_models_are_told_and_not_used(folder: Path) -> None:
    image_to_video = {
        k: v for k, v in small.tensors(Kind.DIT).items() if not k.startswith(("face_", "motion_", "pose_"))
    }
    small.write_safetensors(folder / "wan2.1_i2v.safetensors", image_to_video)
    small.write_safetensors(folder / "loras" / "distilled.safetensors", small.relighting())
    (folder / "notes.bin").write_bytes(b"something else")
    told = {file.path.name: file for file in check_models(folder).files}
    assert told["wan2.1_i2v.safetensors"].role is Role.OTHER
    assert "I2V" in told["wan2.1_i2v.safetensors"].detail
    assert told["distilled.safetensors"].role is Role.LORA
    assert "neither safetensors" in told["notes.bin"].fault


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileMissingError, match="models folder"):
        check_models(tmp_path / "nowhere")


def test_an_empty_folder_lacks_everything(tmp_path: Path) -> None:
    assert check_models(tmp_path).missing == NEEDED
