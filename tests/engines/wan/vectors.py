# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers that the official Wan 2.2 code computed with small random models, and the weights it computed them with.

The weights are not stored: each is drawn anew from its checkpoint key, so the same torch draws the same numbers.
A part of the cases lies in `golden/`; where UNDERSTUDY_GOLDEN names a folder, all that lie there are used instead.
"""

from __future__ import annotations

import json
import math
import os
import zlib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

FOLDER = Path(os.environ.get("UNDERSTUDY_GOLDEN") or Path(__file__).parent / "golden")
FACE_SIZE_PX = 512


def cases(pattern: str) -> list[str]:
    """Name the cases that are there and fit `pattern`, such as "dit/s*_t*", in order.

    Raises ValueError where none does: tests of no cases would pass.
    """
    files = (path for ending in ("json", "safetensors") for path in FOLDER.rglob(f"*.{ending}"))
    names = {path.relative_to(FOLDER).with_suffix("").as_posix() for path in files}
    fitting = sorted(name for name in names if fnmatch(name, pattern))
    if not fitting:
        raise ValueError(f"{FOLDER} has no case that fits {pattern}.")
    return fitting


def load(case: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a case, such as "dit/s1_t5": its tensors and its numbers, either of which may be empty."""
    tensors, numbers = FOLDER / f"{case}.safetensors", FOLDER / f"{case}.json"
    return (
        load_file(tensors) if tensors.exists() else {},
        json.loads(numbers.read_text(encoding="utf-8")) if numbers.exists() else {},
    )


def config(model: str) -> dict[str, Any]:
    """Read the sizes of a small model, such as "dit_tiny", as the official code names them."""
    return dict(_model(model)["config"])


def weights(model: str, seed: int) -> dict[str, Tensor]:
    """Draw all parameters of a model by native checkpoint key, float32.

    Raises ValueError where this torch draws other random numbers than the one that computed the cases.
    """
    facts = _model(model)
    drawn = {key: weight(seed, key, tuple(shape)) for key, shape in facts["shapes"].items()}
    for key, (total, absolute) in facts["checksums"].get(str(seed), {}).items():
        value = drawn[key].double()
        if max(abs(float(value.sum()) - total), abs(float(value.abs().sum()) - absolute)) > 1e-5 * absolute:
            raise ValueError(f"{key} of {model}, seed {seed}: this torch draws other random numbers.")
    return drawn


def weight(seed: int, key: str, shape: tuple[int, ...]) -> Tensor:
    """Draw one parameter: normal, scaled so that activations stay near one, seeded by the CRC-32 of "seed:key"."""
    generator = torch.Generator("cpu").manual_seed(zlib.crc32(f"{seed}:{key}".encode()))
    scale, offset = _scale_and_offset(key, shape)
    return torch.randn(shape, generator=generator) * scale + offset


def faces(small: Tensor) -> Tensor:
    """Enlarge stored faces `... s s` to the size that the motion encoder takes, by repeating pixels."""
    times = FACE_SIZE_PX // small.shape[-1]
    return small.repeat_interleave(times, -2).repeat_interleave(times, -1)


def _model(model: str) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((FOLDER / "models" / f"{model}.json").read_text(encoding="utf-8"))
    return facts


def _scale_and_offset(key: str, shape: tuple[int, ...]) -> tuple[float, float]:
    if key.endswith((".bias", "modulation")):
        return 0.1, 0.0
    if key.endswith(".gamma") or (len(shape) == 1 and key.endswith(".weight")):
        return 0.1, 1.0
    if key.endswith(("padding_tokens", "cls_embedding", "pos_embedding")):
        return 0.1, 0.0
    if key.startswith("motion_encoder.") or key.endswith(("token_embedding.weight", "pos_embedding.embedding.weight")):
        return 1.0, 0.0
    gain = 0.5 if key == "decoder.head.2.weight" else 1.0
    return gain / math.sqrt(math.prod(shape[1:])), 0.0
