# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of models, looked through offline: what each file is, whether it is whole, what is missing.

Only headers are read, so that a folder of 60 GB takes seconds. The artist may lay the files out as they like.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ...contract.errors import FileMissingError, UnderstudyError
from .containers import CheckpointDamagedError, CheckpointUnreadableError
from .keys import Kind
from .weights import WEIGHT_SUFFIXES, open_checkpoint, recognise_file


class Role(StrEnum):
    """What a file is to the engine."""

    DIT = "transformer"
    VAE = "vae"
    TEXT = "text encoder"
    IMAGE = "image encoder"
    TOKENIZER = "tokenizer"
    TINY_VAE = "tiny VAE"
    RELIGHTING = "relighting LoRA"
    LORA = "LoRA"
    OTHER = "not used"


NEEDED = (Role.DIT, Role.VAE, Role.TEXT, Role.TOKENIZER, Role.IMAGE)
"""Without these nothing is generated."""

CHOICES = (Role.TINY_VAE, Role.RELIGHTING)
"""What may be there, too: the first for previews, the second for replace mode."""

_RELEASED = "Apache-2.0, where it is of the Wan 2.2 release"
_UNKNOWN = "not known: ask where it comes from"

LICENCES: Mapping[Role, str] = {
    Role.DIT: _RELEASED,
    Role.VAE: _RELEASED,
    Role.TEXT: _RELEASED,
    Role.IMAGE: _RELEASED,
    Role.TOKENIZER: _RELEASED,
    Role.TINY_VAE: "MIT, where it is the one that Ollin Boer Bohan published",
    Role.RELIGHTING: _RELEASED,
    Role.LORA: _UNKNOWN,
    Role.OTHER: _UNKNOWN,
}
"""Files do not say under which licence they are; this is what their publishers say of those released."""

_SOURCES: Mapping[Role, str] = {
    Role.DIT: "the files diffusion_pytorch_model-*.safetensors of Wan2.2-Animate-14B, or one file made of them",
    Role.VAE: "Wan2.1_VAE.pth, wan_2.1_vae.safetensors, or the folder vae of the diffusers release",
    Role.TEXT: "models_t5_umt5-xxl-enc-bf16.pth, or umt5_xxl_fp16.safetensors or its fp8 twin",
    Role.TOKENIZER: "google/umt5-xxl/spiece.model, or a text encoder that carries it",
    Role.IMAGE: "models_clip_open-clip-xlm-roberta-large-vit-huge-14.pth, or clip_vision_h.safetensors",
}
"""What is looked for, by the names it usually has."""

_PREFERRED = ("bfloat16", "float16", "float32", "float8_e4m3fn, scaled", "float8_e5m2, scaled", "Q8_0", "float8_e4m3fn")
"""Forms in the order in which they are taken where a folder holds several of a kind; others follow."""

_EIGHT_BIT = "float8_e4m3fn"
"""Of the forms, those that can be multiplied as they lie there."""

_DEPTH = 6
"""How many folders deep is looked."""


class ModelsMissingError(UnderstudyError):
    """A models folder lacks what the engine needs."""

    hint = "Put the files into the folder, or choose another one in Preferences > Understudy."

    def __init__(self, folder: Path, missing: Sequence[Role], faults: Sequence[str] = ()) -> None:
        wanted = "; ".join(f"the {role} ({_SOURCES[role]})" for role in missing)
        broken = f" Not usable: {'; '.join(faults)}" if faults else ""
        super().__init__(f"The models folder {folder} lacks {wanted}.{broken}")
        self.folder, self.missing, self.faults = folder, tuple(missing), tuple(faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """One thing in the folder. path: a file, or the first of several parts. fault: why it cannot be used, or ""."""

    path: Path
    role: Role
    nbytes: int
    detail: str
    fault: str = ""
    tokenizer: bool = False

    @property
    def licence(self) -> str:
        """Under which licence it may be used, as far as is known."""
        return LICENCES[self.role]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsFolder:
    """What is in a folder. chosen: what would be used. missing: what nothing usable was found for."""

    folder: Path
    files: tuple[ModelFile, ...]
    chosen: Mapping[Role, ModelFile]
    missing: tuple[Role, ...]

    def require(self) -> None:
        """Raise ModelsMissingError unless all that is needed is there."""
        if self.missing:
            raise ModelsMissingError(self.folder, self.missing, [file.fault for file in self.files if file.fault])


def check_models(folder: Path, *, eight_bit: bool = False) -> ModelsFolder:
    """Look through a folder. eight_bit: whether a transformer in fp8 is taken before others.

    Raises FileMissingError where it is not there.
    """
    if not folder.is_dir():
        raise FileMissingError(folder, "models folder")
    files = tuple(_examined(path) for path in _candidates(folder))
    roles = (*NEEDED, *CHOICES)
    chosen = {role: best for role in roles if (best := _best(files, role, eight_bit=eight_bit and role is Role.DIT))}
    if Role.TOKENIZER not in chosen and Role.TEXT in chosen and chosen[Role.TEXT].tokenizer:
        chosen[Role.TOKENIZER] = chosen[Role.TEXT]
    missing = tuple(role for role in NEEDED if role not in chosen)
    return ModelsFolder(folder=folder, files=files, chosen=chosen, missing=missing)


def _candidates(folder: Path) -> Iterator[Path]:
    """List the weights and vocabularies below a folder, of a checkpoint in parts the index or the first part alone."""
    for root, folders, names in os.walk(folder):
        here = Path(root)
        folders.sort()
        if len(here.relative_to(folder).parts) >= _DEPTH:
            folders.clear()
        indexed = {name.removesuffix(".safetensors.index.json") for name in names if name.endswith(".index.json")}
        yield from (here / f"{stem}.safetensors.index.json" for stem in sorted(indexed))
        for name in sorted(names):
            part = re.fullmatch(r"(.+)-(\d{5})-of-\d{5}\.\w+", name)
            if part and (part[1] in indexed or int(part[2]) > 1):
                continue
            if name == "spiece.model" or name.endswith((*WEIGHT_SUFFIXES, ".onnx")):
                yield here / name


def _examined(path: Path) -> ModelFile:
    if path.name == "spiece.model":
        return ModelFile(path=path, role=Role.TOKENIZER, nbytes=path.stat().st_size, detail="sentencepiece")
    if path.suffix == ".onnx":
        detail = "a network of the official preprocessing, which Understudy does without"
        return ModelFile(path=path, role=Role.OTHER, nbytes=path.stat().st_size, detail=detail)
    try:
        found = _found(path)
    except UnderstudyError as error:
        return ModelFile(
            path=path, role=Role.OTHER, nbytes=path.stat().st_size, detail="not readable", fault=str(error)
        )
    if found == "a LoRA":
        role = Role.RELIGHTING if "relight" in f"{path.parent.name}/{path.name}".lower() else Role.LORA
        return ModelFile(path=path, role=role, nbytes=path.stat().st_size, detail="LoRA")
    if not isinstance(found, Kind):
        return ModelFile(path=path, role=Role.OTHER, nbytes=path.stat().st_size, detail=found)
    return _examined_checkpoint(path, found)


def _found(path: Path) -> str:
    """Recognise a file; of an index, by the first of its parts that is some model of its own."""
    if not path.name.endswith(".index.json"):
        return recognise_file(path)
    parts = sorted(path.parent.glob(f"{path.name.removesuffix('.safetensors.index.json')}-*-of-*.safetensors"))
    found = [recognise_file(part) for part in parts]
    return next((model for model in found if isinstance(model, Kind)), found[0] if found else Kind.DIT)


def _examined_checkpoint(path: Path, kind: Kind) -> ModelFile:
    role = Role(kind.value)
    try:
        opened = open_checkpoint(path, kind)
    except (CheckpointDamagedError, CheckpointUnreadableError, FileMissingError) as error:
        return ModelFile(path=path, role=role, nbytes=path.stat().st_size, detail="not usable", fault=str(error))
    nbytes = sum(file.stat().st_size for file in opened.files)
    return ModelFile(path=path, role=role, nbytes=nbytes, detail=opened.form, tokenizer=opened.tokenizer is not None)


def _best(files: Sequence[ModelFile], role: Role, *, eight_bit: bool) -> ModelFile | None:
    usable = [file for file in files if file.role is role and not file.fault]
    return min(usable, key=lambda file: (eight_bit and _EIGHT_BIT not in file.detail, *_rank(file)), default=None)


def _rank(file: ModelFile) -> tuple[int, str]:
    form = _PREFERRED.index(file.detail) if file.detail in _PREFERRED else len(_PREFERRED)
    return form, file.path.as_posix()
