# SPDX-License-Identifier: GPL-3.0-or-later
"""Transformer, VAE and image tower make no float64 on the device: Apple's Metal has none; torch's meta stands in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from backend.engines.wan.image import ImageEncoder
from backend.engines.wan.loading import DeviceMissingError, device_of, dtype_of
from backend.engines.wan.settings import WanSettings
from backend.engines.wan.transformer import Transformer
from backend.engines.wan.vae import Vae, VaeConfig

from .peer_transformer import TINY, inputs


class Float64OnDeviceError(AssertionError):
    pass


class NoFloat64(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Refuses ops that take or give float64 on a device that is not the processor; tells that it saw any."""

    seen = 0

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for each in tree_leaves((args, result)):
            if isinstance(each, torch.Tensor) and each.device.type != "cpu":
                self.seen += 1
                if each.dtype is torch.float64:
                    raise Float64OnDeviceError(str(func))
        return result


def transform() -> None:
    given = inputs(1)
    x, condition, pose, faces, text, image = (
        each.to("meta") for each in (given.x, given.condition, given.pose, given.faces, given.text, given.image)
    )
    with torch.device("meta"):
        model = Transformer(TINY)
    context = model.encode_context(text, image)
    model(x, 500, context, model.encode_window(pose, condition, model.encode_faces(faces)))


def compress() -> None:
    with torch.device("meta"):
        vae, frames = Vae(VaeConfig(dim=16)), torch.empty(3, 5, 32, 32)
    vae.decode(vae.encode(frames))


def look() -> None:
    with torch.device("meta"):
        encoder, picture = ImageEncoder(), torch.empty(3, 224, 224)
    encoder(picture)


@pytest.mark.parametrize("work", [transform, compress, look])
def test_it_makes_no_float64_on_its_device(work: Callable[[], None]) -> None:
    with torch.inference_mode(), NoFloat64() as watched:
        work()
    assert watched.seen > 100


def test_the_watch_notices_float64() -> None:
    with pytest.raises(Float64OnDeviceError), NoFloat64():
        torch.arange(3, dtype=torch.float64, device="meta")


def test_metal_computes_in_bfloat16_and_is_refused_where_torch_has_none() -> None:
    assert dtype_of(WanSettings(), torch.device("mps")) is torch.bfloat16
    if not torch.backends.mps.is_available():
        with pytest.raises(DeviceMissingError, match="'mps'"):
            device_of(WanSettings(device="mps"))
