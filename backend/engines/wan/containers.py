# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of file that hold tensors: safetensors, torch's own, GGUF. Opened lazily and memory-mapped.

Nothing is ever unpickled but tensors. A file that ends too early is found out when it is opened, not when the last
block is read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import gguf
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ...contract.errors import UnderstudyError
from .keys import Shape
from .quantised import WHOLE, PackedType
from .stored import Read, Stored, packed, plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with one tensor of a file."""

    key: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.key}: expected {self.expected}, found {self.found}"


class CheckpointUnreadableError(UnderstudyError):
    """A model's file is not what its name says, or of a kind that is not read here."""

    hint = "Choose another file, or copy this one anew from where it came from."

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"The model file {path} cannot be read: {reason}.")
        self.path, self.reason = path, reason


class CheckpointDamagedError(UnderstudyError):
    """Tensors of a model's file are missing, are of another shape, are cut off, or do not belong."""

    hint = "Copy the file anew from where it came from; compare its size with the one stated there."

    SHOWN = 6

    def __init__(self, path: Path, faults: tuple[Fault, ...]) -> None:
        shown = "; ".join(str(fault) for fault in faults[: self.SHOWN])
        more = f"; and {len(faults) - self.SHOWN} more" if len(faults) > self.SHOWN else ""
        super().__init__(f"The model file {path} is damaged. {shown}{more}.")
        self.path, self.faults = path, faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One file's tensors by the file's own names. facts: what the file says of itself."""

    path: Path
    tensors: Mapping[str, Stored]
    facts: Mapping[str, str] = field(default_factory=dict)


def open_container(path: Path) -> Container:
    """Open a file by what it is, not by its name.

    Raises CheckpointUnreadableError, CheckpointDamagedError.
    """
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise CheckpointUnreadableError(path, error.strerror or str(error)) from error
    if head[:4] == b"GGUF":
        return _open_gguf(path)
    if head[:2] in (b"PK", b"\x80\x02"):  # a zip archive, or the pickle that torch wrote before it
        return _open_torch(path)
    if head[8:9] == b"{":
        return _open_safetensors(path)
    if not head:
        raise CheckpointUnreadableError(path, "it is empty")
    raise CheckpointUnreadableError(path, "it is neither safetensors nor GGUF nor a file of torch")


_SAFETENSORS_TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}

_LONGEST_HEADER_BYTES = 100_000_000
"""As of the format's definition."""


def _open_safetensors(path: Path) -> Container:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > _LONGEST_HEADER_BYTES:
            raise CheckpointUnreadableError(path, "its header is longer than the format allows")
        text = file.read(length)
    try:
        header: dict[str, Any] = json.loads(text)
        facts = {str(key): str(value) for key, value in header.pop("__metadata__", {}).items()}
        entries = {name: _entry(facts) for name, facts in header.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointUnreadableError(path, "its header is cut off or garbled") from error
    _refuse_cut_off(
        path, {name: (8 + length + first, 8 + length + end) for name, (_, _, first, end) in entries.items()}
    )
    try:
        handle = safe_open(path, framework="pt", device="cpu")
    except (SafetensorError, OSError) as error:
        raise CheckpointUnreadableError(path, str(error)) from error
    tensors = {
        name: plain(shape, _SAFETENSORS_TYPES[kind], partial(handle.get_tensor, name))
        for name, (kind, shape, _, _) in entries.items()
        if kind in _SAFETENSORS_TYPES
    }
    if unknown := sorted({kind for kind, _, _, _ in entries.values()} - set(_SAFETENSORS_TYPES)):
        raise CheckpointUnreadableError(path, f"it holds numbers of the type {unknown[0]}, which is not read here")
    return Container(path=path, tensors=tensors, facts=facts)


def _entry(facts: Mapping[str, Any]) -> tuple[str, Shape, int, int]:
    first, end = facts["data_offsets"]
    return str(facts["dtype"]), tuple(int(length) for length in facts["shape"]), int(first), int(end)


def _refuse_cut_off(path: Path, spans: Mapping[str, tuple[int, int]]) -> None:
    """Name the tensors that the file does not hold to their last byte. spans: first and end in bytes of the file."""
    size = path.stat().st_size
    cut = tuple(
        Fault(key=name, expected=f"{end - first} bytes", found=f"{max(0, size - first)} bytes, where the file ends")
        for name, (first, end) in sorted(spans.items(), key=lambda item: item[1])
        if end > size
    )
    if cut:
        raise CheckpointDamagedError(path, cut)


_RefusedByTorch: type[Exception] = torch.serialization.pickle.UnpicklingError  # type: ignore[attr-defined]
"""What torch raises for more than tensors, named by way of torch so that nothing here can unpickle."""

_GARBLED = (RuntimeError, EOFError, OSError, ValueError, LookupError, TypeError, AttributeError, AssertionError)
"""What its unpickler may stumble over."""


def _open_torch(path: Path) -> Container:
    try:
        loaded = _loaded(path)
    except _RefusedByTorch as error:
        raise CheckpointUnreadableError(path, "it holds more than tensors, which would be run as a program") from error
    except _GARBLED as error:
        raise CheckpointUnreadableError(path, "it is cut off or garbled") from error
    tensors = {
        name: plain(tuple(tensor.shape), tensor.dtype, _given(tensor)) for name, tensor in _only_tensors(loaded).items()
    }
    if not tensors:
        raise CheckpointUnreadableError(path, "it holds no tensors by name")
    return Container(path=path, tensors=tensors)


def _loaded(path: Path) -> object:
    with path.open("rb") as file:
        mapped = file.read(2) == b"PK"  # torch maps its zip archives only
    loaded: object = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    return loaded


def _only_tensors(loaded: object) -> dict[str, Tensor]:
    """Find the tensors in what was saved: a dict of them, or one such dict under a name like `state_dict`."""
    if not isinstance(loaded, Mapping):
        return {}
    tensors = {str(name): value for name, value in loaded.items() if isinstance(value, Tensor)}
    if tensors:
        return tensors
    inner = (_only_tensors(value) for value in loaded.values())
    return next((found for found in inner if found), {})


def _given(tensor: Tensor) -> Read:
    return lambda: tensor.detach()


class _CheckedReader(gguf.GGUFReader):
    """The library's reader, which would end with a message about array shapes where a file is cut off."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(path, "c")  # mapped and private, because torch wants memory that may be written into

    def _build_tensors(self, start_offs: int, fields: list[gguf.ReaderField]) -> None:
        spans = {}
        for info in fields:
            _, name, _, dims, kind, offset = info.parts
            block_size, block_bytes = gguf.GGML_QUANT_SIZES[PackedType(kind[0])]
            first = int(start_offs + offset[0])
            nbytes = int(dims.prod()) * block_bytes // block_size
            spans[bytes(name).decode()] = (first, first + nbytes)
        _refuse_cut_off(self.path, spans)
        super()._build_tensors(start_offs, fields)


def _open_gguf(path: Path) -> Container:
    try:
        reader = _CheckedReader(path)
    except (ValueError, IndexError, KeyError, OverflowError, UnicodeDecodeError, MemoryError) as error:
        raise CheckpointUnreadableError(path, "its header is cut off or garbled") from error
    tensors = {tensor.name: _gguf_tensor(reader, tensor) for tensor in reader.tensors}
    architecture = reader.get_field("general.architecture")
    return Container(
        path=path, tensors=tensors, facts={"architecture": str(architecture.contents())} if architecture else {}
    )


def _gguf_tensor(reader: gguf.GGUFReader, tensor: gguf.ReaderTensor) -> Stored:
    """Describe a tensor. The format writes axes from the innermost out, at most four of them."""
    shape = tuple(int(length) for length in reversed(tensor.shape.tolist()))
    original = reader.get_field(f"comfy.gguf.orig_shape.{tensor.name}")  # by converters that had to fold axes
    if original is not None:
        shape = tuple(int(length) for length in original.contents())
    kind = PackedType(tensor.tensor_type)
    if kind in WHOLE:
        return plain(shape, WHOLE[kind], lambda: _whole(tensor, WHOLE[kind], shape))
    return packed(shape, kind, int(tensor.n_bytes), lambda: torch.from_numpy(tensor.data))


def _whole(tensor: gguf.ReaderTensor, dtype: torch.dtype, shape: Shape) -> Tensor:
    return torch.from_numpy(tensor.data).view(dtype).reshape(shape)
