# SPDX-License-Identifier: GPL-3.0-or-later
"""A stage: a pure function of files in to files out, named by the hash of everything it depends on."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from pathlib import Path
from typing import ClassVar, cast

from ..contract.watch import Watch
from ..contract.wire import Json, to_json
from .fingerprint import Fingerprint


@dataclass(frozen=True, slots=True)
class Result:
    """What a stage left. digest: stands for its content in the keys of later stages."""

    folder: Path
    digest: str


@dataclass(frozen=True)
class Stage(ABC):
    """Base of all stages. The fields of a subclass are its whole input: results, fingerprints of files, settings.

    Raise `version` whenever equal inputs would give other bytes; a test compares the code with what was recorded.
    """

    name: ClassVar[str]
    version: ClassVar[int]

    @property
    def versions(self) -> tuple[int, ...]:
        """Name the code that computes it."""
        return (self.version,)

    @property
    def key(self) -> str:
        """Hash of name, versions and every field."""
        facts = {field.name: _fact(getattr(self, field.name)) for field in fields(self)}
        text = json.dumps([self.name, *self.versions, facts], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @abstractmethod
    def run(self, into: Path, watch: Watch) -> None:
        """Compute the result into an empty folder. Reads nothing but its fields; writes nowhere else."""

    def digest(self, folder: Path) -> str:  # noqa: ARG002
        """Name the result for later stages: by key, or by content where unequal inputs can give equal content."""
        return self.key


def _fact(value: object) -> Json:
    if isinstance(value, Result):
        return value.digest
    if isinstance(value, Fingerprint):
        return value.digest
    if isinstance(value, tuple):
        return [_fact(item) for item in value]
    if value is None or isinstance(value, str | int | float | bool):
        return cast(Json, value)
    return to_json(value)
