# SPDX-License-Identifier: GPL-3.0-or-later
"""What an artist can set of the Wan engine; each as `--set NAME=VALUE` on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Self

from ..settings import SettingInvalidError
from .attention import AttentionKernel
from .sampler import SolverName
from .windows import OFFICIAL_WINDOW_FRAMES

_RANGES = {
    "area_px": (64 * 64, 1920 * 1088),
    "steps": (1, 100),
    "shift": (0.1, 100.0),
    "guidance": (1.0, 20.0),
    "relight": (0.0, 2.0),
    "cells": (1, 64),
    "memory_gb": (0.0, 1000.0),
}
"""Least and most of each number; overlap and windows are checked where the shot is cut."""


class Windows(StrEnum):
    """How a shot is cut into windows."""

    FITTED = "fitted"
    """As few and as equal as go: hardly a frame is generated that is not delivered."""
    OFFICIAL = "official"
    """All of one length, as the official system does."""


class Precision(StrEnum):
    """In which numbers the networks compute."""

    AUTO = "auto"
    """bf16 on a graphics card that has it, else fp16; fp32 on the processor."""
    BF16 = "bf16"
    FP16 = "fp16"
    FP32 = "fp32"
    FP8 = "fp8"
    """bf16, but the large products of the blocks in eight bits, where the card and the weights have them."""


@dataclass(frozen=True, slots=True)
class LoraChoice:
    """A LoRA file and how strongly it acts, 1 as it was trained."""

    form: ClassVar[str] = "FILE or FILE:STRENGTH"
    path: Path
    strength: float = 1.0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `FILE` or `FILE:STRENGTH`. A colon of a drive's letter is part of the file."""
        file, _, strength = text.rpartition(":")
        try:
            return cls(Path(file), float(strength)) if file else cls(Path(text))
        except ValueError:
            return cls(Path(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class WanSettings:
    """models: folder of the weights' files. area_px: of the generated picture, about; the shot's aspect is kept.

    overlap: frames that a window takes over from the one before, 1 or 5. longest_window: frames, 4n+1. guidance: above
    1 faces are followed more strongly, at twice the time. relight: strength of the relighting LoRA in replace mode,
    0 to 2, where the models folder has it. lora: further ones. cells: of how many cells across and down the
    performer's box the region that is drawn anew is made, 1 is the whole box. correct_drift: whether windows' colours
    are brought back to the plate's. memory_gb: of the device, that may be used; 0 is most of what is free. attention:
    which package computes self-attention. pose, face, background, mask: clips of the official preprocessing that stand
    in for what is made here.

    Raises SettingInvalidError for a number out of its range.
    """

    models: Path = Path()
    area_px: int = 832 * 480
    steps: int = 20
    shift: float = 5.0
    solver: SolverName = SolverName.UNIPC
    guidance: float = 1.0
    windows: Windows = Windows.FITTED
    longest_window: int = OFFICIAL_WINDOW_FRAMES
    overlap: int = 1
    relight: float = 1.0
    lora: tuple[LoraChoice, ...] = ()
    cells: int = 1
    correct_drift: bool = False
    device: str = "auto"
    precision: Precision = Precision.AUTO
    attention: AttentionKernel = AttentionKernel.TORCH
    memory_gb: float = 0.0
    pose: str = ""
    face: str = ""
    background: str = ""
    mask: str = ""

    def __post_init__(self) -> None:
        for name, (least, most) in _RANGES.items():
            if not least <= getattr(self, name) <= most:
                raise SettingInvalidError(name, f"is {getattr(self, name)}; it can be {least:g} to {most:g}")
