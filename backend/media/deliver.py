# SPDX-License-Identifier: GPL-3.0-or-later
"""The last step: layers become numbered files in a version folder, all of them or none."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import cast

import numpy as np

from ..contract.disk import disk_errors
from ..contract.job import Job, Pass
from ..contract.layout import pass_file
from ..contract.watch import Watch
from .ahead import ahead
from .colour import to_depth
from .comp import change_matte_of, comp_over, merge_layers
from .images import Pixels, rgb_of
from .sequence import Sequence, SequenceWriter
from .sidecar import Making, read_sidecar_job, sidecar_text
from .versions import Version, claim, find_delivered_or_none, replace_text

__all__ = ["DeliveredVersion", "Layers", "Making", "deliver", "read_sidecar_job"]

_AHEAD_FRAMES = 2
_WRITING_THREADS = min(4, os.cpu_count() or 1)

DrawControl = Callable[[Pixels, int], Pixels]
"""Draws the tracks of frame `index` over its plate, RGB `h w 3` of any depth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """Everything that a version is made of; sequences of one length, numbered from 0, colour in display code values.

    plate: RGB. characters: straight RGBA, rearmost first. source: RGB, the frames that the plate was made from; with
    it goes hole, grey, 0 or 255, outside of which plate and source are equal. Both are None where the plate is no
    part of a shot (the character's own background). What is None or empty has no pass.
    """

    plate: Sequence
    characters: tuple[Sequence, ...]
    source: Sequence | None = None
    hole: Sequence | None = None
    plate_confidence: Sequence | None = None
    performer_mattes: tuple[Sequence, ...] = ()
    control: DrawControl | None = None

    def frame_count(self) -> int:
        """Say how many frames there are. Raises ValueError when the sequences don't agree: nothing is delivered."""
        optional = (self.source, self.hole, self.plate_confidence)
        parts = (self.plate, *self.characters, *self.performer_mattes, *(part for part in optional if part is not None))
        counts = {len(part) for part in parts}
        if len(counts) != 1 or counts == {0}:
            raise ValueError(f"layers of {sorted(counts)} frames")
        return counts.pop()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredVersion:
    """A version that stands whole in its folder."""

    folder: Path
    sidecar: Path
    version: int
    passes: tuple[str, ...]
    first_number: int
    frame_count: int

    def files(self, name: str) -> tuple[Path, ...]:
        """List a pass's files in order."""
        numbers = range(self.first_number, self.first_number + self.frame_count)
        return tuple(self.folder / pass_file(self.folder.name, name, f"{number:04d}") for number in numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameLayers:
    """One frame's pictures at the delivered depth."""

    index: int
    plate: Pixels
    character: Pixels
    source: Pixels | None
    hole: Pixels | None
    plate_confidence: Pixels | None
    performer_mattes: tuple[Pixels, ...]

    @property
    def matte(self) -> Pixels:
        """The new character's coverage."""
        return cast(Pixels, np.ascontiguousarray(self.character[..., 3]))

    @property
    def change_matte(self) -> Pixels:
        """Where the comp may differ from the source."""
        return self.matte if self.hole is None else change_matte_of(self.hole, self.matte)

    def comp(self) -> Pixels:
        """Lay the character over the plate, and see that nothing else changed. Raises ValueError if it did."""
        comp = comp_over(self.plate, self.character)
        if self.source is not None:
            changed = (comp != self.source).any(axis=2)
            if (changed & (self.change_matte == 0)).any():
                raise ValueError(f"frame {self.index} differs from the source where nothing was changed")
        return comp


def deliver(layers: Layers, job: Job, folder: Path, making: Making, watch: Watch) -> DeliveredVersion:
    """Write the wanted passes as the next version of the delivery's name in `folder`.

    A job delivers once: if its version stands already, that one is returned. Killed at any moment, it leaves no
    visible folder, and the next run takes the same version and writes it anew, to equal bytes. Two jobs at once take
    two versions. Raises DiskFullError, FolderReadOnlyError, PathTooLongError (what was written is removed) and
    StoppedError (likewise).
    """
    count = layers.frame_count()
    makers = dict(_makers(layers, job.delivery.passes))
    if count != len(making.source_numbers):
        raise ValueError(f"{count} frames for {len(making.source_numbers)} of the source")
    with disk_errors(folder):
        version = find_delivered_or_none(folder, job.delivery.name, job.id)
        while version is None:
            version = _write_version(layers, makers, claim(folder, job.delivery.name, job.id), job, making, watch)
    return DeliveredVersion(
        folder=version.delivered,
        sidecar=version.delivered / version.sidecar_name,
        version=version.number,
        passes=tuple(makers),
        first_number=job.delivery.first_number,
        frame_count=count,
    )


_MakePass = Callable[[FrameLayers], Pixels]


def _makers(layers: Layers, wanted: tuple[Pass, ...]) -> Iterator[tuple[str, _MakePass]]:
    """Yield the passes that are wanted and can be made, by name, in the order of `Pass`."""
    has = {
        Pass.PERFORMER_MATTE: bool(layers.performer_mattes),
        Pass.PLATE_CONFIDENCE: layers.plate_confidence is not None,
        Pass.CONTROL: layers.control is not None,
    }
    for kind in Pass:
        if kind in wanted and has.get(kind, True):
            yield kind.value, _maker(kind, layers)
            if kind is Pass.PERFORMER_MATTE and len(layers.performer_mattes) > 1:
                yield from ((f"{kind.value}_{n + 1}", _one_performer(n)) for n in range(len(layers.performer_mattes)))


def _maker(kind: Pass, layers: Layers) -> _MakePass:
    match kind:
        case Pass.CHARACTER:
            return lambda frame: frame.character
        case Pass.MATTE:
            return lambda frame: frame.matte
        case Pass.PERFORMER_MATTE:
            return lambda frame: reduce(np.maximum, frame.performer_mattes)
        case Pass.CHANGE_MATTE:
            return lambda frame: frame.change_matte
        case Pass.PLATE:
            return lambda frame: frame.plate
        case Pass.PLATE_CONFIDENCE:
            return lambda frame: cast(Pixels, frame.plate_confidence)
        case Pass.COMP:
            return FrameLayers.comp
        case Pass.CONTROL:
            return lambda frame: cast(DrawControl, layers.control)(frame.plate, frame.index)


def _one_performer(place: int) -> _MakePass:
    return lambda frame: frame.performer_mattes[place]


def _write_version(
    layers: Layers, makers: dict[str, _MakePass], version: Version, job: Job, making: Making, watch: Watch
) -> Version | None:
    """Fill a claimed version and publish it. None when its name was taken meanwhile; what was written is then gone."""
    is_published = False
    try:
        _write_frames(layers, makers, version, job, watch)
        replace_text(version.partial / version.sidecar_name, sidecar_text(version, job, making, makers))
        is_published = version.publish()
    finally:
        if not is_published:
            version.release()
    return version if is_published else None


def _write_frames(layers: Layers, makers: dict[str, _MakePass], version: Version, job: Job, watch: Watch) -> None:
    count, first_number = layers.frame_count(), job.delivery.first_number
    for name in makers:
        (version.partial / name).mkdir()
    frames = (_read_frame(layers, index, job.delivery.depth_bits) for index in range(count))
    with SequenceWriter(version.partial, threads=_WRITING_THREADS) as writer:
        for frame in ahead(frames, _AHEAD_FRAMES):
            for name, make in makers.items():
                writer.write_as(pass_file(version.stem, name, f"{first_number + frame.index:04d}"), make(frame))
            watch.frames_done(frame.index + 1, count)


def _read_frame(layers: Layers, index: int, depth_bits: int) -> FrameLayers:
    def read(sequence: Sequence) -> Pixels:
        return to_depth(sequence[index], depth_bits)

    def read_or_none(sequence: Sequence | None) -> Pixels | None:
        return None if sequence is None else read(sequence)

    return FrameLayers(
        index=index,
        plate=rgb_of(read(layers.plate)),
        character=merge_layers(map(read, layers.characters)),
        source=read_or_none(layers.source),
        hole=read_or_none(layers.hole),
        plate_confidence=read_or_none(layers.plate_confidence),
        performer_mattes=tuple(map(read, layers.performer_mattes)),
    )
