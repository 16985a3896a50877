# SPDX-License-Identifier: GPL-3.0-or-later
"""What an engine must say and do. A new engine is a new folder beside this file and a line in the pipeline's table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Protocol

from ..contract.job import Fit, Mode
from ..contract.watch import Watch
from ..media.images import Pixels
from ..media.sequence import Sequence
from ..performer.tracks import Tracks


class Ability(StrEnum):
    """What an engine can do."""

    REPLACE = "replace"
    ANIMATE = "animate"
    SEVERAL_PERFORMERS = "several_performers"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotSize:
    """What a plan needs to know of a shot."""

    width_px: int
    height_px: int
    frame_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an engine would do, told before it does it. windows: (first, last) inclusive, covering the shot once.

    is_chained: whether a window goes on from what the one before it left. remarks: what the artist should know.
    """

    windows: tuple[tuple[int, int], ...]
    is_chained: bool = False
    remarks: tuple[str, ...] = ()
    seconds: float
    peak_memory_bytes: int
    disk_bytes: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing of this machine that was examined. is_needed: whether the draft engine can't work without it."""

    what: str
    detail: str
    is_well: bool
    is_needed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What an engine draws from, for one performer. All sequences have the shot's frames, numbered from 0.

    plate: in animate mode the picture that `background` gave, once a frame. performer_matte: None in animate mode.
    character: the folder that `prepare` filled. before: what the window before this one left, if they are chained.
    """

    mode: Mode
    frames: Sequence
    plate: Sequence
    performer_matte: Sequence | None
    tracks: Tracks
    character: Path
    fit: Fit
    seed: int
    before: Path | None = None


class Engine(Protocol):
    """Draws the character. Knows nothing of jobs and stages; a pure function of files.

    version: raise it whenever equal inputs would give other bytes.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    abilities: ClassVar[frozenset[Ability]]

    def plan(self, size: ShotSize, mode: Mode) -> Plan:
        """Say windows, time, memory and disk for a shot. Raises an UnderstudyError if it can't work at all."""

    def examine(self) -> tuple[Finding, ...]:
        """Say what of this machine and of its files works, and what it would be good for. Raises an UnderstudyError."""

    def files(self, mode: Mode) -> tuple[Path, ...]:
        """Name the files that results depend on beside the inputs: weights."""

    def prepare(self, picture: Path, mirror: bool, into: Path, watch: Watch) -> None:
        """Do what depends on the character's picture alone, into a folder. Faults foreseen are noticed on `watch`."""

    def describe(self, character: Path) -> tuple[str, ...]:
        """Word what was found in the character's picture, from the folder that `prepare` filled."""

    def background(self, picture: Path, mirror: bool, character: Path) -> Pixels:
        """Give what the character moves before in animate mode, RGB `h w 3`: its size is the result's."""

    def driving_tracks(self, inputs: Inputs) -> Tracks:
        """Give the tracks as they drive the character, in the plate's pixels."""

    def foresee(self, inputs: Inputs, watch: Watch) -> None:
        """Notice, before anything is drawn, what this performer will ask of this character and not get."""

    def generate(self, inputs: Inputs, first: int, last: int, into: Path, watch: Watch) -> None:
        """Draw frames first..last into `into`: straight RGBA PNG of the source frames' depth, named by `frame_name`.

        Files of other names are the engine's own, for the window after this one.
        The alpha is the character's coverage, the colour is display-referred like the source's and 0 where alpha is 0.
        """
