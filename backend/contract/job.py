# SPDX-License-Identifier: GPL-3.0-or-later
"""What was asked: a job as frozen records. `wire.py` turns them into JSON and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from .joints import JointFix


class Mode(StrEnum):
    """What the character does in the result."""

    REPLACE = "replace"
    """The character takes the performer's place in the clip."""
    ANIMATE = "animate"
    """The character moves before its own picture's background, driven by the clip."""


class Pass(StrEnum):
    """A sequence that a delivery can hold."""

    CHARACTER = "character"
    MATTE = "matte"
    PERFORMER_MATTE = "performer_matte"
    CHANGE_MATTE = "change_matte"
    PLATE = "plate"
    PLATE_CONFIDENCE = "plate_confidence"
    COMP = "comp"
    CONTROL = "control"


class Pick(StrEnum):
    """By what a performer is chosen among the people of a shot."""

    LARGEST = "largest"
    BOX = "box"
    POINT = "point"
    ID = "id"


class Shadow(StrEnum):
    """What becomes of the performer's cast shadow in the plate."""

    KEEP = "keep"
    """It stays, and the character inherits it."""
    REMOVE = "remove"
    """It is part of the hole and painted out."""


class Combine(StrEnum):
    """What becomes of the computed matte where the artist gives one."""

    REPLACE = "replace"
    """The artist's stands instead."""
    ADD = "add"
    """What either covers is covered: the greater of both."""
    SUBTRACT = "subtract"
    """What the artist's covers is taken out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformerChoice:
    """Which person of the shot is meant.

    pick LARGEST needs nothing more; ID wants `id` as `find` tells it; POINT wants x y, BOX wants x y x1 y1,
    in pixels of source frame `frame` (counted from the first frame of the clip).
    """

    pick: Pick = Pick.LARGEST
    id: int = 0
    frame: int = 0
    x: float = 0.0
    y: float = 0.0
    x1: float = 0.0
    y1: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How the artist sets the character against the performer.

    scale: times the size that fits the performer. offset_x, offset_y, ground_offset: parts of the performer's
    height, right and down. mirror: flip the character's picture. head_size: times the character's own.
    """

    scale: float = 1.0
    offset_x: float = 0.0
    offset_y: float = 0.0
    ground_offset: float = 0.0
    mirror: bool = False
    head_size: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """How Blender renders a strip's frames, for only Blender knows what the artist sees. Empty for a file.

    command: Blender's program and its words. It is given `--into FOLDER --frames 0-23 --depth 8` besides (frames of the
    shot, counted from 0; ranges and single ones, by commas), and writes a line `FRAME_LINE index path` for every
    picture that stands. description: all that the pixels depend on; the frames' key.
    scene_first: the scene frame that is the shot's frame 0. content_first: that frame, counted from where the strip's
    content starts, which trimming and moving the strip leave as it is.
    """

    command: tuple[str, ...] = ()
    description: str = ""
    width_px: int = 0
    height_px: int = 0
    frame_count: int = 0
    scene_first: int = 0
    content_first: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Casting:
    """One performer and the character who takes the part, and what of the performer the artist put right.

    character: path of a picture. matte: folder or picture of the artist's own performer matte, and what it does to the
    computed one. garbage_matte: folder or picture; what is black in it is never performer. With a rendering, either is
    the name of what Blender renders, over the frames of the shot. joints: one key a joint and frame.
    """

    character: str
    performer: PerformerChoice = field(default_factory=PerformerChoice)
    fit: Fit = field(default_factory=Fit)
    matte: str = ""
    matte_combine: Combine = Combine.REPLACE
    matte_rendering: Rendering = field(default_factory=Rendering)
    garbage_matte: str = ""
    garbage_rendering: Rendering = field(default_factory=Rendering)
    joints: tuple[JointFix, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """The frames asked for: a movie file, or a folder, picture or `name_####.png` pattern of a numbered sequence.

    first, last: source frames counted from 0, inclusive; last -1 is the clip's end. fps "" is the file's own
    ("24000/1001" is a rational), a sequence without one takes 24. With a rendering, source is the strip's name.
    """

    source: str
    first: int = 0
    last: int = -1
    fps: str = ""
    rendering: Rendering = field(default_factory=Rendering)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Where results go and of what kind. depth_bits: 8 or 16. first_number: of the first delivered file."""

    folder: str
    name: str
    passes: tuple[Pass, ...] = tuple(Pass)
    depth_bits: int = 8
    first_number: int = 1001


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting of one engine, by the engine's own name for it. What can be given several times, is a list."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of work, whole. Paths are absolute, or relative to the job folder.

    settings: the engine's own, which refuses what it does not know; paths in them are absolute. stages: the folder of
    results that jobs share.
    """

    id: str
    mode: Mode
    shot: Shot
    cast: tuple[Casting, ...]
    delivery: Delivery
    engine: str = "draft"
    settings: tuple[Setting, ...] = ()
    seed: int = 0
    shadow: Shadow = Shadow.KEEP
    stages: str = "../../stages"
