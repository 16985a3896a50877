# SPDX-License-Identifier: GPL-3.0-or-later
"""Records survive the wire whole, and whatever is not a record is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.contract.events import KINDS, Event, FoundPerson, PersonAt, from_line, to_line
from backend.contract.job import Casting, Combine, Delivery, Fit, Job, Mode, Pass, PerformerChoice, Pick, Shot
from backend.contract.joints import Joint, JointFix
from backend.contract.wire import MessageInvalidError, MessageTooNewError, check_version, from_json, schema_of, to_json

_NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
_CASTINGS = st.builds(
    Casting,
    character=st.text(),
    performer=st.builds(PerformerChoice, pick=st.sampled_from(Pick), x=_NUMBERS, y=_NUMBERS),
    fit=st.builds(Fit, scale=_NUMBERS, mirror=st.booleans()),
    matte_combine=st.sampled_from(Combine),
    joints=st.lists(st.builds(JointFix, joint=st.sampled_from(Joint), x=_NUMBERS, y=_NUMBERS), max_size=2).map(tuple),
)
JOBS = st.builds(
    Job,
    id=st.text(),
    mode=st.sampled_from(Mode),
    shot=st.builds(Shot, source=st.text(), first=st.integers()),
    cast=st.lists(_CASTINGS, max_size=3).map(tuple),
    delivery=st.builds(Delivery, folder=st.text(), name=st.text(), passes=st.lists(st.sampled_from(Pass)).map(tuple)),
)


def a_job() -> dict[str, Any]:
    delivery = Delivery(folder="out", name="sc010")
    return to_json(Job(id="1", mode=Mode.REPLACE, shot=Shot(source="a"), cast=(), delivery=delivery))


@given(JOBS)
def test_a_job_survives_the_wire(job: Job) -> None:
    assert from_json(Job, json.loads(json.dumps(to_json(job))), "job") == job


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.kind)
def test_every_event_survives_its_line(kind: type[Event]) -> None:
    seen = PersonAt(frame=3, x=1.0, y=2.0, x1=3.0, y1=4.0, score=0.9)
    samples: dict[str, Any] = {"str": "é\n", "int": 7, "float": 0.5, "tuple[str, ...]": ("a", "b")}
    samples["tuple[FoundPerson, ...]"] = (FoundPerson(id=1, seen=(seen,)),)
    event = kind(**{name: samples[str(hint)] for name, hint in kind.__annotations__.items() if name != "kind"})
    line = to_line(event)
    assert "\n" not in line
    assert from_line(line) == event


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"colour": "red"}, "job.colour"),
        ({"mode": "swap"}, "job.mode"),
        ({"seed": "7"}, "job.seed"),
        ({"seed": True}, "job.seed"),
        ({"cast": {}}, "job.cast"),
        ({"shot": {"source": 3}}, "job.shot.source"),
        ({"cast": [{"character": "a", "matte_combine": "mix"}]}, "matte_combine is 'mix'; it can be replace, add"),
        ({"cast": [{"character": "a", "joints": [{"joint": "tail"}]}]}, r"joints\[0\]\.joint is 'tail'"),
    ],
)
def test_a_hand_edited_job_is_refused_by_the_field_that_is_wrong(change: dict[str, Any], named: str) -> None:
    with pytest.raises(MessageInvalidError, match=named):
        from_json(Job, a_job() | change, "job")


def test_a_missing_field_is_named() -> None:
    data = a_job()
    del data["delivery"]
    with pytest.raises(MessageInvalidError, match=r"job\.delivery is missing"):
        from_json(Job, data, "job")


def test_a_newer_message_is_refused_in_words() -> None:
    with pytest.raises(MessageTooNewError, match="version 99"):
        check_version({"v": 99}, "job")


def test_the_schema_closes_every_record_and_names_all_choices() -> None:
    schema = schema_of(Job)
    assert schema["additionalProperties"] is False
    assert schema["properties"]["mode"] == {"enum": ["replace", "animate"]}  # type: ignore[index,call-overload]
    assert "stages" not in schema["required"]  # type: ignore[operator]
