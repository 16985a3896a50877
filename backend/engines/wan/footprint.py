# SPDX-License-Identifier: GPL-3.0-or-later
"""How many bytes of tensors a piece of work holds at its worst moment, counted op by op.

On the meta device the same count costs no memory and no arithmetic, so a plan can ask the real code what it would need.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode


class Footprint(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While it is entered: `live_bytes` of the storages that its ops have made, and their `peak_bytes`.

    What existed before is not counted; neither is what a kernel takes and gives back within one op.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.live_bytes = self.peak_bytes = 0
        self._known: weakref.WeakSet[torch.UntypedStorage] = weakref.WeakSet()

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        for tensor in _tensors((*args, *kwargs.values())):
            self._known.add(tensor.untyped_storage())
        result = func(*args, **kwargs)
        for tensor in _tensors((result,)):
            self._count(tensor.untyped_storage())
        return result

    def _count(self, storage: torch.UntypedStorage) -> None:
        if storage in self._known:
            return
        self._known.add(storage)
        self.live_bytes += storage.nbytes()
        self.peak_bytes = max(self.peak_bytes, self.live_bytes)
        weakref.finalize(storage, self._free, storage.nbytes())

    def _free(self, count: int) -> None:
        self.live_bytes -= count


def _tensors(values: Iterable[Any]) -> Iterator[torch.Tensor]:
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)
