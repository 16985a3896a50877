# SPDX-License-Identifier: GPL-3.0-or-later
"""Who of a shot is replaced: picked on its preview, kept with the scene, and worded for a job of other frames.

A number is the place in a list of those who were found in some frames: in others it may be somebody else's. So what was
picked by number is remembered with these frames, and with a box for all others.
"""

from __future__ import annotations

from ..backend.contract.errors import UnderstudyError
from ..backend.contract.events import FoundPerson
from ..backend.contract.job import PerformerChoice, Pick
from ..picker.canvas import Box
from ..picker.people import box_at
from ..properties import UNDERSTUDY_PG_casting
from ..sequencer.shot import StripShot


class NoBoxError(UnderstudyError):
    """A performer is to be whoever is in a box, and no box was drawn."""

    hint = "Press Find Performers and drag a box round the performer."

    def __init__(self) -> None:
        super().__init__("There is no box yet.")


class PickOutsideError(UnderstudyError):
    """Who is meant was shown in a frame that is not among those that go in. frame: of the scene."""

    hint = "Show the performer again with Find Performers, or choose a range that has the frame."

    def __init__(self, frame: int, first: int, last: int) -> None:
        super().__init__(f"The performer was shown in frame {frame}, which is not one of {first} to {last}.")
        self.frame, self.first, self.last = frame, first, last


class PickElsewhereError(UnderstudyError):
    """Who is meant was shown on another strip or at another size. strip: the one that is to be replaced."""

    hint = "Show the performer again with Find Performers."

    def __init__(self, strip: str) -> None:
        super().__init__(f"The performer was shown on another strip than {strip}, or in pictures of another size.")
        self.strip = strip


class NumberElsewhereError(UnderstudyError):
    """A number was given among other frames than those that go in, first to last of the scene."""

    hint = "Press Find Performers and click the performer."

    def __init__(self, number: int, first: int, last: int) -> None:
        super().__init__(
            f"Number {number} was given among other frames than {first} to {last}: it may be somebody else."
        )
        self.number, self.first, self.last = number, first, last


def mark_of(source: str, width_px: int, height_px: int) -> str:
    """Name what performers are shown on: a strip, by its own mark, and the size of its pictures, which boxes are in."""
    return f"{source} {width_px}x{height_px}"


def pick_box(casting: UNDERSTUDY_PG_casting, shown: tuple[str, range], frame: int, box: Box) -> None:
    """Cast whoever is in a box in a frame of a shot. shown: its `mark_of`, its frames within the strip's."""
    casting.pick, casting.picked_on = Pick.BOX.value, shown[0]
    casting.box, casting.box_frame = box, shown[1][frame]


def pick_person(casting: UNDERSTUDY_PG_casting, shown: tuple[str, range], frame: int, person: FoundPerson) -> None:
    """Cast somebody who was found in a shot, and seen in a frame of it, by number. shown: as of `pick_box`."""
    pick_box(casting, shown, frame, box_at(person, frame))
    casting.pick, casting.id = Pick.ID.value, person.id
    casting.numbered_in = shown[1][0], shown[1][-1]


def choice_of(casting: UNDERSTUDY_PG_casting, shot: StripShot, source: str) -> PerformerChoice:
    """Word who is meant for a job of this shot. source: the mark of the strip that it was read from.

    A number that was typed in is taken as it is. Raises NoBoxError, NumberElsewhereError, PickElsewhereError,
    PickOutsideError.
    """
    pick, mark = Pick(casting.pick), mark_of(source, shot.width_px, shot.height_px)
    if pick is Pick.LARGEST:
        return PerformerChoice()
    if pick is Pick.ID and _is_valid_number(casting, shot, mark):
        return PerformerChoice(pick=pick, id=casting.id)
    return _choice_by_place(casting, shot, mark)


def recall_choice(choice: PerformerChoice, mark: str, frames: range, into: UNDERSTUDY_PG_casting) -> None:
    """Set who is meant to what a job was asked for. mark, frames: of the job's shot, as `shown` of `pick_box`."""
    into.pick, into.id, into.picked_on = choice.pick.value, max(1, choice.id), mark
    into.box, into.box_frame = (choice.x, choice.y, choice.x1, choice.y1), choice.frame + frames.start
    into.numbered_in = frames.start, frames.stop - 1


def _is_valid_number(casting: UNDERSTUDY_PG_casting, shot: StripShot, mark: str) -> bool:
    first, last = casting.numbered_in
    is_typed = last < first
    is_of_shot = casting.picked_on in ("", mark) and (first, last) == (shot.content_first, shot.content_last)
    return is_typed or is_of_shot


def _choice_by_place(casting: UNDERSTUDY_PG_casting, shot: StripShot, mark: str) -> PerformerChoice:
    pick, (x, y, x1, y1) = Pick(casting.pick), casting.box
    if pick is Pick.BOX and (x1 <= x or y1 <= y):
        raise NoBoxError
    if casting.picked_on not in ("", mark):
        raise PickElsewhereError(shot.strip)
    if pick is Pick.ID and x1 <= x:
        raise NumberElsewhereError(casting.id, shot.first, shot.last)
    frame = casting.box_frame - shot.content_first
    if not 0 <= frame < shot.frame_count:
        raise PickOutsideError(shot.first + frame, shot.first, shot.last)
    place = Pick.POINT if pick is Pick.POINT else Pick.BOX
    return PerformerChoice(pick=place, frame=frame, x=x, y=y, x1=x1, y1=y1)
