# SPDX-License-Identifier: GPL-3.0-or-later
"""An engine's settings are read strictly, and refused in words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import pytest

from backend.contract.job import Setting
from backend.engines.settings import SettingInvalidError, read_settings
from backend.pipeline.engines import engine_named


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Pair:
    form = "TEXT:NUMBER"
    text: str
    number: float

    @classmethod
    def parse(cls, value: str) -> Self:
        text, _, number = value.rpartition(":")
        return cls(text, float(number))


@dataclass(frozen=True)
class Record:
    steps: int = 20
    shift: float = 5.0
    is_kept: bool = False
    colour: Colour = Colour.RED
    pairs: tuple[Pair, ...] = ()


def given(**words: str) -> tuple[Setting, ...]:
    return tuple(Setting(name=name, value=value) for name, value in words.items())


def test_words_become_the_record() -> None:
    assert read_settings(Record, ()) == Record()
    read = read_settings(Record, given(steps="4", shift="3", is_kept="yes", colour="blue"))
    assert read == Record(4, 3.0, True, Colour.BLUE)


def test_what_may_be_given_several_times_is_kept_in_order() -> None:
    twice = (*given(pairs="C:/a.b:0.5"), *given(pairs="d:1"))
    assert read_settings(Record, twice).pairs == (Pair("C:/a.b", 0.5), Pair("d", 1.0))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (given(stps="4"), "none of colour, is_kept, pairs, shift, steps"),
        (given(steps="4.5"), "a whole number"),
        (given(shift="wide"), "a number"),
        (given(is_kept="1"), "yes or no"),
        (given(colour="green"), "red, blue"),
        (given(pairs="a"), "TEXT:NUMBER"),
        ((*given(steps="4"), *given(steps="5")), "given twice"),
    ],
)
def test_what_will_not_do_is_said(words: tuple[Setting, ...], said: str) -> None:
    with pytest.raises(SettingInvalidError, match=said):
        read_settings(Record, words)


def test_the_draft_engine_refuses_settings() -> None:
    with pytest.raises(SettingInvalidError, match="steps means nothing to the draft engine"):
        engine_named("draft", given(steps="4"))
