# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend.contract.job import PerformerChoice, Pick
from backend.media.sequence import Sequence, SequenceWriter
from backend.performer.choose import NoSuchPerformerError, choose
from backend.performer.people import Glimpse, People, Seen, linked

NOWHERE = Sequence(Path("no frames are needed"), 40)


def glimpse(frame: int, x: float, size: float, looks: int) -> Glimpse:
    """Somebody of a size in one of a few kinds of clothes."""
    clothes = np.zeros(512, np.float32)
    clothes[looks] = 1
    return Glimpse(Seen(frame, np.array([x, 0, x + size / 2, size], np.float32), 0.9), clothes)


def crossing() -> People:
    """Red walks right, blue, who is smaller, walks left; they pass at frame 20."""
    frames = [
        [glimpse(f, 10 * f, 100, 1), glimpse(f, 400 - 10 * f, 80, 2)][:: 1 if f % 20 else -1] for f in range(0, 40, 10)
    ]
    return People(40, linked(frames))


def test_ids_stay_with_the_clothes_where_two_cross() -> None:
    red, blue = crossing().persons
    assert [seen.box[0] for seen in red.seen] == [0, 100, 200, 300]
    assert [seen.box[0] for seen in blue.seen] == [400, 300, 200, 100]
    assert (red.id, blue.id) == (1, 2)


def test_people_are_read_as_they_were_written(tmp_path: Path) -> None:
    people = crossing()
    people.save(tmp_path / "people.json")
    read = People.load(tmp_path / "people.json")
    assert read.frame_count == 40
    for one, other in zip(people.persons, read.persons, strict=True):
        np.testing.assert_allclose(one.looks, other.looks, atol=1e-4)
        np.testing.assert_allclose(one.box_at(17), other.box_at(17), atol=0.01)
        assert [seen.frame for seen in one.seen] == [seen.frame for seen in other.seen]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (PerformerChoice(), 1),
        (PerformerChoice(pick=Pick.ID, id=2), 2),
        (PerformerChoice(pick=Pick.POINT, frame=100, x=420, y=40), 2),
        (PerformerChoice(pick=Pick.POINT, frame=130, x=130, y=40), 2),
        (PerformerChoice(pick=Pick.BOX, frame=105, x=50, y=0, x1=100, y1=100), 1),
        (PerformerChoice(pick=Pick.BOX, frame=105, x=390, y=80, x1=350, y1=0), 2),
    ],
    ids=str,
)
def test_who_is_pointed_at_is_chosen_by_source_frames(choice: PerformerChoice, expected: int) -> None:
    assert choose(crossing(), choice, 100, NOWHERE).id == expected


def test_an_unknown_id_is_told_with_those_there_are() -> None:
    with pytest.raises(NoSuchPerformerError, match=r"id 7.*1, 2") as caught:
        choose(crossing(), PerformerChoice(pick=Pick.ID, id=7), 0, NOWHERE)
    assert caught.value.ids == (1, 2)


def test_a_frame_outside_the_shot_is_refused() -> None:
    with pytest.raises(NoSuchPerformerError, match="outside the shot"):
        choose(crossing(), PerformerChoice(pick=Pick.POINT, frame=99, x=10, y=10), 100, NOWHERE)


def test_a_point_where_nobody_is_is_refused(tmp_path: Path) -> None:
    with SequenceWriter(tmp_path) as writer:
        writer.write(0, np.full((360, 640, 3), 90, np.uint8))
    choice = PerformerChoice(pick=Pick.POINT, x=600, y=300)
    with pytest.raises(NoSuchPerformerError, match="point"):
        choose(crossing(), choice, 0, Sequence(tmp_path, 1))


def test_who_is_glimpsed_once_without_a_face_is_nobody() -> None:
    """A shelf that passes for a back in one sample has no face, so its score stays low."""
    frames = [[glimpse(f, 100, 100, 1)] for f in range(0, 40, 10)]
    shelf = glimpse(10, 300, 60, 2)
    frames[1].append(Glimpse(Seen(10, shelf.seen.box, 0.7), shelf.looks))
    assert len(linked(frames)) == 1
    frames[1][1] = shelf
    assert len(linked(frames)) == 2


def test_clothes_outweigh_the_place_where_one_hides_the_other() -> None:
    """At frame 20 only red is seen, where blue was expected."""
    frames = [[glimpse(f, 10 * f, 100, 1), glimpse(f, 400 - 10 * f, 100, 2)] for f in (0, 10, 20, 30)]
    frames[2] = [glimpse(20, 200, 100, 1)]
    red, blue = linked(frames)
    assert [seen.frame for seen in red.seen] == [0, 10, 20, 30]
    assert blue.is_missed(20) and not blue.also_seen(Seen(20, red.seen[2].box, 0.9)).is_missed(20)
