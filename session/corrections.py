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
    """A joint is keyed in a frame that the shot does not have any more."""

    hint = "Remove that key under Corrections, or let the strip show that frame again."

    def __init__(self, fix: JointFix, frame_count: int) -> None:
        super().__init__(
            f"The {fix.joint.replace('_', ' ')} is keyed in frame {fix.frame + 1} of the shot, which has {frame_count}."
        )
        self.fix, self.frame_count = fix, frame_count


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
    scene: Scene, casting: UNDERSTUDY_PG_casting, shot: StripShot, source: str, mode: Mode
) -> Corrections:
    """Read them over a shot that was read from the strip of that mark. A job that animates takes no mattes.

    Raises KeyOutsideError, MatteMissingError and what `read_matte_strip` raises.
    """
    joints = fixes_of(casting, source)
    stray = next((fix for fix in joints if not 0 <= fix.frame < shot.frame_count), None)
    if stray is not None:
        raise KeyOutsideError(stray, shot.frame_count)
    return Corrections(
        matte=_matte_or_none(scene, casting.matte, shot) if mode is Mode.REPLACE else None,
        combine=Combine(casting.combine),
        garbage=_matte_or_none(scene, casting.garbage, shot) if mode is Mode.REPLACE else None,
        joints=joints,
    )


def fixes_of(casting: UNDERSTUDY_PG_casting, source: str) -> tuple[JointFix, ...]:
    """List the joints that were keyed on the shot of a strip, in order of joints and frames."""
    fixes = (_fix(row) for row in casting.joints if row.shot == source)
    return tuple(sorted(fixes, key=lambda fix: (list(Joint).index(fix.joint), fix.frame)))


def key_joint(casting: UNDERSTUDY_PG_casting, source: str, fix: JointFix) -> None:
    """Key a joint; one that is keyed in that frame already is moved, its reach stays."""
    keyed = (row for row in casting.joints if (row.shot, row.joint, row.frame) == (source, fix.joint, fix.frame))
    row = next(keyed, None)
    if row is None:
        row = casting.joints.add()
        row.shot, row.joint, row.frame = source, fix.joint.value, fix.frame
        row.before, row.after = fix.frame - fix.first, fix.last - fix.frame
    row.place = fix.x, fix.y


def recall_corrections(casting: Casting, source: str, into: UNDERSTUDY_PG_casting) -> None:
    """Set them to what a job was asked for; keys on other shots stay."""
    into.combine = casting.matte_combine.value
    _recall_matte(casting.matte, casting.matte_rendering, into.matte)
    _recall_matte(casting.garbage_matte, casting.garbage_rendering, into.garbage)
    for place in reversed([place for place, row in enumerate(into.joints) if row.shot == source]):
        into.joints.remove(place)
    for fix in casting.joints:
        key_joint(into, source, fix)


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
