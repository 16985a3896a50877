# SPDX-License-Identifier: GPL-3.0-or-later
"""A performer's joints of one job, to be moved: read from the job's folder, kept with the scene's settings."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import bpy

from ..backend.contract.errors import FileMissingError, UnderstudyError
from ..backend.contract.jobfolder import read_job
from ..backend.contract.joints import REACH_FRAMES, Joint, JointFix, TrackedCast, TrackedPerformer
from ..backend.contract.layout import JOINTS
from ..backend.contract.wire import MessageInvalidError, from_json
from ..picker.canvas import Placement, Point
from ..picker.skeleton import Skeleton, nearest_or_none
from ..properties import UNDERSTUDY_PG_casting, castings_of, settings_of
from ..sequencer.shot import StripMissingError
from ..sequencer.take import find_scene_or_none, find_source_or_none, scene_first_now
from ..worker_client.view import JobView
from .corrections import fixes_of, key_joint
from .focus import placement_of
from .placing import SceneMissingError, placing_of, take_of


class NotCastError(UnderstudyError):
    """A job has no such performer."""

    hint = "Choose a job in which that performer was replaced."

    def __init__(self, name: str, number: int) -> None:
        super().__init__(f"{name} has no performer {number}.")
        self.name, self.number = name, number


class JointAwayError(UnderstudyError):
    """A joint is to be moved in a frame in which its performer is not. frame: as the scene counts."""

    hint = "Move the playhead to a frame in which the performer is seen."

    def __init__(self, frame: int) -> None:
        super().__init__(f"There are no joints in frame {frame}.")
        self.frame = frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One performer of a job. place: of the casting, from 0. source: the strip's mark.

    scene_first, content_first: of the shot, in the scene and from where the strip's content starts.
    """

    scene: str
    place: int
    source: str
    scene_first: int
    content_first: int
    placement: Placement
    performer: TrackedPerformer

    def places(self) -> dict[Joint, Point]:
        """Tell where the joints are at the playhead, as keyed; none outside the shot, or of nobody who is cast."""
        casting = self._casting_or_none()
        if casting is None:
            return {}
        fixes = fixes_of(casting, self.source, self.content_first)
        return Skeleton(self.performer, fixes).places(self._frame())

    def key(self, joint: Joint, at: Point) -> None:
        """Key a joint at the playhead, as one undo step. Raises JointAwayError."""
        casting, last = self._casting_or_none(), len(self.performer.is_there) - 1
        if casting is None or not self.places():
            raise JointAwayError(self._frame() + self.scene_first)
        frame = self._frame()
        first, last = max(0, frame - REACH_FRAMES), min(last, frame + REACH_FRAMES)
        fix = JointFix(joint=joint, frame=frame, x=at[0], y=at[1], first=first, last=last)
        key_joint(casting, self.source, self.content_first, fix)
        bpy.ops.ed.undo_push(message=f"Move {joint.replace('_', ' ').title()}")

    def _frame(self) -> int:
        """Tell the frame of the shot at the playhead; it may be outside."""
        return bpy.data.scenes[self.scene].frame_current - self.scene_first

    def _casting_or_none(self) -> UNDERSTUDY_PG_casting | None:
        """Look the artist's settings of this performer up anew: undo makes new ones, and they can be removed."""
        scene = bpy.data.scenes.get(self.scene)
        if scene is None:
            return None
        castings = castings_of(settings_of(scene))
        return castings[self.place] if self.place < len(castings) else None


class Drag:
    """A joint under the mouse: taken hold of, moved, let go of. Nothing is kept of it until then."""

    def __init__(self, figure: Figure) -> None:
        self._figure = figure
        self.joint: Joint | None = None
        self.at: Point = (0.0, 0.0)

    def take(self, at: Point, reach_px: float) -> bool:
        """Take hold of the joint at a place, if there is one."""
        self.joint, self.at = nearest_or_none(self._figure.places(), at, reach_px), at
        return self.joint is not None

    def let_go(self) -> None:
        """Key what was taken hold of where it is now. Raises JointAwayError."""
        joint, self.joint = self.joint, None
        if joint is not None:
            self._figure.key(joint, self.at)

    def drop(self) -> None:
        """Leave it where it was."""
        self.joint = None

    def places(self) -> dict[Joint, Point]:
        """Tell where the joints are at the playhead, with the one that is held."""
        places = self._figure.places()
        return {**places, self.joint: self.at} if self.joint is not None and places else places


def figure_of(view: JobView, place: int) -> Figure:
    """Open a performer of a job that was delivered.

    Raises NotDeliveredError, SceneMissingError, StripMissingError, NotCastError, FileMissingError, MessageInvalidError.
    """
    job, placing = read_job(view.folder), placing_of(view.folder)
    take = take_of(view, placing)
    scene = find_scene_or_none(take, placing.scene)
    if scene is None:
        raise SceneMissingError(placing.scene)
    found = find_source_or_none(scene, take)
    if found is None:
        raise StripMissingError(placing.strip)
    cast = _tracked(view.folder / JOINTS).performers
    if not place < min(len(cast), len(castings_of(settings_of(scene)))):
        raise NotCastError(view.name, place + 1)
    return Figure(
        scene=scene.name,
        place=place,
        source=placing.source_id,
        scene_first=scene_first_now(take, found.strip),
        content_first=placing.content_first,
        placement=placement_of(found.strip, placing.pixels, job.shot.rendering),
        performer=cast[place],
    )


def _tracked(path: Path) -> TrackedCast:
    if not path.is_file():
        raise FileMissingError(path, "file of tracked joints")
    try:
        return from_json(TrackedCast, json.loads(path.read_text("utf-8")), JOINTS)
    except ValueError as error:
        raise MessageInvalidError(str(path), "is no JSON") from error
