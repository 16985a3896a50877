# SPDX-License-Identifier: GPL-3.0-or-later
"""What an environment is said to hold is what its packages say themselves."""

from importlib import util
from importlib.metadata import version
from types import ModuleType

import pytest
import torch

from backend.environment.check import describe
from backend.environment.errors import PackagesMissingError, TorchBrokenError


def test_a_python_is_described_by_its_torch_and_what_it_computes_on() -> None:
    said = describe()
    assert said.startswith(f"torch {version('torch').partition('+')[0]}, ")
    assert ("processor" in said) == (not torch.cuda.is_available() and not torch.backends.mps.is_available())


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    find = util.find_spec
    monkeypatch.setattr("backend.environment.check.find_spec", lambda name: None if name == "gguf" else find(name))
    with pytest.raises(PackagesMissingError, match=r"lacks gguf\."):
        describe()


def test_a_torch_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str, *rest: object, **more: object) -> ModuleType:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr("builtins.__import__", broken)
    with pytest.raises(TorchBrokenError, match="shared object"):
        describe()
