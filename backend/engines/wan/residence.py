# SPDX-License-Identifier: GPL-3.0-or-later
"""A network's weights while it works: what is used all the time stays, the rest comes by its part's order.

The transformer goes through three orders of parts: once a job through what text and picture offer, once a window
through what the faces offer, and in each step through the blocks. The one that is being gone through has all of the
budget. The text encoder has one order, of its blocks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import torch
from torch import nn

from .eight_bit_weights import with_beside
from .keys import DitSizes, TextSizes
from .machine import machine_bytes
from .memory import (
    Part,
    Weights,
    WeightStream,
    cargo,
    context_parts,
    face_parts,
    lasting_keys,
    least_bytes,
    step_parts,
    text_parts,
    whole_bytes,
)
from .transport import CudaTransport, HostTransport, Transport
from .weights import Checkpoint

_CARD_PART, _HOST_PART = 0.92, 0.5
"""How much of what is free on a card, and of the machine's memory, is used unless the artist says otherwise."""


class Residence:
    """Gives a transformer or a text encoder its weights as it asks for them."""

    def __init__(
        self, module: nn.Module, checkpoint: Checkpoint, dtype: torch.dtype, device: torch.device, budget_bytes: int
    ) -> None:
        """Put in what stays; of the text encoder not the embedding. budget_bytes: of the device, for all weights."""
        orders, lasting = _orders_and_lasting(checkpoint)
        weights = Weights(module)
        weights.attach({key: checkpoint.tensor(key, dtype, device) for key in lasting})
        self._checkpoint, self._budget_bytes = checkpoint, budget_bytes - _kept_bytes(checkpoint, lasting, dtype)
        self._stream = WeightStream(transport_to(device), weights.attach, weights.detach, dtype)
        self._order_of = {part.name: order for order in orders for part in order}
        self._order: Sequence[Part] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    def before(self, name: str) -> None:
        """Have the weights of a part in place, and get ready for those that follow. Raises BudgetTooSmallError."""
        order = self._order_of[name]
        if order is not self._order:
            self._stream.expect(order, self._checkpoint.tensors, self._budget_bytes)
            self._order = order
        self._stream.before(name)


@dataclass(frozen=True, slots=True)
class Needs:
    """Bytes of a device for a network's weights: the least that it runs with, and with which none has to travel."""

    least_bytes: int
    whole_bytes: int


def needs(checkpoint: Checkpoint, dtype: torch.dtype) -> Needs:
    """Say what a network's weights need, as they lie in the file and decoded a part at a time."""
    orders, lasting = _orders_and_lasting(checkpoint)
    kept = _kept_bytes(checkpoint, lasting, dtype)
    cargoes = [[cargo(part, checkpoint.tensors, dtype) for part in order] for order in orders]
    return Needs(kept + max(map(least_bytes, cargoes)), kept + max(map(whole_bytes, cargoes)))


def _kept_bytes(checkpoint: Checkpoint, lasting: Sequence[str], dtype: torch.dtype) -> int:
    """Say what stays all the time, which is decoded once."""
    return sum(math.prod(checkpoint.tensors[key].shape) for key in lasting) * dtype.itemsize


def _orders_and_lasting(checkpoint: Checkpoint) -> tuple[list[list[Part]], Sequence[str]]:
    """Say in which orders a network goes through its parts, and what it uses outside of them."""
    sizes = checkpoint.sizes
    if isinstance(sizes, TextSizes):
        return [list(text_parts(sizes))], ("norm.weight",)
    assert isinstance(sizes, DitSizes)
    orders = (context_parts(sizes), face_parts(sizes), step_parts(sizes))
    return [[with_beside(part, checkpoint.tensors) for part in order] for order in orders], lasting_keys(sizes)


def transport_to(device: torch.device) -> Transport:
    """Choose how weights get to a device."""
    return CudaTransport(device) if device.type == "cuda" else HostTransport(device)


def memory_bytes(device: torch.device, wish_gb: float) -> int:
    """Say how much of the device's memory may be used. Raises MemoryUnknownError."""
    if wish_gb:
        return int(wish_gb * 1e9)
    if device.type == "cuda":
        free_bytes, _ = torch.cuda.mem_get_info(device)
        return int(free_bytes * _CARD_PART)
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() * _CARD_PART)
    return int(machine_bytes() * _HOST_PART)
