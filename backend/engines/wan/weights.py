# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening a network's weights, whatever file in the wild they come in.

A checkpoint is looked at before anything of it is read: whose it is, whether each tensor is there, whole and of its
shape. Then its tensors are had by native key, mapped, and decoded when asked for.
"""

from __future__ import annotations

import json
import logging
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ...contract.errors import FileMissingError, UnderstudyError
from .containers import (
    CheckpointDamagedError,
    CheckpointUnreadableError,
    Container,
    Fault,
    open_container,
)
from .keys import Kind, Shape, Sizes, Table, measure
from .naming import Place, places, recognise, without_prefix
from .stored import Stored, joined, plain, reshaped, scaled, transposed

log = logging.getLogger(__name__)

WEIGHT_SUFFIXES = (".safetensors", ".gguf", ".pth", ".pt", ".ckpt", ".bin")

_SCALES = (".scale_weight", ".weight_scale")
"""What stands beside `X.weight` in files of eight-bit weights, instead of its ending."""

_MARKERS = re.compile(r"(.*\.)?scaled_fp8|.*\.(scale_input|input_scale|comfy_quant)")
"""What such files hold beside: how they were made, and how large the inputs were. Not needed to decode them."""

_FOLDERS = {
    Kind.DIT: "transformer",
    Kind.VAE: "vae",
    Kind.TEXT: "text_encoder",
    Kind.IMAGE: "image_encoder",
    Kind.TINY_VAE: "vae_approx",
}
"""What folders of diffusers call them; the tiny VAE lies in none, but in this one of other programs."""

_SPARE = {Kind.IMAGE: r"visual\.(head|post_norm\..*)"}
"""What a checkpoint may lack, because nothing is computed with it."""


class WrongModelError(UnderstudyError):
    """A file holds another network than the one it was chosen for."""

    hint = "Choose a file of Wan 2.2 Animate for it; Understudy's Check names those of a folder."

    def __init__(self, path: Path, wanted: Kind, found: str) -> None:
        super().__init__(f"{path} was to be the {wanted} of Wan 2.2 Animate, but it is {found}.")
        self.path, self.wanted, self.found = path, wanted, found


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """An opened checkpoint. tensors: by native key. tokenizer: sentencepiece's model, where the file carries it."""

    kind: Kind
    files: tuple[Path, ...]
    sizes: Sizes
    tensors: Mapping[str, Stored]
    tokenizer: bytes | None = None

    @property
    def nbytes(self) -> int:
        """What the tensors take as they lie in the files."""
        return sum(stored.nbytes for stored in self.tensors.values())

    @property
    def form(self) -> str:
        """How most of its numbers are written, such as `bfloat16` or `Q4_K`."""
        numbers: Counter[str] = Counter()
        for stored in self.tensors.values():
            numbers[stored.form] += math.prod(stored.shape)
        return numbers.most_common(1)[0][0]

    def tensor(self, key: str, dtype: torch.dtype, device: torch.device | str = "cpu") -> Tensor:
        """Give a tensor by native key. On the CPU, and in its own dtype, it is the mapped file and never written."""
        stored = self.tensors[key]
        return stored.decode([part.to(device) for part in stored.parts()], dtype)

    def load_into(self, module: nn.Module, dtype: torch.dtype, device: torch.device | str = "cpu") -> None:
        """Give a module, which may be on the meta device, its weights.

        Raises CheckpointDamagedError where the module has what the checkpoint lacks.
        """
        wanted = module.state_dict()
        missing = tuple(
            Fault(key=key, expected=_shape_text(tuple(tensor.shape)), found="nothing")
            for key, tensor in wanted.items()
            if key not in self.tensors
        )
        if missing:
            raise CheckpointDamagedError(self.files[0], missing)
        module.load_state_dict({key: self.tensor(key, dtype, device) for key in wanted}, strict=True, assign=True)


def open_checkpoint(path: Path, kind: Kind) -> Checkpoint:
    """Open a file, one of several parts, an index of parts, or a folder that holds such.

    Raises FileMissingError, CheckpointUnreadableError, CheckpointDamagedError, WrongModelError.
    """
    files, promised = _files_of(path, kind)
    containers = tuple(open_container(file) for file in files)
    tensors: dict[str, Stored] = {}
    for container in containers:
        tensors.update(container.tensors)
    found = _recognised(path, containers)
    if found != kind:
        raise WrongModelError(path, kind, found)
    if lost := sorted(promised - set(tensors)):
        faults = tuple(Fault(key=key, expected="a tensor, by the index", found="nothing") for key in lost)
        raise CheckpointDamagedError(path, faults)
    return _checked(path, kind, files, tensors)


def recognise_file(path: Path) -> str:
    """Say what a file holds, as `recognise` does. Raises CheckpointUnreadableError, CheckpointDamagedError."""
    return _recognised(path, (open_container(path),))


def _recognised(path: Path, containers: tuple[Container, ...]) -> str:
    shapes = {name: stored.shape for container in containers for name, stored in container.tensors.items()}
    return recognise(shapes, shapes, _facts(path, containers))


def _files_of(path: Path, kind: Kind) -> tuple[tuple[Path, ...], frozenset[str]]:
    """Say which files make up a checkpoint, and which tensors an index promises."""
    if path.is_dir():
        inner = path / _FOLDERS[kind]
        return _files_in(inner if inner.is_dir() else path)
    if path.name.endswith(".index.json"):
        return _indexed(path)
    if not path.is_file():
        raise FileMissingError(path, "model file")
    part = re.fullmatch(r"(.+)-\d{5}-of-\d{5}(\.\w+)", path.name)
    if part is None:
        return (path,), frozenset()
    index = path.with_name(f"{part[1]}{part[2]}.index.json")
    return _indexed(index) if index.is_file() else (_parts(path), frozenset())


def _files_in(folder: Path) -> tuple[tuple[Path, ...], frozenset[str]]:
    indexes = sorted(folder.glob("*.index.json"))
    if indexes:
        return _indexed(indexes[0])
    files = [file for file in sorted(folder.iterdir()) if file.suffix in WEIGHT_SUFFIXES]
    whole = [file for file in files if not re.search(r"-\d{5}-of-\d{5}\.", file.name)]
    if len(whole) == 1:
        return (whole[0],), frozenset()
    if whole:
        raise CheckpointUnreadableError(folder, f"it holds {len(whole)} files that may be meant; choose one of them")
    if not files:
        raise FileMissingError(folder / f"*{WEIGHT_SUFFIXES[0]}", "model file")
    return _parts(files[0]), frozenset()


def _parts(one: Path) -> tuple[Path, ...]:
    """List all parts of a checkpoint of which one is given, each of which says how many there are."""
    stem, count, suffix = re.fullmatch(r"(.+)-\d{5}-of-(\d{5})(\.\w+)", one.name).groups()  # type: ignore[union-attr]
    parts = tuple(one.with_name(f"{stem}-{index:05d}-of-{count}{suffix}") for index in range(1, int(count) + 1))
    for part in parts:
        if not part.is_file():
            raise FileMissingError(part, "model file's part")
    return parts


def _indexed(index: Path) -> tuple[tuple[Path, ...], frozenset[str]]:
    try:
        weight_map: dict[str, str] = json.loads(index.read_text("utf-8"))["weight_map"]
        names = sorted(set(weight_map.values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointUnreadableError(index, "it is no index of a checkpoint's parts") from error
    files = tuple(index.parent / Path(name).name for name in names)
    for file in files:
        if not file.is_file():
            raise FileMissingError(file, "model file's part")
    return files, frozenset(weight_map)


def _facts(path: Path, containers: tuple[Container, ...]) -> str:
    """Collect what else tells one model from another of the same tensors."""
    folder = path if path.is_dir() else path.parent
    config = folder / "config.json"
    texts = [path.name, config.read_text("utf-8", errors="replace")[:20_000] if config.is_file() else ""]
    texts += [value[:2000] for container in containers for value in container.facts.values()]
    return "\n".join(texts)


def _checked(path: Path, kind: Kind, files: tuple[Path, ...], tensors: Mapping[str, Stored]) -> Checkpoint:
    decodable = with_scales(path, tensors)
    native, unplaced = _native(kind, decodable)
    sizes = measure(kind, {key: stored.shape for key, stored in native.items()})
    table = sizes.table()
    fitted = {key: _fitted(stored, table[key]) for key, stored in native.items() if key in table}
    faults = (*unplaced, *_faults(kind, table, fitted), *_strangers(table, native))
    if faults:
        raise CheckpointDamagedError(path, faults)
    for key in sorted(set(native) - set(table)):
        log.warning("%s holds %s, which is no part of the %s and is left alone.", path.name, key, kind)
    made = {key: _made(key, shape) for key, shape in table.items() if key not in fitted or key.endswith(".kernel")}
    return Checkpoint(kind=kind, files=files, sizes=sizes, tensors=fitted | made, tokenizer=_tokenizer(tensors))


def with_scales(path: Path, tensors: Mapping[str, Stored]) -> dict[str, Stored]:
    """Put eight-bit weights together with their scales, and leave out what only says how they were made.

    Raises CheckpointUnreadableError for kinds of quantisation that cannot be decoded by a scale.
    """
    _refuse_other_quantisation(path, tensors)
    decodable: dict[str, Stored] = {}
    for name, stored in tensors.items():
        if _MARKERS.fullmatch(name) or name.endswith(_SCALES):
            continue
        scales = (tensors.get(name.removesuffix(".weight") + suffix) for suffix in _SCALES)
        scale = next((found for found in scales if found is not None and name.endswith(".weight")), None)
        decodable[name] = stored if scale is None else _scaled(path, name, stored, scale)
    return decodable


def _refuse_other_quantisation(path: Path, tensors: Mapping[str, Stored]) -> None:
    for name, stored in tensors.items():
        if name.endswith(".comfy_quant"):
            text = bytes(stored.parts()[0].tolist()).decode(errors="replace")
            if "rot" in text or not re.search(r"float8|int8", text):
                raise CheckpointUnreadableError(path, f"its weights are quantised as {text}, which is not read here")
        if name.endswith((".weight_scale_2", ".weight_s_rel", ".weight._data", ".qweight")):
            raise CheckpointUnreadableError(path, f"its weights are quantised in a way not read here ({name})")


def _scaled(path: Path, name: str, numbers: Stored, scale: Stored) -> Stored:
    if numbers.dtype is None or scale.dtype is None:
        raise CheckpointUnreadableError(path, f"{name} is packed and scaled at once")
    if numbers.dtype.itemsize > 1:
        return numbers  # converters write scales of 1 for what they left in 16 bits
    if math.prod(scale.shape) not in (1, numbers.shape[0]):
        expected = f"one number, or one for each of {numbers.shape[0]} rows"
        raise CheckpointDamagedError(
            path, (Fault(key=f"scale of {name}", expected=expected, found=_shape_text(scale.shape)),)
        )
    return scaled(numbers, scale)


def _native(kind: Kind, tensors: Mapping[str, Stored]) -> tuple[dict[str, Stored], tuple[Fault, ...]]:
    """Give the tensors by native key; what the file holds in slices is joined. And slices whose fellows are lost."""
    whole: dict[str, Stored] = {}
    slices: dict[str, dict[int, tuple[Place, Stored]]] = {}
    for name, place in places(kind, tensors).items():
        if place is None:
            continue
        stored = transposed(tensors[name]) if place.transposed else tensors[name]
        if place.parts == 1:
            whole[place.key] = stored
        else:
            slices.setdefault(place.key, {})[place.part] = (place, stored)
    faults = []
    for key, found in slices.items():
        parts = next(place.parts for place, _ in found.values())
        if len(found) == parts:
            whole[key] = joined([found[part][1] for part in range(parts)])
        else:
            faults.append(Fault(key=key, expected=f"{parts} slices", found=f"{len(found)} of them"))
    return whole, tuple(faults)


def _fitted(stored: Stored, shape: Shape) -> Stored:
    """See a tensor in its native shape where the file only writes the same axes otherwise."""
    if stored.shape == shape:
        return stored
    same_axes = _squeezed(stored.shape) == _squeezed(shape)
    folded_kernel = len(shape) > 4 and stored.shape[:1] == shape[:1] and math.prod(stored.shape) == math.prod(shape)
    return reshaped(stored, shape) if same_axes or folded_kernel else stored


def _squeezed(shape: Shape) -> Shape:
    return tuple(length for length in shape if length != 1)


def _faults(kind: Kind, table: Table, tensors: Mapping[str, Stored]) -> Iterator[Fault]:
    spare = re.compile(_SPARE.get(kind, r"(?!)"))
    for key, shape in table.items():
        if key.endswith(".kernel") or (key not in tensors and spare.fullmatch(key)):
            continue
        found = tensors[key].shape if key in tensors else None
        if found != shape:
            yield Fault(key=key, expected=_shape_text(shape), found=_shape_text(found) if found else "nothing")


def _strangers(table: Table, native: Mapping[str, Stored]) -> Iterator[Fault]:
    """Name tensors inside the network's own parts that it does not have: they would change what it computes."""
    own = {key.partition(".")[0] for key in table}
    for key in sorted(set(native) - set(table)):
        if key.partition(".")[0] in own:
            yield Fault(key=key, expected="nothing", found=_shape_text(native[key].shape))


def _shape_text(shape: Shape) -> str:
    return " x ".join(str(length) for length in shape) or "one number"


def _made(key: str, shape: Shape) -> Stored:
    """Give what need not be in the file: the constant kernel of the motion encoder's blurs, and what is never used.

    The kernel is 1 3 3 1 times itself, summing to 1.
    """
    line = torch.tensor([1.0, 3.0, 3.0, 1.0])
    made = torch.outer(line, line) / 64 if key.endswith(".kernel") else torch.zeros(()).expand(shape)
    return plain(shape, torch.float32, lambda: made)


def _tokenizer(tensors: Mapping[str, Stored]) -> bytes | None:
    names = [file_name for file_name, name in without_prefix(tensors).items() if name == "spiece_model"]
    return tensors[names[0]].parts()[0].numpy().tobytes() if names else None
