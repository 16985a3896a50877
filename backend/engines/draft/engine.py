# SPDX-License-Identifier: GPL-3.0-or-later
"""The draft engine: a puppet cut from one picture, on any CPU, so that casting and scale can be judged at once."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import ClassVar, cast

import numpy as np

from ...contract.job import Mode
from ...contract.watch import Watch
from ...media.images import Pixels, read_picture
from ...media.sequence import Sequence, SequenceWriter
from ...media.thumbnail import write_thumbnail
from ...performer.tracks import Tracks
from ..base import Ability, Finding, Inputs, Plan, ShotSize
from .animate import picture_plate, retarget
from .character import Character, find_character, load_points
from .footing import foot_shifts
from .foresight import warn_of_performer, warn_of_picture, words_of
from .light import Light, measure_light
from .motion import Motion, at_ease, perform, performer_height
from .puppet import Puppet
from .raster import Floats

WINDOW_FRAMES = 48
_SECONDS_PER_MEGAPIXEL = 0.4
_BYTES_PER_PIXEL_HELD = 150
_BYTES_PER_PIXEL_WRITTEN = 1
_FIXED_BYTES = 400_000_000


class DraftEngine:
    """Draws the character as a mesh puppet. No weights, no GPU; windows do not depend on one another."""

    name: ClassVar[str] = "draft"
    version: ClassVar[int] = 1
    abilities: ClassVar[frozenset[Ability]] = frozenset(Ability)

    def plan(self, size: ShotSize, mode: Mode) -> Plan:  # noqa: ARG002
        """Cut the shot into windows of WINDOW_FRAMES; time and memory follow the pixels."""
        starts = range(0, size.frame_count, WINDOW_FRAMES)
        pixels = size.width_px * size.height_px
        return Plan(
            windows=tuple((first, min(first + WINDOW_FRAMES, size.frame_count) - 1) for first in starts),
            seconds=2 + size.frame_count * pixels / 1e6 * _SECONDS_PER_MEGAPIXEL,
            peak_memory_bytes=_FIXED_BYTES + pixels * _BYTES_PER_PIXEL_HELD,
            disk_bytes=size.frame_count * pixels * _BYTES_PER_PIXEL_WRITTEN,
        )

    def examine(self) -> tuple[Finding, ...]:
        """Say that it works: it needs nothing more than the worker does."""
        return (Finding("draft engine", f"ready: {', '.join(sorted(self.abilities))}", True, True),)

    def files(self, mode: Mode) -> tuple[Path, ...]:  # noqa: ARG002
        """Name none: it has no weights."""
        return ()

    def prepare(self, picture: Path, mirror: bool, into: Path, watch: Watch) -> None:
        """Find, cut out and take apart the character. Raises NobodyInPictureError, PictureUnreadableError."""
        character = find_character(read_picture(picture), mirror)
        warn_of_picture(character, watch)
        character.save(into)

    def describe(self, character: Path) -> tuple[str, ...]:
        """Word how much of a figure the picture shows."""
        return words_of(load_points(character))

    def background(self, picture: Path, mirror: bool, character: Path) -> Pixels:
        """Give the picture's own background, filled where the character stood."""
        return picture_plate(picture, mirror, character)

    def driving_tracks(self, inputs: Inputs) -> Tracks:
        """Give the performer's tracks, in the picture's own frame when the character moves there."""
        if inputs.mode is Mode.REPLACE:
            return inputs.tracks
        return retarget(inputs.tracks, load_points(inputs.character))

    def foresee(self, inputs: Inputs, watch: Watch) -> None:
        """Notice what of this performer's motion the character's picture can't show."""
        warn_of_performer(Character.load(inputs.character), self.driving_tracks(inputs), watch)

    def generate(self, inputs: Inputs, first: int, last: int, into: Path, watch: Watch) -> None:
        """Draw frames first..last; the plate's light is laid on the character in replace mode."""
        character = Character.load(inputs.character)
        height = performer_height(inputs.tracks, character.points)
        feet = foot_shifts(inputs.tracks, inputs.frames, height, first, last)
        # in its own picture a character keeps its pose: it may sit there
        rest = at_ease(character.points.joints) if inputs.mode is Mode.REPLACE else None
        motion = perform(self.driving_tracks(inputs), character.points, inputs.fit, feet, rest)
        puppet = Puppet(character)
        light = measure_light(inputs, character, motion, first, last) if inputs.mode is Mode.REPLACE else None
        depth = inputs.frames[first].dtype
        height, width = inputs.plate[first].shape[:2]
        with SequenceWriter(into) as writer:
            for index in range(first, last + 1):
                drawn = puppet.draw(motion, index, width, height)
                picture = _straight(drawn, light, motion, index, depth)
                writer.write(index, picture)
                watch.show(index, partial(_write_shown, inputs.plate, index, picture))
                watch.frames_done(index - first + 1, last - first + 1)


def _write_shown(plate: Sequence, index: int, character: Pixels, path: Path) -> None:
    """Write how a frame comes out. The plate is read only now: few of the frames offered are taken."""
    write_thumbnail(path, plate[index], character)


def _straight(premultiplied: Floats, light: Light | None, motion: Motion, index: int, depth: np.dtype) -> Pixels:
    """Light a drawn frame and quantise it: straight RGBA of `depth`, colour 0 where alpha is 0."""
    top = np.iinfo(depth).max
    result = np.zeros(premultiplied.shape, depth)
    part = _drawn_part(premultiplied[..., 3])
    alpha = np.clip(premultiplied[part][..., 3:], 0, 1)
    colour = premultiplied[part][..., :3] / np.maximum(alpha, 1e-4)
    if light is not None:
        colour = colour * light.gain(motion, index, premultiplied.shape[:2])[:, part[1]]
    result[part][..., 3:] = alpha * top + 0.5
    result[part][..., :3] = np.clip(colour, 0, 1) * top + 0.5
    result[part][..., :3] *= result[part][..., 3:] > 0
    return cast(Pixels, result)


def _drawn_part(alpha: Floats) -> tuple[slice, slice]:
    """Find the rows and columns that hold anything."""
    rows, columns = np.flatnonzero(alpha.any(1)), np.flatnonzero(alpha.any(0))
    if not len(rows):
        return slice(0, 0), slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
