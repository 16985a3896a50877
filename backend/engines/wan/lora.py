# SPDX-License-Identifier: GPL-3.0-or-later
"""LoRAs: small changes of the transformer's weights, in every naming of the wild.

Hu et al. 2021: W + strength * alpha / rank * B A. They are put together with a weight when it is decoded, in float32,
so that a quantised weight stays as it is in the file and is not rounded a second time. What comes out is off from the
exact sum of the file's numbers by at most half a unit in the last place of the dtype asked for (2^-8 of the number in
bfloat16, 2^-11 in float16 and 2^-25 where it is tiny) plus (sum of ranks + 3) 2^-24 of all magnitudes that were added.
"""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from ...contract.errors import FileMissingError, UnderstudyError
from .containers import CheckpointUnreadableError, Fault, open_container
from .keys import DitSizes, Shape
from .naming import PREFIXES, Place, diffusers_modules, dit_place
from .stored import Stored
from .weights import WEIGHT_SUFFIXES, Checkpoint

log = logging.getLogger(__name__)

_FACTOR = re.compile(r"(?P<module>.+?)\.lora[._](?P<factor>A|B|down|up)(\.default)?(\.weight)?")
_WHOLE = re.compile(r"(?P<module>.+?)\.(?P<what>diff|diff_b|diff_m)")
_WHOLE_ENDINGS = {"diff": ".weight", "diff_b": ".bias", "diff_m": ".modulation"}
_UNDERSCORED = re.compile(r"lora_unet_+(.+)")


class LoraUnfitError(UnderstudyError):
    """A LoRA was made for another model: nothing of it fits, or its shapes do not."""

    hint = "Choose a LoRA made for Wan 2.2 Animate or for Wan 2.1 I2V 14B, or remove it."

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"The LoRA {path} does not fit Wan 2.2 Animate: {reason}.")
        self.path, self.reason = path, reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a LoRA adds to one tensor, or to one of `parts` equal slices of its first axis.

    factors: B and A where the change is their product, else the change itself. scale: alpha / rank.
    """

    place: Place
    factors: tuple[Stored, ...]
    scale: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lora:
    """An opened LoRA. unmatched: its keys that mean nothing here."""

    path: Path
    changes: tuple[Change, ...]
    unmatched: tuple[str, ...]


def open_lora(path: Path) -> Lora:
    """Open a LoRA: a file, or a folder of PEFT.

    Raises FileMissingError, CheckpointUnreadableError, CheckpointDamagedError, LoraUnfitError.
    """
    file = _file_of(path)
    tensors = open_container(file).tensors
    names = {name: _bare(name) for name in tensors}
    alphas = {bare.removesuffix(".alpha"): name for name, bare in names.items() if bare.endswith(".alpha")}
    used: set[str] = set()
    changes = list(_whole_changes(tensors, names, used))
    for module, found in _pairs(names).items():
        if set(found) != {"A", "B"}:
            continue
        low, high = tensors[found["A"]], tensors[found["B"]]
        rank = low.shape[0]
        scale = _scale(file, rank)
        if module in alphas:
            scale = float(tensors[alphas[module]].parts()[0].float()) / rank
            used.add(alphas[module])
        changes.append(Change(place=dit_place(f"{module}.weight"), factors=(high, low), scale=scale))
        used |= set(found.values())
    if not changes:
        raise LoraUnfitError(path, "it holds no pair of factors and no difference by a known name")
    return Lora(path=path, changes=tuple(changes), unmatched=tuple(sorted(set(tensors) - used)))


def with_loras(checkpoint: Checkpoint, loras: Sequence[tuple[Lora, float]]) -> Checkpoint:
    """Give a checkpoint whose weights carry LoRAs, each at its strength; what fits nothing is logged.

    Raises LoraUnfitError where nothing of a LoRA fits, or where a shape does not.
    """
    terms = fitted_terms(checkpoint, loras)
    changed = {key: adapted(checkpoint.tensors[key], own) for key, own in terms.items()}
    return replace(checkpoint, tensors={**checkpoint.tensors, **changed})


def fitted_terms(checkpoint: Checkpoint, loras: Sequence[tuple[Lora, float]]) -> dict[str, tuple[Term, ...]]:
    """Collect what LoRAs add to each tensor of a checkpoint, by its key; what fits nothing is logged.

    Raises LoraUnfitError where nothing of a LoRA fits, or where a shape does not.
    """
    terms: dict[str, tuple[Term, ...]] = {}
    for lora, strength in loras:
        fitting = [change for change in lora.changes if change.place.key in checkpoint.tensors]
        if not fitting:
            name = lora.changes[0].place.key
            raise LoraUnfitError(lora.path, f"none of its names is one of the model's, such as {name}")
        for change in fitting:
            term = _fitted(lora.path, change, checkpoint.tensors[change.place.key].shape, strength)
            terms[change.place.key] = (*terms.get(change.place.key, ()), term)
        if unmatched := unmatched_keys(checkpoint, lora):
            log.warning("%d keys of %s fit nothing, such as %s.", len(unmatched), lora.path.name, unmatched[0])
    return terms


def unmatched_keys(checkpoint: Checkpoint, lora: Lora) -> tuple[str, ...]:
    """Name what of a LoRA fits nothing of a checkpoint."""
    return (*lora.unmatched, *(c.place.key for c in lora.changes if c.place.key not in checkpoint.tensors))


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A change with its strength. rows: of the tensor's first axis. factor: what the factors' product is times."""

    rows: slice
    factors: tuple[Stored, ...]
    factor: float


def _fitted(path: Path, change: Change, shape: Shape, strength: float) -> Term:
    height = shape[0] // change.place.parts
    expected = (height, *shape[1:])
    first, last = change.factors[0], change.factors[-1]
    found: Shape = (first.shape[0], *last.shape[1:])
    is_product = len(change.factors) == 2
    fits = found == expected if is_product else first.shape == expected
    if not fits or (is_product and math.prod(first.shape[1:]) != last.shape[0]):
        fault = Fault(key=change.place.key, expected=str(list(expected)), found=str(list(found)))
        raise LoraUnfitError(path, str(fault))
    rows = slice(height * change.place.part, height * (change.place.part + 1))
    return Term(rows=rows, factors=change.factors, factor=strength * change.scale)


def adapted(stored: Stored, terms: Sequence[Term]) -> Stored:
    """Give a tensor to which what LoRAs add is added when it is decoded."""
    factors = tuple(factor for term in terms for factor in term.factors)

    def decode(parts: Sequence[Tensor], dtype: torch.dtype) -> Tensor:
        own = len(stored.reads)
        changed = stored.decode(parts[:own], torch.float32)
        if any(changed.untyped_storage().data_ptr() == part.untyped_storage().data_ptr() for part in parts):
            changed = changed.clone()  # it is the file itself
        rest = iter(parts[own:])
        for term in terms:
            numbers = [factor.decode([next(rest) for _ in factor.reads], torch.float32) for factor in term.factors]
            rows = changed[term.rows].flatten(1) if changed.ndim > 1 else changed[term.rows]
            if len(numbers) == 2:
                rows.addmm_(numbers[0].flatten(1), numbers[1].flatten(1), alpha=term.factor)
            else:
                rows.add_(numbers[0].reshape(rows.shape), alpha=term.factor)
        return changed.to(dtype)

    return replace(
        stored,
        nbytes=stored.nbytes + sum(factor.nbytes for factor in factors),
        dtype=None,
        reads=stored.reads + tuple(read for factor in factors for read in factor.reads),
        decode=decode,
        numbers_and_scale=None,
        transient_bytes=stored.transient_bytes + 8 * math.prod(stored.shape),
    )


def _file_of(path: Path) -> Path:
    if not path.is_dir():
        if not path.is_file():
            raise FileMissingError(path, "LoRA")
        return path
    files = [file for file in sorted(path.iterdir()) if file.suffix in WEIGHT_SUFFIXES]
    if not files:
        raise FileMissingError(path / "adapter_model.safetensors", "LoRA")
    return files[0]


def _scale(file: Path, rank: int) -> float:
    """Give alpha / rank as PEFT's file beside it says; 1 where nothing says it."""
    config = file.with_name("adapter_config.json")
    if not config.is_file():
        return 1.0
    try:
        facts = json.loads(config.read_text("utf-8"))
        alpha = float(facts.get("lora_alpha", rank))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise CheckpointUnreadableError(config, "it is no configuration of PEFT") from error
    if facts.get("alpha_pattern") or facts.get("use_dora"):
        raise CheckpointUnreadableError(config, "it asks for alphas by pattern or for DoRA, which are not read here")
    return alpha / (math.sqrt(rank) if facts.get("use_rslora") else rank)


def _bare(name: str) -> str:
    """Give a key without prefix, its module with dots."""
    prefixed = next((prefix for prefix in PREFIXES if name.startswith(prefix)), "")
    name = name.removeprefix(prefixed)
    underscored = _UNDERSCORED.fullmatch(name)
    if underscored is None:
        return name
    module, _, ending = underscored[1].partition(".")
    return f"{_dotted().get(module, module)}.{ending}"


@cache
def _dotted() -> Mapping[str, str]:
    """Find the module of a name in which underscores stand for dots."""
    sizes = DitSizes()
    natives = {key.rpartition(".")[0] for key in sizes.table()}
    theirs = diffusers_modules(sizes.layers, sizes.adapters)
    return {name.replace(".", "_"): name for name in natives | theirs}


def _pairs(names: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Collect the file's names of the factors A and B by module."""
    pairs: dict[str, dict[str, str]] = {}
    for name, bare in names.items():
        match = _FACTOR.fullmatch(bare)
        if match:
            pairs.setdefault(match["module"], {})["A" if match["factor"] in ("A", "down") else "B"] = name
    return pairs


def _whole_changes(tensors: Mapping[str, Stored], names: Mapping[str, str], used: set[str]) -> Iterator[Change]:
    for name, bare in names.items():
        match = _WHOLE.fullmatch(bare)
        if match:
            used.add(name)
            place = dit_place(match["module"] + _WHOLE_ENDINGS[match["what"]])
            yield Change(place=place, factors=(tensors[name],), scale=1.0)
