# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the weights is on the device when, within a budget of bytes.

A network runs through its parts in a known order, again and again. As many parts as fit stay on the device; the
others come through a ring of buffers, each carried over while those before it compute. Weights never change, so
nothing is ever carried back. They travel as they lie in the file and are decoded on the device when they are used.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Self

import torch
from torch import Tensor, nn

from ...contract.errors import UnderstudyError
from .keys import ADAPTER_EVERY, DitSizes, TextSizes
from .stored import Stored
from .transport import Mark, Transport, aligned

SLOTS = 3
"""Buffers of the ring, where they fit: with two, parts of unequal length would wait for each other."""

LEAST_SLOTS = 2

CONTEXT = ("cross_attn.k.", "cross_attn.v.", "cross_attn.k_img.", "cross_attn.v_img.", "cross_attn.norm_k")
"""What of a block only says what text and picture offer: used once a job."""

OFFERED = ("linear1_kv.", "k_norm.")
"""What of a face block only says what the faces offer: used once a window."""


class BudgetTooSmallError(UnderstudyError):
    """The memory given to weights does not hold even the few that are needed at once."""

    hint = "Close what else uses the graphics card, choose a smaller size or an fp8 or GGUF file."

    def __init__(self, budget_bytes: int, needed_bytes: int) -> None:
        super().__init__(
            f"{budget_bytes / 1e9:.2f} GB of memory are left for the model's weights, but {needed_bytes / 1e9:.2f} GB "
            f"is the least that it runs with."
        )
        self.budget_bytes, self.needed_bytes = budget_bytes, needed_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Weights that are needed at once. name: what the network says before it uses them; keys: all of them."""

    name: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lying:
    """Where one of a part's tensors lies in a buffer, and as what."""

    first: int
    nbytes: int
    dtype: torch.dtype
    shape: torch.Size


@dataclass(frozen=True, slots=True, kw_only=True)
class Cargo:
    """A part as it travels. lying: for each key. decoded_bytes: what decoding takes on top, if it is needed."""

    part: Part
    tensors: Mapping[str, Stored]
    lying: Mapping[str, tuple[Lying, ...]]
    nbytes: int
    decoded_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """What stays, and how the rest travels. resident: indices into the order."""

    resident: frozenset[int]
    slots: int
    slot_bytes: int
    total_bytes: int


def context_parts(sizes: DitSizes) -> tuple[Part, ...]:
    """Give the order in which the transformer says what text and picture offer, once a job."""
    names = ["text_embedding", "img_emb", *(f"blocks.{index}.cross_attn" for index in range(sizes.layers))]
    return _parts(sizes, names, lambda key: key.startswith(CONTEXT))


def face_parts(sizes: DitSizes) -> tuple[Part, ...]:
    """Give the order in which it says what the faces of a window offer."""
    adapters = (f"face_adapter.fuser_blocks.{index}.linear1_kv" for index in range(sizes.adapters))
    return _parts(sizes, ["motion_encoder", "face_encoder", *adapters], lambda key: key.startswith(OFFERED))


def step_parts(sizes: DitSizes) -> tuple[Part, ...]:
    """Give the order of a step."""
    names = []
    for index in range(sizes.layers):
        names.append(f"blocks.{index}")
        if index % ADAPTER_EVERY == 0:
            names.append(f"face_adapter.fuser_blocks.{index // ADAPTER_EVERY}")
    return _parts(sizes, names, lambda key: not key.startswith((*CONTEXT, *OFFERED)))


def text_parts(sizes: TextSizes) -> tuple[Part, ...]:
    """Give the order in which the text encoder works."""
    return _parts(sizes, [f"blocks.{index}" for index in range(sizes.layers)], lambda _: True)


def lasting_keys(sizes: DitSizes) -> tuple[str, ...]:
    """Name what is used in every step outside the parts, and always stays."""
    lasting = ("patch_embedding.", "pose_patch_embedding.", "time_embedding.", "time_projection.", "head.")
    return tuple(key for key in sizes.table() if key.startswith(lasting))


def _parts(sizes: DitSizes | TextSizes, names: Sequence[str], wanted: Callable[[str], bool]) -> tuple[Part, ...]:
    """Collect keys by part; of blocks and face blocks those that are wanted by the rest of their key."""
    table = sizes.table()
    block = re.compile(r"(blocks|face_adapter\.fuser_blocks)\.\d+\.")
    parts = []
    for name in names:
        inside = block.match(f"{name}.")
        start = inside[0] if inside else f"{name}."
        own = (key for key in table if key.startswith(start))
        parts.append(Part(name=name, keys=tuple(key for key in own if not inside or wanted(key.removeprefix(start)))))
    return tuple(parts)


def cargo(part: Part, tensors: Mapping[str, Stored], dtype: torch.dtype) -> Cargo:
    """Say what a part takes to travel and to be used in a dtype."""
    own = {key: tensors[key] for key in part.keys}
    lying: dict[str, tuple[Lying, ...]] = {}
    first = 0
    for key, stored in own.items():
        places = []
        for tensor in stored.parts():
            places.append(Lying(first=first, nbytes=tensor.nbytes, dtype=tensor.dtype, shape=tensor.shape))
            first += aligned(tensor.nbytes)
        lying[key] = tuple(places)
    decoded = sum(_decoded_bytes(stored, dtype) for stored in own.values())
    decoded += max((stored.transient_bytes for stored in own.values()), default=0)
    return Cargo(part=part, tensors=own, lying=lying, nbytes=first, decoded_bytes=decoded)


def _decoded_bytes(stored: Stored, dtype: torch.dtype) -> int:
    return 0 if stored.is_kept or stored.dtype is dtype else torch.Size(stored.shape).numel() * dtype.itemsize


def least_bytes(cargoes: Sequence[Cargo]) -> int:
    """Say the least budget with which an order of parts runs."""
    largest = max((cargo.nbytes for cargo in cargoes), default=0)
    small = sum(cargo.nbytes for cargo in cargoes if _is_small(cargo, largest))
    return min(_scratch(cargoes) + small + LEAST_SLOTS * largest, whole_bytes(cargoes))


def whole_bytes(cargoes: Sequence[Cargo]) -> int:
    """Say the budget with which all of an order stays."""
    return sum(cargo.nbytes for cargo in cargoes) + _scratch(cargoes)


def place(cargoes: Sequence[Cargo], budget_bytes: int) -> Placement:
    """Decide what stays on the device and what travels, for an order that is repeated.

    All stays where all fits. Otherwise small parts stay, so that what travels is of about one length and two buffers
    can take turns; then the ring is taken; and with what is left more parts stay, spread evenly over the order, so that
    those that travel have as much computing between them as there is. Raises BudgetTooSmallError.
    """
    if whole_bytes(cargoes) <= budget_bytes:
        every = frozenset(range(len(cargoes)))
        return Placement(resident=every, slots=0, slot_bytes=0, total_bytes=whole_bytes(cargoes))
    least = least_bytes(cargoes)
    if budget_bytes < least:
        raise BudgetTooSmallError(budget_bytes, least)
    largest = max(cargo.nbytes for cargo in cargoes)
    slots = SLOTS if budget_bytes >= least + largest else LEAST_SLOTS
    resident = {index for index, cargo in enumerate(cargoes) if _is_small(cargo, largest)}
    left = budget_bytes - least - (slots - LEAST_SLOTS) * largest
    for index in _spread(len(cargoes)):
        if index not in resident and cargoes[index].nbytes <= left:
            resident.add(index)
            left -= cargoes[index].nbytes
    return Placement(resident=frozenset(resident), slots=slots, slot_bytes=largest, total_bytes=budget_bytes - left)


def _is_small(cargo: Cargo, largest: int) -> bool:
    return cargo.nbytes * 2 < largest


def _scratch(cargoes: Sequence[Cargo]) -> int:
    return max((cargo.decoded_bytes for cargo in cargoes), default=0)


def _spread(count: int) -> list[int]:
    """Order indices so that the first few of them, however many, lie evenly: by their bits read backwards."""
    bits = max(1, (count - 1).bit_length())
    return [index for index in (int(f"{n:0{bits}b}"[::-1], 2) for n in range(1 << bits)) if index < count]


@dataclass(slots=True, kw_only=True)
class _Slot:
    """A buffer of the ring. free: when what used it is done with it."""

    buffer: Tensor
    free: Mark | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Coming:
    """A part on its way."""

    index: int
    slot: _Slot
    arrived: Mark


@dataclass(slots=True)
class WeightStream:
    """Gives a network the weights of the part that it is about to use.

    `before` is what the network calls. Parts asked for out of order, as after a job was stopped inside a step, are
    brought all the same: what was on its way is given up.
    """

    transport: Transport
    attach: Callable[[Mapping[str, Tensor]], None]
    detach: Callable[[Sequence[str]], None]
    dtype: torch.dtype
    copied_bytes: int = 0
    _cargoes: tuple[Cargo, ...] = ()
    _index_of: dict[str, int] = field(default_factory=dict)
    _resident: dict[int, Tensor] = field(default_factory=dict)
    _free: deque[_Slot] = field(default_factory=deque)
    _coming: deque[_Coming] = field(default_factory=deque)
    _streamed: tuple[int, ...] = ()
    _next: int = 0
    _current: int | None = None
    _slot: _Slot | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def expect(self, parts: Sequence[Part], tensors: Mapping[str, Stored], budget_bytes: int) -> Placement:
        """Begin another order of parts, repeated until the next one; what the last one held is let go.

        Raises BudgetTooSmallError.
        """
        self._let_go()
        cargoes = tuple(cargo(part, tensors, self.dtype) for part in parts)
        placement = place(cargoes, budget_bytes)
        self._cargoes = cargoes
        self._index_of = {part.name: index for index, part in enumerate(parts)}
        self._streamed = tuple(index for index in range(len(cargoes)) if index not in placement.resident)
        self._next = 0
        self._free.extend(_Slot(buffer=self.transport.reserve(placement.slot_bytes)) for _ in range(placement.slots))
        for index in sorted(placement.resident):
            buffer = self.transport.reserve(cargoes[index].nbytes)
            self.transport.wait(self._send(index, buffer, None))
            self._resident[index] = buffer
        self._send_ahead()
        return placement

    def before(self, name: str) -> None:
        """Have the weights of a part in place for what is computed from now on, and those before it let go."""
        index = self._index_of[name]
        if index == self._current:
            return
        self._leave()
        buffer = self._resident.get(index)
        if buffer is None:
            self._slot = self._arrival(index)
            buffer = self._slot.buffer
        self._current = index
        self.attach(_decoded(self._cargoes[index], buffer, self.dtype))
        self._send_ahead()

    def close(self) -> None:
        """Let all go."""
        self._let_go()
        self.transport.close()

    def _arrival(self, index: int) -> _Slot:
        """Wait for the part, or have it sent where it is not the next to come."""
        if not self._coming or self._coming[0].index != index:
            self._free.extend(coming.slot for coming in self._coming)
            self._coming.clear()
            self._next = self._streamed.index(index)
            self._send_ahead()
        coming = self._coming.popleft()
        self._slot = coming.slot  # it is given back even where the copy failed
        self.transport.wait(coming.arrived)
        return coming.slot

    def _leave(self) -> None:
        """Take the current part's weights from the network; its buffer is free once what uses it is computed."""
        if self._current is not None:
            self.detach(self._cargoes[self._current].part.keys)
            self._current = None
        if self._slot is not None:
            self._slot.free = self.transport.mark()
            self._free.append(self._slot)
            self._slot = None

    def _send_ahead(self) -> None:
        """Send as many of the next parts as there are free buffers."""
        while self._free and self._streamed:
            index = self._streamed[self._next % len(self._streamed)]
            self._next += 1
            slot = self._free.popleft()
            arrived = self._send(index, slot.buffer[: self._cargoes[index].nbytes], slot.free)
            self._coming.append(_Coming(index=index, slot=slot, arrived=arrived))

    def _send(self, index: int, into: Tensor, after: Mark | None) -> Mark:
        self.copied_bytes += self._cargoes[index].nbytes
        return self.transport.copy(partial(_sources, self._cargoes[index]), into, after)

    def _let_go(self) -> None:
        self._leave()
        for coming in self._coming:
            self.transport.drop(coming.arrived)
        for held in (self._resident, self._free, self._coming):
            held.clear()


def _sources(cargo: Cargo) -> list[Tensor]:
    return [part for stored in cargo.tensors.values() for part in stored.parts()]


def _decoded(cargo: Cargo, buffer: Tensor, dtype: torch.dtype) -> dict[str, Tensor]:
    """Make the part's weights of the bytes that lie in a buffer; plain ones are seen there, not copied."""

    def seen(place: Lying) -> Tensor:
        return buffer[place.first : place.first + place.nbytes].view(place.dtype).view(place.shape)

    return {key: own.decode([seen(place) for place in cargo.lying[key]], dtype) for key, own in cargo.tensors.items()}


@dataclass(frozen=True, slots=True)
class Weights:
    """Puts weights into a module and takes them out again; what is out lies on the meta device and takes nothing."""

    module: nn.Module

    def attach(self, weights: Mapping[str, Tensor]) -> None:
        """Put weights in by their keys."""
        for key, tensor in weights.items():
            self._set(key, tensor)

    def detach(self, keys: Sequence[str]) -> None:
        """Take weights out."""
        for key in keys:
            self._set(key, None)

    def _set(self, key: str, tensor: Tensor | None) -> None:
        path, _, name = key.rpartition(".")
        owner = self.module.get_submodule(path)
        held = getattr(owner, name)
        new = torch.empty_like(held, device="meta") if tensor is None else tensor
        setattr(owner, name, nn.Parameter(new, requires_grad=False) if isinstance(held, nn.Parameter) else new)
