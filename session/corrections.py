# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist puts right of a performer: mattes from strips and masks, joints keyed by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ..backend.contract.errors import UnderstudyError
from ..backend.contract.job import Casting, Combine, Mode, Rendering
from ..backend.contract.joints import Joint, JointFix
from ..properties import UNDERSTUDY_PG_casting, UNDERSTUDY_PG_joint, UNDERSTUDY_PG_matte
from ..sequencer.mattes import MatteMissingError, is_of_mask, read_mask, read_matte_strip
from ..sequencer.shot import StripShot, rendering_of

if TYPE_CHECKING:
    from bpy.types import Scene


class KeyOutsideError(UnderstudyError):
    """A joint is keyed in a frame that the strip does not show any more. frame: of the scene."""

    hint = "Remove that key under Corrections, or let the strip show that frame again."

    def __init__(self, joint: Joint, frame: int, shown: range) -> None:
        name, last = joint.replace("_", " "), shown.stop - 1
        super().__init__(f"The {name} is keyed in frame {frame}: the strip shows {shown.start} to {last}.")
        self.joint, self.frame, self.shown = joint, frame, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrections:
    """Of one performer. matte, garbage: how Blender renders them; None where there is none."""

    matte: StripShot | None
    combine: Combine
    garbage: StripShot | None
    joints: tuple[JointFix, ...]

    @property
    def needs_blend(self) -> bool:
        """Whether anything is to be rendered."""
        return self.matte is not None or self.garbage is not None

    def laid_on(self, casting: Casting, blend: Path) -> Casting:
        """Put them into what a job says of the performer, instead of what it said. blend: mattes are rendered of it."""
        return replace(
            casting,
            matte=_name(self.matte),
            matte_combine=self.combine if self.matte else Combine.REPLACE,
            matte_rendering=rendering_of(self.matte, blend) if self.matte else Rendering(),
            garbage_matte=_name(self.garbage),
            garbage_rendering=rendering_of(self.garbage, blend) if self.garbage else Rendering(),
            joints=self.joints,
        )


def read_corrections(
    scene: Scene, casting: UNDERSTUDY_PG_casting, shot: StripShot, source: str, shown: range, mode: Mode
) -> Corrections:
    """Read them over a shot that was read from the strip of that mark, which shows these frames of the scene.

    A job that animates takes no mattes. Raises KeyOutsideError, MatteMissingError and what `read_matte_strip` raises.
    """
    return Corrections(
        matte=_matte_or_none(scene, casting.matte, shot) if mode is Mode.REPLACE else None,
        combine=Combine(casting.combine),
        garbage=_matte_or_none(scene, casting.garbage, shot) if mode is Mode.REPLACE else None,
        joints=_fixes_within(casting, shot, source, shown),
    )


def fixes_of(casting: UNDERSTUDY_PG_casting, source: str, content_first: int) -> tuple[JointFix, ...]:
    """List the joints that were keyed on a strip, in order of joints and frames.

    Frames are those of a shot; it need not have them. content_first: its first one, see `StripShot`.
    """
    fixes = (_fix(row).counted_from(content_first) for row in casting.joints if row.shot == source)
    return tuple(sorted(fixes, key=lambda fix: (list(Joint).index(fix.joint), fix.frame)))


def key_joint(casting: UNDERSTUDY_PG_casting, source: str, content_first: int, fix: JointFix) -> None:
    """Key a joint in a frame of a shot; one that is keyed there already is moved, its reach stays."""
    frame = fix.frame + content_first
    keyed = (row for row in casting.joints if (row.shot, row.joint, row.frame) == (source, fix.joint, frame))
    row = next(keyed, None)
    if row is None:
        row = casting.joints.add()
        row.shot, row.joint, row.frame = source, fix.joint.value, frame
        row.before, row.after = fix.frame - fix.first, fix.last - fix.frame
    row.place = fix.x, fix.y


def recall_corrections(casting: Casting, source: str, frames: range, into: UNDERSTUDY_PG_casting) -> None:
    """Set them to what a job was asked for; keys on other strips, and beside the job's frames, stay.

    frames: the job's, counted from where the strip's content starts.
    """
    into.combine = casting.matte_combine.value
    _recall_matte(casting.matte, casting.matte_rendering, into.matte)
    _recall_matte(casting.garbage_matte, casting.garbage_rendering, into.garbage)
    for place in reversed(
        [place for place, row in enumerate(into.joints) if row.shot == source and row.frame in frames]
    ):
        into.joints.remove(place)
    for fix in casting.joints:
        key_joint(into, source, frames.start, fix)


def _fixes_within(casting: UNDERSTUDY_PG_casting, shot: StripShot, source: str, shown: range) -> tuple[JointFix, ...]:
    """List the keys in a shot's frames. Those that its range leaves out take no part. Raises KeyOutsideError."""
    fixes = fixes_of(casting, source, shot.content_first)
    inside = tuple(fix for fix in fixes if 0 <= fix.frame < shot.frame_count)
    stray = next((fix for fix in fixes if fix not in inside and shot.first + fix.frame not in shown), None)
    if stray is not None:
        raise KeyOutsideError(stray.joint, shot.first + stray.frame, shown)
    return inside


def _recall_matte(name: str, rendering: Rendering, into: UNDERSTUDY_PG_matte) -> None:
    if not rendering.command:
        into.source = "none"
    elif is_of_mask(rendering.command):
        into.source, into.mask = "mask", bpy.data.masks.get(name)
    else:
        into.source, into.strip = "strip", name


def _matte_or_none(scene: Scene, wish: UNDERSTUDY_PG_matte, shot: StripShot) -> StripShot | None:
    if wish.source == "none":
        return None
    if wish.source == "strip":
        return read_matte_strip(scene, wish.strip, shot)
    if wish.mask is None:
        raise MatteMissingError("mask", "")
    return read_mask(wish.mask, shot)


def _name(matte: StripShot | None) -> str:
    return (matte.mask or matte.strip) if matte else ""


def _fix(row: UNDERSTUDY_PG_joint) -> JointFix:
    x, y = row.place
    return JointFix(
        joint=Joint(row.joint), frame=row.frame, x=x, y=y, first=row.frame - row.before, last=row.frame + row.after
    )
